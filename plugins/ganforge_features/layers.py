"""Convolutions over sequences, images, videos and voxels alike, by the number of axes."""

from __future__ import annotations

from torch import nn

SIDE = 8  # of the map that convolutions with a stride lead to
POOLED = 4  # side of the map that a last layer sees

#: number of axes -> the layer
CONVOLUTION: dict[int, type[nn.Module]] = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
POOLING: dict[int, type[nn.Module]] = {
    1: nn.AdaptiveAvgPool1d,
    2: nn.AdaptiveAvgPool2d,
    3: nn.AdaptiveAvgPool3d,
}
NORMALISATION: dict[int, type[nn.Module]] = {
    1: nn.BatchNorm1d,
    2: nn.BatchNorm2d,
    3: nn.BatchNorm3d,
}


def widths(shape: tuple[int, ...], first: int, most: int = 128) -> list[int]:
    """Channels of the convolutions with stride 2 that bring samples to a side of 8.

    There is one at least; each has twice the channels of the one before, and `most` at most.
    """
    side, found = max(shape[1:]), [min(first, most)]
    while side > 2 * SIDE:
        found.append(min(found[-1] * 2, most))
        side = -(-side // 2)
    return found
