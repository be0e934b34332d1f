"""Samples as pictures: grids, PNG files and animations."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torch.nn.functional import interpolate

from ganforge.printable import printable
from ganforge.storage.files import write_atomically

PICTURE_CHANNELS = (1, 3, 4)  # grey, RGB, and RGB with opacity

_GAP = 2  # pixels between the cells of a grid
_MARGIN = 6  # pixels on both sides of a caption
_CAPTION_LENGTH = 24  # letters
_SMALLEST_TEXT, _LARGEST_TEXT = 8, 18  # font sizes


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
    return ragged_grid(torch.split(samples, columns), captions)


def ragged_grid(rows: Sequence[Tensor], captions: Sequence[str] | None = None) -> Tensor:
    """Rows of samples, each `[B, C, H, W]` with a B of its own, as uint8 `[H', W', C]`."""
    images = [to_bytes(row) for row in rows]
    _, height, width, channels = images[0].shape
    columns = max(map(len, images))
    sheet = torch.zeros(
        len(rows) * (height + _GAP) + _GAP,
        columns * (width + _GAP) + _GAP,
        channels,
        dtype=torch.uint8,
    )
    for row, cells in enumerate(images):
        top = row * (height + _GAP) + _GAP
        for column, image in enumerate(cells):
            left = column * (width + _GAP) + _GAP
            sheet[top : top + height, left : left + width] = image
    if captions is None:
        return sheet
    margin = _caption_column(captions, len(sheet), _GAP, height)
    return torch.cat([margin[:, :, None].expand(-1, -1, channels), sheet], dim=1)


def _caption_column(captions: Sequence[str], total: int, top: int, height: int) -> Tensor:
    """White on black texts `[total, W]`, uint8, the first centred on the row that begins at `top`.

    `height` is that of a row; W is what the longest text takes.
    """
    size = min(max(height // 2, _SMALLEST_TEXT), _LARGEST_TEXT)
    font = ImageFont.load_default(size)
    texts = [printable(caption, _CAPTION_LENGTH) for caption in captions]
    width = math.ceil(max(font.getlength(text) for text in texts)) + 2 * _MARGIN
    canvas = Image.new("L", (width, total))
    draw = ImageDraw.Draw(canvas)
    for row, text in enumerate(texts):
        middle = top + row * (height + _GAP) + height / 2
        draw.text((width - _MARGIN, middle), text, fill=255, font=font, anchor="rm")
    return torch.frombuffer(bytearray(canvas.tobytes()), dtype=torch.uint8).view(total, width)


def beside(*batches: Tensor) -> Tensor:
    """Batches `[B, C, H, W]` as one, `[B, C', H', W']`: image i of each, from left to right.

    What a generator was fed, what it made of it and what is real make one cell of a grid this way.
    C' is the largest number of channels and H' the largest height: smaller images are enlarged
    pixel by pixel. Channels beyond colour that the last batch does not have, a mask for one, are
    left out.
    """
    last = batches[-1].shape[1]
    pictures = [batch[:, : _picture_channels(batch.shape[1], last)] for batch in batches]
    channels = max(picture.shape[1] for picture in pictures)
    height = max(picture.shape[2] for picture in pictures)
    gap = torch.full((len(batches[0]), channels, height, 1), -1.0)
    edge = gap.expand(-1, -1, -1, _GAP)  # what belongs together stands closer than cells do
    cell = [edge]
    for picture in pictures:
        cell += [_enlarged(_with_channels(picture.detach().float().cpu(), channels), height), gap]
    return torch.cat([*cell[:-1], edge], dim=3)


def before_and_after(inputs: Tensor, outputs: Tensor, real: Tensor) -> tuple[Tensor, ...]:
    """What to show `beside` each other of a generator fed with images.

    Input, output and real image; the last is left out where it is the input.
    """
    same = inputs.shape == real.shape and torch.equal(inputs, real)
    return (inputs, outputs) if same else (inputs, outputs, real)


def _picture_channels(own: int, last: int) -> int:
    """How many of an image's channels are a picture beside one with `last` channels."""
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


def encode_png(image: Tensor) -> bytes:
    """A uint8 image `[H, W, C]`, with 1, 3 or 4 channels, as PNG."""
    buffer = io.BytesIO()
    _picture(image).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def encode_animation(
    frames: Sequence[Tensor], form: Literal["gif", "apng"], milliseconds: int
) -> bytes:
    """uint8 images `[H, W, C]` of one shape, each shown so long, over and over.

    APNG keeps every colour; GIF has 256 to a frame, and counts time in hundredths of a second.
    """
    first, *others = [_picture(frame) for frame in frames]
    buffer = io.BytesIO()
    first.save(
        buffer,
        "GIF" if form == "gif" else "PNG",
        save_all=True,
        append_images=others,
        duration=milliseconds,
        loop=0,
    )
    return buffer.getvalue()


def save_png(path: Path, image: Tensor) -> None:
    write_atomically(path, [encode_png(image)])


def can_be_shown(sample_shape: tuple[int, ...]) -> bool:
    """Whether samples of this shape are images that a PNG can hold."""
    return len(sample_shape) == 3 and sample_shape[0] in PICTURE_CHANNELS


def _picture(image: Tensor) -> Image.Image:
    pixels = image.numpy()
    return Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
