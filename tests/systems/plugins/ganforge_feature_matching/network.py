"""A discriminator that says what it has seen in an image."""

from itertools import pairwise

from torch import nn


class Discriminator(nn.Module):
    """Images `[B, C, H, W]` to scores `[B]`; gives the features of its three layers."""

    def __init__(self, problem, options):
        super().__init__()
        widths = [problem.sample_shape[0], *(options.width << it for it in range(3))]
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Conv2d(few, many, 4, stride=2, padding=1), nn.LeakyReLU(0.2))
            for few, many in pairwise(widths)
        )
        self.score = nn.Linear(widths[-1], 1)

    def forward(self, samples):
        return self.trace(samples)[0]

    def trace(self, samples):
        features = []
        for layer in self.layers:
            samples = layer(samples)
            features.append(samples)
        return self.score(samples.mean((2, 3))).squeeze(1), {"features": features}
