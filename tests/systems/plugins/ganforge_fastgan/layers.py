"""What the two networks of FastGAN share."""

from torch import nn

from ganforge.nn import spectral_norm

SHARES = {4: 16, 8: 8, 16: 4, 32: 2, 64: 2, 128: 1, 256: 0.5, 512: 0.25, 1024: 0.125}
ENCODED = SHARES | {8: 16, 16: 8, 32: 4}  # of the discriminator's own layers


def width(side, options, shares=SHARES):
    """The number of channels at so many pixels, as in the authors' code."""
    return max(2, int(options.width * shares.get(side, 0.125)))


def convolution(before, after, kernel, stride=1, padding=0, bias=False):
    return spectral_norm(nn.Conv2d(before, after, kernel, stride, padding, bias=bias))


def doubled(before, after):
    """Features `[B, C, H, W]` to `[B, C', 2 H, 2 W]`, through a gate."""
    return nn.Sequential(
        nn.Upsample(scale_factor=2),
        convolution(before, 2 * after, 3, padding=1),
        nn.BatchNorm2d(2 * after),
        nn.GLU(1),
    )


class Excitation(nn.Module):
    """Fine features, each map times a number that coarse features say (equation 1)."""

    def __init__(self, coarse, fine):
        super().__init__()
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(4),
            convolution(coarse, fine, 4),
            nn.LeakyReLU(0.1),
            convolution(fine, fine, 1),
            nn.Sigmoid(),
        )

    def forward(self, coarse, fine):
        return fine * self.gate(coarse)
