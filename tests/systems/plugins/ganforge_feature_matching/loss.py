"""The loss of the improved GAN: D tells apart, and G matches what D sees."""

import torch
from torch.nn.functional import softplus

from ganforge import Loss, averaged


class FeatureMatching(Loss):
    """|E f(x) - E f(G(z))|^2 for the generator, f being features of D, and cross-entropy for D.

    Salimans et al., 2016, section 3.1. The generator is told nothing else: this stands in the place
    of its adversarial loss. Distances of several layers are added up.
    """

    def __init__(self, problem, options):
        super().__init__()
        self.layers = options.layers

    def discriminator_loss(self, step):
        return averaged(self.cross_entropy, step.real_scores, step.fake_scores)

    def cross_entropy(self, real, fake):
        return softplus(-real).mean() + softplus(fake).mean()

    def generator_loss(self, step):
        real, fake = step.trace("real.features"), step.trace("fake.features")
        if isinstance(real, torch.Tensor):
            real, fake = [real], [fake]
        distances = [fake[it].mean(0) - real[it].mean(0) for it in self.layers]
        return sum(it.square().sum() for it in distances)
