"""Cross-entropy losses on logits; softplus(x) = log(1 + exp(x)) keeps them finite for any score.

With D = sigmoid(score): -log D = softplus(-score) and -log(1 - D) = softplus(score).
"""

from __future__ import annotations

import torch
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

    With label smoothing s the target of real samples is 1 - s (Salimans et al., 2016,
    arXiv:1606.03498, section 3.4). With label flipping p the discriminator takes each sample,
    independently with probability p, for one of the other kind: common practice rather than a
    paper's (Chintala et al., 2016, "How to Train a GAN?", number 6). The cross-entropy against a
    target t is softplus(score) - t * score.
    """

    def __init__(self, problem: Problem, options: BCEOptions) -> None:
        super().__init__()
        self.label_smoothing = options.label_smoothing
        self.label_flipping = options.label_flipping

    def discriminator(self, real_scores: Tensor, fake_scores: Tensor) -> Tensor:
        real = self._cross_entropy(real_scores, 1.0 - self.label_smoothing, 0.0)
        return 0.5 * (real + self._cross_entropy(fake_scores, 0.0, 1.0 - self.label_smoothing))

    def generator(self, fake_scores: Tensor) -> Tensor:
        return softplus(-fake_scores).mean()

    def _cross_entropy(self, scores: Tensor, target: float, flipped: float) -> Tensor:
        values = _against(scores, target)
        if self.label_flipping:
            # From the global generator, which the engine seeds for every step.
            turned = torch.rand(len(scores), device=scores.device) < self.label_flipping
            turned = turned.view(-1, *[1] * (scores.dim() - 1))
            values = torch.where(turned, _against(scores, flipped), values)
        return values.mean()


def _against(scores: Tensor, target: float) -> Tensor:
    """The cross-entropy of each score against one target."""
    if target == 0.0:
        return softplus(scores)
    # softplus(v) - v = softplus(-v), which does not lose digits to a difference.
    real = softplus(-scores)
    return real if target == 1.0 else real + (1.0 - target) * scores
