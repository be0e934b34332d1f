"""Feature matching over all layers of all discriminators."""

import torch
from torch.nn.functional import l1_loss

from ganforge import Loss


class FeatureMatching(Loss):
    """The mean over the layers of |E f(x) - E f(G(z))|, the distance of mean features.

    Kong et al., 2020, equation 4, compare pairs. A sound that is made of a latent belongs to no
    real one, so that the means over the batch are compared (Salimans et al., 2016, section 3.1).
    """

    def generator_loss(self, step):
        pairs = zip(step.trace("real.features"), step.trace("fake.features"), strict=True)
        return torch.stack(
            [l1_loss(fake.mean(0), real.mean(0).detach()) for real, fake in pairs]
        ).mean()
