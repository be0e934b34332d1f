"""The networks of 3D-GAN for any sides: doublings of the smallest sides that are left over."""

from itertools import pairwise

from torch import nn

SMALLEST = 4  # voxels of a side, before the first doubling


def base_and_doublings(sides):
    """The sides before the first doubling, and the number of doublings."""
    doublings = 0
    while min(sides) > SMALLEST and all(side % 2 == 0 for side in sides):
        sides, doublings = tuple(side // 2 for side in sides), doublings + 1
    return sides, doublings


class Generator(nn.Module):
    """Latents `[B, Z]` to voxels `[B, C, D, H, W]` in [-1, 1] (figure 1 of the paper)."""

    def __init__(self, problem, options):
        super().__init__()
        channels, *sides = problem.sample_shape
        base, doublings = base_and_doublings(tuple(sides))
        widths = [options.width << it for it in reversed(range(doublings))]
        (latents,) = problem.input_shape
        layers = [
            nn.Unflatten(1, (latents, 1, 1, 1)),
            nn.ConvTranspose3d(latents, widths[0], base, bias=False),
        ]
        for wide, narrow in pairwise(widths):
            layers += [nn.BatchNorm3d(wide), nn.ReLU()]
            layers.append(nn.ConvTranspose3d(wide, narrow, 4, 2, 1, bias=False))
        layers += [nn.BatchNorm3d(widths[-1]), nn.ReLU()]
        # The paper's sigmoid, for voxels that networks see in [-1, 1] rather than in [0, 1].
        layers += [nn.ConvTranspose3d(widths[-1], channels, 4, 2, 1), nn.Tanh()]
        self.layers = nn.Sequential(*layers)

    def forward(self, inputs):
        return self.layers(inputs)


class Discriminator(nn.Module):
    """Voxels `[B, C, D, H, W]` to scores `[B]`: the generator's mirror image."""

    def __init__(self, problem, options):
        super().__init__()
        channels, *sides = problem.sample_shape
        base, doublings = base_and_doublings(tuple(sides))
        widths = [options.width << it for it in range(doublings)]
        layers = [nn.Conv3d(channels, widths[0], 4, 2, 1), nn.LeakyReLU(0.2)]
        for narrow, wide in pairwise(widths):
            layers += [nn.Conv3d(narrow, wide, 4, 2, 1, bias=False), nn.BatchNorm3d(wide)]
            layers.append(nn.LeakyReLU(0.2))
        layers += [nn.Conv3d(widths[-1], 1, base), nn.Flatten(0)]
        self.layers = nn.Sequential(*layers)

    def forward(self, samples):
        return self.layers(samples)
