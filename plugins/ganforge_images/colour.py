"""From the many modes an image can have to eight bits of grey or colour, upright and opaque."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_SIXTEEN_BITS = 65535.0
# The ranges that floating-point images are written in. The narrowest that holds every value is
# taken, since the file does not tell.
_FLOAT_RANGES = (1.0, 255.0, _SIXTEEN_BITS)
_ORIENTATION = 0x0112
# Formats whose EXIF data stands in `info`, itself or within XMP.
_WITH_INFO = ("PNG", "JPEG", "GIF", "BMP", "PPM")
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def eight_bit(image: Image.Image) -> Image.Image:
    """A loaded image in mode L, RGB or RGBA.

    Sixteen-bit and floating-point greys are scaled to [0, 255], where Pillow's own conversion cuts
    them off. Raises ValueError for values outside every known range.
    """
    if image.mode.startswith("I;16"):
        return _scaled_grey(image, _SIXTEEN_BITS)
    if image.mode in ("I", "F"):
        values = np.asarray(image)
        low, high = float(values.min()), float(values.max())
        # Written so that NaN, of which every comparison is false, is refused.
        if not (low >= 0 and high <= _SIXTEEN_BITS):
            raise ValueError(f"values from {low:g} to {high:g}, outside the range 0 to 65535")
        # Integers are sixteen bits wide however dark the image.
        ranges = _FLOAT_RANGES if image.mode == "F" else (_SIXTEEN_BITS,)
        return _scaled_grey(image, next(top for top in ranges if high <= top))
    if image.has_transparency_data:
        return image.convert("RGBA")
    if image.mode in ("L", "RGB"):
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def upright(image: Image.Image, source: Image.Image) -> Image.Image:
    """The image turned as the EXIF data of `source`, the loaded file, tells."""
    # Looking for it takes longer than decoding a small file, so where there can be none: not.
    if source.format in _WITH_INFO and not any(_tells_orientation(key) for key in source.info):
        return image
    try:
        orientation = source.getexif().get(_ORIENTATION)
    except Exception:  # damaged metadata; the picture can be had without
        return image
    turn = _UPRIGHT.get(orientation) if isinstance(orientation, int) else None
    return image if turn is None else image.transpose(turn)


def _tells_orientation(key: object) -> bool:
    return isinstance(key, str) and any(word in key.lower() for word in ("exif", "xmp"))


def flattened(image: Image.Image, background: tuple[int, int, int]) -> Image.Image:
    """The image in mode L or RGB, its transparent pixels laid over the background colour."""
    if image.mode != "RGBA":
        return image
    canvas = Image.new("RGB", image.size, background)
    canvas.paste(image, mask=image.getchannel("A"))
    return canvas


def _scaled_grey(image: Image.Image, top: float) -> Image.Image:
    values = np.asarray(image)
    grey = Image.fromarray(_rounded(values, 255 / top))
    # A PNG may name one grey that is transparent.
    key = image.info.get("transparency")
    if not isinstance(key, int):
        return grey
    colour = grey.convert("RGB")
    colour.putalpha(Image.fromarray(np.where(values == key, 0, 255).astype(np.uint8)))
    return colour


def _rounded(values: NDArray[np.generic], factor: float) -> NDArray[np.uint8]:
    scaled = values.astype(np.float32) * np.float32(factor)
    rounded: NDArray[np.uint8] = np.rint(scaled, out=scaled).astype(np.uint8)
    return rounded
