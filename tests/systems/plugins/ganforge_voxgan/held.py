"""The loss of 3D-GAN, which holds a discriminator back that has run ahead."""

import torch
from torch.nn.functional import softplus

from ganforge import ScoreLoss


class HeldCrossEntropy(ScoreLoss):
    """Cross-entropy on logits, of the discriminator only where its last accuracy allows it.

    "For each batch, the discriminator only gets updated if its accuracy in the last batch is not
    higher than 80%" (Wu et al., 2016, section 3.1). Where it waits its gradient is zero; only what
    Adam remembers of the steps before still moves it.
    """

    def __init__(self, problem, options):
        super().__init__()
        self.accuracy = options.accuracy
        self.register_buffer("moves", torch.ones(()))

    def discriminator(self, real_scores, fake_scores):
        return self.moves * (softplus(-real_scores).mean() + softplus(fake_scores).mean())

    def generator(self, fake_scores):
        return softplus(-fake_scores).mean()

    def observe(self, observed):
        real, fake = observed.real_scores, observed.fake_scores
        if observed.side == "generator" or real is None or fake is None:
            return
        accuracy = ((real > 0).float().mean() + (fake < 0).float().mean()) / 2
        self.moves.copy_(accuracy <= self.accuracy)
