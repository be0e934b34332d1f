"""The patch discriminator of Isola et al., 2017, arXiv:1611.07004, with two strides."""

from torch import nn


class Patches(nn.Module):
    """Images `[B, C, H, W]` to scores `[B, h, w]` of overlapping patches."""

    def __init__(self, problem, options):
        super().__init__()
        width = options.width
        self.layers = nn.Sequential(
            nn.Conv2d(problem.sample_shape[0], width, 4, 2, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, 2 * width, 4, 2, 1, bias=False),
            nn.BatchNorm2d(2 * width),
            nn.LeakyReLU(0.2),
            nn.Conv2d(2 * width, 4 * width, 4, 1, 1, bias=False),
            nn.BatchNorm2d(4 * width),
            nn.LeakyReLU(0.2),
            nn.Conv2d(4 * width, 1, 4, 1, 1),
        )

    def forward(self, samples):
        return self.layers(samples)[:, 0]
