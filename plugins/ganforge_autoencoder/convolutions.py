"""The two halves of a convolutional autoencoder, for images of any size.

A side s is halved to ceil(s / 2) by a convolution with a kernel of 4, a stride of 2 and a padding
of 1, or of 2 where s is odd; the transposed convolution with the same numbers leads back to s
exactly.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ganforge.nn import PatchesToImage, ToImage

KERNEL = 4
Sides = tuple[int, int]


class Encoder(nn.Module):
    """Images `[B, C, H, W]` to features `[B, widths[n], h, w]` at each resolution, finest first.

    The coarsest features are not normalised: a batch of one would lose them where the grid is 1x1.
    """

    def __init__(self, channels: int, sides: Sides, widths: Sequence[int]) -> None:
        super().__init__()
        self.stages = nn.ModuleList()
        finer = grids(sides, len(widths))[:-1]
        for number, width in enumerate(widths):
            last = number == len(widths) - 1
            padding = _padding(finer[number])
            stage = nn.Sequential(
                nn.Conv2d(channels, width, KERNEL, stride=2, padding=padding, bias=last)
            )
            if not last:
                stage.append(nn.BatchNorm2d(width))
            self.stages.append(stage.append(nn.LeakyReLU(0.2, inplace=True)))
            channels = width

    def forward(self, images: Tensor) -> list[Tensor]:
        features = [images]
        for stage in self.stages:
            features.append(stage(features[-1]))
        return features[1:]


class Decoder(nn.Module):
    """The way back: features of every resolution, finest first, to images `[B, C, H, W]`.

    Only the coarsest features are read, and the others too where there are skip connections. The
    images are in [-1, 1].
    """

    def __init__(
        self,
        channels: int,
        sides: Sides,
        widths: Sequence[int],
        *,
        skip_connections: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.skip_connections = skip_connections
        self.stages = nn.ModuleList()
        finer = grids(sides, len(widths))[:-1]
        for number in reversed(range(len(widths))):
            fan_in = widths[number]
            if skip_connections and self.stages:
                fan_in *= 2
            if number == 0:
                self.stages.append(nn.Sequential(_to_image(fan_in, channels, sides), nn.Tanh()))
                break
            width = widths[number - 1]
            stage = nn.Sequential(
                _transposed(fan_in, width, finer[number], bias=False), nn.BatchNorm2d(width)
            )
            if dropout:
                stage.append(nn.Dropout(dropout))
            self.stages.append(stage.append(nn.ReLU(inplace=True)))

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        grid, *finer = reversed(features)
        for number, stage in enumerate(self.stages):
            if self.skip_connections and number > 0:
                grid = torch.cat([grid, finer[number - 1]], 1)
            grid = stage(grid)
        return grid


class ToVector(nn.Module):
    """Features `[B, width, h, w]` to vectors `[B, size]`, unbounded."""

    def __init__(self, width: int, sides: Sides, size: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width * sides[0] * sides[1], size)

    def forward(self, features: Tensor) -> Tensor:
        # Flattened with the channels last: no copy of a channels-last tensor.
        vectors: Tensor = self.linear(features.permute(0, 2, 3, 1).flatten(1))
        return vectors


class FromVector(nn.Module):
    """Vectors `[B, size]` to features `[B, width, h, w]`."""

    def __init__(self, size: int, width: int, sides: Sides) -> None:
        super().__init__()
        self.sides = sides
        self.linear = nn.Linear(size, width * sides[0] * sides[1])

    def forward(self, vectors: Tensor) -> Tensor:
        grid: Tensor = self.linear(vectors).relu().unflatten(1, (*self.sides, -1))
        return grid.permute(0, 3, 1, 2)


def grids(sides: Sides, halvings: int) -> list[Sides]:
    """The sides of the image and of what each halving leaves of it, finest first.

    Raises ValueError where a side would be halved that is 1 already.
    """
    found = [sides]
    for number in range(halvings):
        if 1 in found[-1]:
            raise ValueError(
                f"images of {sides[0]} x {sides[1]} can be halved {number} times, and widths has "
                f"{halvings} numbers"
            )
        found.append(((found[-1][0] + 1) // 2, (found[-1][1] + 1) // 2))
    return found


def _padding(finer: Sides) -> Sides:
    return 1 + finer[0] % 2, 1 + finer[1] % 2


def _transposed(fan_in: int, width: int, finer: Sides, *, bias: bool) -> nn.Module:
    """From features `[B, fan_in, ceil(h / 2), ceil(w / 2)]` to `[B, width, h, w]`."""
    return nn.ConvTranspose2d(
        fan_in,
        width,
        KERNEL,
        stride=2,
        padding=_padding(finer),
        output_padding=(finer[0] % 2, finer[1] % 2),
        bias=bias,
    )


def _to_image(width: int, channels: int, sides: Sides) -> nn.Module:
    """The layer before the image: the one that is quick for its number of channels."""
    return PatchesToImage(width, sides) if channels == 1 else ToImage(width, channels, sides)
