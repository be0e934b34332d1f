"""Samples as pictures: PNG files and grids."""

from __future__ import annotations

import io
import math
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from .files import write_atomically

_GAP = 2  # pixels between the samples of a grid


def to_bytes(samples: Tensor) -> Tensor:
    """Images in [-1, 1] to uint8 `[B, H, W, C]` on the CPU, rounded to the nearest level."""
    levels = samples.detach().float().add(1.0).mul(127.5).round().clamp(0.0, 255.0)
    return levels.to(torch.uint8).permute(0, 2, 3, 1).contiguous().cpu()


def grid(samples: Tensor, columns: int | None = None) -> Tensor:
    """Samples `[B, C, H, W]` side by side as uint8 `[H', W', C]`; square where it can be."""
    images = to_bytes(samples)
    count, height, width, channels = images.shape
    columns = columns or math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    sheet = torch.zeros(
        rows * (height + _GAP) + _GAP, columns * (width + _GAP) + _GAP, channels, dtype=torch.uint8
    )
    for number, image in enumerate(images):
        row, column = divmod(number, columns)
        top, left = row * (height + _GAP) + _GAP, column * (width + _GAP) + _GAP
        sheet[top : top + height, left : left + width] = image
    return sheet


def encode_png(image: Tensor) -> bytes:
    """A uint8 image `[H, W, C]`, with 1, 3 or 4 channels, as PNG."""
    pixels = image.numpy()
    buffer = io.BytesIO()
    Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(
        buffer, "PNG", compress_level=1
    )
    return buffer.getvalue()


def save_png(path: Path, image: Tensor) -> None:
    write_atomically(path, [encode_png(image)])


def can_be_shown(sample_shape: tuple[int, ...]) -> bool:
    """Whether samples of this shape are images that a PNG can hold."""
    return len(sample_shape) == 3 and sample_shape[0] in (1, 3, 4)
