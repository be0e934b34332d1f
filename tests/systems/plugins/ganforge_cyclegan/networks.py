"""The residual generator and the patch discriminator of CycleGAN (appendix 7.2 of the paper)."""

from torch import nn


class Residual(nn.Module):
    """Features `[B, C, H, W]` to the same plus a change of two convolutions."""

    def __init__(self, width):
        super().__init__()
        self.change = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(width, width, 3, bias=False),
            nn.InstanceNorm2d(width),
            nn.ReLU(),
            nn.ReflectionPad2d(1),
            nn.Conv2d(width, width, 3, bias=False),
            nn.InstanceNorm2d(width),
        )

    def forward(self, features):
        return features + self.change(features)


class Translator(nn.Module):
    """Images `[B, C', H, W]` to images `[B, C, H, W]` of the same size."""

    def __init__(self, problem, options):
        super().__init__()
        (channels, *sides), (given, *input_sides) = problem.sample_shape, problem.input_shape
        if sides != input_sides:
            raise ValueError(
                f"this network keeps the size, and {input_sides} pixels cannot become {sides}"
            )
        width = options.width
        layers = [nn.ReflectionPad2d(3), nn.Conv2d(given, width, 7, bias=False), *normed(width)]
        for wide in (2 * width, 4 * width):
            layers.append(nn.Conv2d(wide // 2, wide, 3, stride=2, padding=1, bias=False))
            layers += normed(wide)
        layers += [Residual(4 * width) for _ in range(options.blocks)]
        for narrow in (2 * width, width):
            layers.append(
                nn.ConvTranspose2d(
                    2 * narrow, narrow, 3, stride=2, padding=1, output_padding=1, bias=False
                )
            )
            layers += normed(narrow)
        layers += [nn.ReflectionPad2d(3), nn.Conv2d(width, channels, 7), nn.Tanh()]
        self.layers = nn.Sequential(*layers)
        self.apply(initialise)

    def forward(self, inputs):
        return self.layers(inputs)


class Patches(nn.Module):
    """Images `[B, C, H, W]` to scores `[B, h, w]`."""

    def __init__(self, problem, options):
        super().__init__()
        width = options.width
        layers = [
            nn.Conv2d(problem.sample_shape[0], width, 4, stride=2, padding=1),
            nn.LeakyReLU(0.2),
        ]
        for before, after, stride in ((1, 2, 2), (2, 4, 2), (4, 8, 1)):
            layers += [
                nn.Conv2d(width * before, width * after, 4, stride, padding=1, bias=False),
                nn.InstanceNorm2d(width * after),
                nn.LeakyReLU(0.2),
            ]
        self.layers = nn.Sequential(*layers, nn.Conv2d(width * 8, 1, 4, padding=1))
        self.apply(initialise)

    def forward(self, samples):
        return self.layers(samples)[:, 0]


def normed(width):
    return [nn.InstanceNorm2d(width), nn.ReLU()]


def initialise(module):
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
