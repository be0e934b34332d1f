"""Finished pictures and arrays as the bytes of PNG, GIF, APNG and NumPy files."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import numpy
from PIL import Image
from torch import Tensor

from ganforge.pictures.suffixes import ANIMATIONS

PICTURE_CHANNELS = (1, 3, 4)  # grey, RGB, and RGB with opacity


def encode_png(picture: Tensor) -> bytes:
    """A uint8 picture `[H, W, C]`, with 1, 3 or 4 channels, as PNG."""
    buffer = io.BytesIO()
    _image(picture).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def encode_animation(frames: Sequence[Tensor], suffix: str, milliseconds: int) -> bytes:
    """uint8 pictures `[H, W, C]` of one size, each shown so long, over and over.

    `.apng` keeps every colour; `.gif` has 256 to a frame, and counts time in hundredths of a
    second.
    """
    first, *others = [_image(frame) for frame in frames]
    buffer = io.BytesIO()
    first.save(
        buffer,
        ANIMATIONS[suffix],
        save_all=True,
        append_images=others,
        duration=milliseconds,
        loop=0,
    )
    return buffer.getvalue()


def encode_arrays(arrays: Mapping[str, Tensor]) -> bytes:
    """Arrays by name as a NumPy file that is read without pickle."""
    buffer = io.BytesIO()
    plain = {name: tensor.detach().cpu().numpy() for name, tensor in arrays.items()}
    numpy.savez(buffer, allow_pickle=False, **plain)
    return buffer.getvalue()


def _image(picture: Tensor) -> Image.Image:
    pixels = picture.numpy()
    return Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
