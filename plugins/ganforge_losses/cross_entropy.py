"""Cross-entropy losses on logits; softplus(x) = log(1 + exp(x)) keeps them finite for any score.

With D = sigmoid(score): -log D = softplus(-score) and -log(1 - D) = softplus(score).
"""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import softplus

from ganforge import NoOptions, Problem, ScoreLoss

from . import BCEOptions


class NonSaturating(ScoreLoss):
    """Goodfellow et al., 2014, section 3: the generator maximises log D(G(z))."""

    def __init__(self, problem: Problem, options: NoOptions) -> None:
        super().__init__()

    def discriminator(self, real_scores: Tensor, fake_scores: Tensor) -> Tensor:
        return softplus(-real_scores).mean() + softplus(fake_scores).mean()

    def generator(self, fake_scores: Tensor) -> Tensor:
        return softplus(-fake_scores).mean()


class Minimax(NonSaturating):
    """Goodfellow et al., 2014, equation 1: the generator minimises log(1 - D(G(z)))."""

    def generator(self, fake_scores: Tensor) -> Tensor:
        return -softplus(fake_scores).mean()


class BinaryCrossEntropy(ScoreLoss):
    """The mean of the cross-entropies against label 1 for real and 0 for fake samples.

    With label smoothing s the real target is 1 - s, whose cross-entropy is
    softplus(-score) + s * score.
    """

    def __init__(self, problem: Problem, options: BCEOptions) -> None:
        super().__init__()
        self.label_smoothing = options.label_smoothing

    def discriminator(self, real_scores: Tensor, fake_scores: Tensor) -> Tensor:
        real = softplus(-real_scores).mean()
        if self.label_smoothing:
            real = real + self.label_smoothing * real_scores.mean()
        return 0.5 * (real + softplus(fake_scores).mean())

    def generator(self, fake_scores: Tensor) -> Tensor:
        return softplus(-fake_scores).mean()
