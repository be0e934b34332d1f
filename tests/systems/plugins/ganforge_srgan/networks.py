"""The generator and the discriminator of SRGAN (figure 4 of the paper)."""

from math import log2

from torch import nn


class Residual(nn.Module):
    """Features `[B, C, H, W]` to the same plus a change of two convolutions."""

    def __init__(self, width):
        super().__init__()
        self.change = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.PReLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
        )

    def forward(self, features):
        return features + self.change(features)


class SRResNet(nn.Module):
    """Coarse images `[B, C, H / r, W / r]` to images `[B, C, H, W]`, where r is a power of 2."""

    def __init__(self, problem, options):
        super().__init__()
        (channels, height, width), (given, *coarse) = problem.sample_shape, problem.input_shape
        doublings = round(log2(max(1, height // coarse[0])))
        if [height, width] != [side * 2**doublings for side in coarse]:
            raise ValueError(
                f"the sides of {height} x {width} pixels must be those of the inputs, "
                f"{coarse[0]} x {coarse[1]}, times a power of 2"
            )
        width = options.width
        self.first = nn.Sequential(nn.Conv2d(given, width, 9, padding=4), nn.PReLU())
        self.body = nn.Sequential(
            *(Residual(width) for _ in range(options.blocks)),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
        )
        enlarging = []
        for _ in range(doublings):
            enlarging += [
                nn.Conv2d(width, 4 * width, 3, padding=1),
                nn.PixelShuffle(2),
                nn.PReLU(),
            ]
        self.last = nn.Sequential(*enlarging, nn.Conv2d(width, channels, 9, padding=4), nn.Tanh())

    def forward(self, inputs):
        features = self.first(inputs)
        return self.last(features + self.body(features))


class Discriminator(nn.Module):
    """Images `[B, C, H, W]` to scores `[B]`."""

    def __init__(self, problem, options):
        super().__init__()
        channels, *sides = problem.sample_shape
        width = options.width
        layers = [nn.Conv2d(channels, width, 3, padding=1), nn.LeakyReLU(0.2)]
        before = width
        for factor, stride in ((1, 2), (2, 1), (2, 2), (4, 1), (4, 2), (8, 1), (8, 2)):
            layers += [
                nn.Conv2d(before, factor * width, 3, stride, padding=1, bias=False),
                nn.BatchNorm2d(factor * width),
                nn.LeakyReLU(0.2),
            ]
            before = factor * width
        height, across = (-(-side // 16) for side in sides)  # each stride of 2 rounds up
        self.layers = nn.Sequential(
            *layers,
            nn.Flatten(),
            nn.Linear(before * height * across, options.hidden),
            nn.LeakyReLU(0.2),
            nn.Linear(options.hidden, 1),
        )

    def forward(self, samples):
        return self.layers(samples)[:, 0]
