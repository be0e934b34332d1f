"""What the discriminator sees in an image, as a distance."""

import torch
from torch.nn.functional import l1_loss

from ganforge import Loss


class FeatureDistance(Loss):
    """The mean over layers of the absolute difference of D's features, real and fake.

    Equation 3 of Wang et al., 2018, arXiv:1711.11585, which adds the layers up.
    """

    def __init__(self, problem, options):
        super().__init__()

    def generator_loss(self, step):
        pairs = zip(step.trace("fake.features"), step.trace("real.features"), strict=True)
        return torch.stack([l1_loss(fake, real.detach()) for fake, real in pairs]).mean()
