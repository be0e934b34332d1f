"""Images side by side: grids with captions, and cells that are made of several images."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from .lettering import caption_column

GAP = 2  # pixels between the cells of a grid
_SMALLEST_TEXT, _LARGEST_TEXT = 8, 18  # font sizes of captions
_LIGHT_TEXT = 13  # the largest in a light picture, whose cells have text themselves


def to_bytes(samples: Tensor) -> Tensor:
    """Images in [-1, 1] to uint8 `[B, H, W, C]` on the CPU, rounded to the nearest level."""
    levels = samples.detach().float().add(1.0).mul(127.5).round().clamp(0.0, 255.0)
    return levels.to(torch.uint8).permute(0, 2, 3, 1).contiguous().cpu()


def grid(
    samples: Tensor, columns: int | None = None, captions: Sequence[str] | None = None
) -> Tensor:
    """Samples `[B, C, H, W]` side by side as uint8 `[H', W', C]`; square where it can be.

    `captions` has one text per row, which is written in a margin on the left.
    """
    columns = columns or math.ceil(math.sqrt(len(samples)))
    return sheet(torch.split(to_bytes(samples), columns), captions)


def sheet(
    rows: Sequence[Tensor],
    captions: Sequence[str] | None = None,
    *,
    dark: bool = True,
    gap: int = GAP,
) -> Tensor:
    """Rows of cells, each uint8 `[B, H, W, C]` with a B of its own, as uint8 `[H', W', C]`.

    What lies between the cells is black where the picture is `dark`, else white.
    """
    _, height, width, channels = rows[0].shape
    columns = max(map(len, rows))
    ground = torch.full(
        (len(rows) * (height + gap) + gap, columns * (width + gap) + gap, channels),
        0 if dark else 255,
        dtype=torch.uint8,
    )
    for row, cells in enumerate(rows):
        top = row * (height + gap) + gap
        for column, cell in enumerate(cells):
            left = column * (width + gap) + gap
            ground[top : top + height, left : left + width] = cell
    if captions is None:
        return ground
    largest = _LARGEST_TEXT if dark else _LIGHT_TEXT
    size = min(max(height // 2, _SMALLEST_TEXT), largest)
    margin = caption_column(captions, len(ground), gap + height / 2, height + gap, size, dark)
    return torch.cat([margin[:, :, None].expand(-1, -1, channels), ground], dim=1)


def beside(*batches: Tensor) -> Tensor:
    """Batches `[B, C, H, W]` as one, `[B, C', H', W']`: image i of each, from left to right.

    What a generator was fed, what it made of it and what is real make one cell of a grid this way.
    They are made `alike`.
    """
    pictures = alike(*batches)
    _, channels, height, _ = pictures[0].shape
    gap = torch.full((len(batches[0]), channels, height, 1), -1.0)
    edge = gap.expand(-1, -1, -1, GAP)  # what belongs together stands closer than cells do
    cell = [edge]
    for picture in pictures:
        cell += [picture, gap]
    return torch.cat([*cell[:-1], edge], dim=3)


def alike(*batches: Tensor) -> list[Tensor]:
    """Batches `[B, C, H, W]` with as many channels and the same height, float32 on the CPU.

    These are the largest number of channels and the largest height: smaller images are enlarged
    pixel by pixel. Channels beyond colour that the last batch does not have, a mask for one, are
    left out.
    """
    last = batches[-1].shape[1]
    pictures = [batch[:, : _picture_channels(batch.shape[1], last)] for batch in batches]
    channels = max(picture.shape[1] for picture in pictures)
    height = max(picture.shape[2] for picture in pictures)
    return [
        _enlarged(_with_channels(it.detach().float().cpu(), channels), height) for it in pictures
    ]


def _picture_channels(own: int, last: int) -> int:
    """The number of an image's channels that are shown beside a picture with `last` channels."""
    if own == last:
        return own
    return 3 if own >= 3 else 1


def _with_channels(images: Tensor, channels: int) -> Tensor:
    """Grey images `[B, 1, H, W]` in colour; colours made opaque beside images that may not be."""
    colours = min(channels, 3)
    if images.shape[1] == 1:
        images = images.expand(-1, colours, -1, -1)
    missing = channels - images.shape[1]
    opaque = images.new_ones(len(images), missing, *images.shape[2:])
    return torch.cat([images, opaque], dim=1)


def _enlarged(images: Tensor, height: int) -> Tensor:
    size = (height, round(images.shape[3] * height / images.shape[2]))
    return interpolate(images, size, mode="nearest-exact")
