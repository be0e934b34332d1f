"""The discriminator of InfoGAN, whose features Q shares."""

from torch import nn


class Discriminator(nn.Module):
    """Images `[B, C, H, W]` to scores `[B]`; its trace has `features` `[B, F]`."""

    def __init__(self, problem, options):
        super().__init__()
        channels, height, width = problem.sample_shape
        wide = options.width
        self.body = nn.Sequential(
            nn.Conv2d(channels, wide, 4, 2, 1),
            nn.LeakyReLU(0.1),
            nn.Conv2d(wide, 2 * wide, 4, 2, 1),
            nn.BatchNorm2d(2 * wide),
            nn.LeakyReLU(0.1),
            nn.Flatten(),
            nn.Linear(2 * wide * (height // 4) * (width // 4), options.features),
            nn.BatchNorm1d(options.features),
            nn.LeakyReLU(0.1),
        )
        self.score = nn.Linear(options.features, 1)

    def forward(self, samples):
        return self.trace(samples)[0]

    def trace(self, samples):
        features = self.body(samples)
        return self.score(features).squeeze(1), {"features": features}
