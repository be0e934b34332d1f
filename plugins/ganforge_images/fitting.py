"""Fitting of an image of any proportions to the size of the run."""

from __future__ import annotations

from typing import Literal

from PIL import Image

Fit = Literal["crop", "stretch", "pad"]

# Shrinks in two steps, the first by a whole factor: several times faster, hardly a value differs.
_GAP = 3.0


def fitted(
    image: Image.Image, size: tuple[int, int], fit: Fit, background: tuple[int, int, int]
) -> Image.Image:
    """An image in mode L or RGB at `size` (width, height), scaled by an antialiased bicubic filter.

    `crop` scales so that the image covers the size and keeps the centre, `stretch` scales each side
    by itself, `pad` scales so that all of it is seen and fills up with the background colour.
    """
    if image.size == size:
        return image
    if fit == "pad":
        return _padded(image, size, background)
    whole = (0.0, 0.0, float(image.width), float(image.height))
    return _scaled(image, size, _centre(image, size) if fit == "crop" else whole)


def _centre(image: Image.Image, size: tuple[int, int]) -> tuple[float, float, float, float]:
    """The largest box in the middle of the image that has the proportions of `size`."""
    shrink = min(image.width / size[0], image.height / size[1])
    width, height = size[0] * shrink, size[1] * shrink
    left, top = (image.width - width) / 2, (image.height - height) / 2
    # Rounding must not push the box over the edge, where Pillow refuses it.
    return (
        max(left, 0.0),
        max(top, 0.0),
        min(left + width, float(image.width)),
        min(top + height, float(image.height)),
    )


def _padded(
    image: Image.Image, size: tuple[int, int], background: tuple[int, int, int]
) -> Image.Image:
    scale = min(size[0] / image.width, size[1] / image.height)
    width = min(size[0], max(1, round(image.width * scale)))
    height = min(size[1], max(1, round(image.height * scale)))
    inner = _scaled(image, (width, height), (0.0, 0.0, float(image.width), float(image.height)))
    if (width, height) == size:
        return inner
    canvas = Image.new("RGB", size, background)
    canvas.paste(inner, ((size[0] - width) // 2, (size[1] - height) // 2))
    return canvas


def _scaled(
    image: Image.Image, size: tuple[int, int], box: tuple[float, float, float, float]
) -> Image.Image:
    return image.resize(size, Image.Resampling.BICUBIC, box=box, reducing_gap=_GAP)
