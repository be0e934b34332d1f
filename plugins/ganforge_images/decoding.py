"""One image file, from bytes to pixels; whatever is wrong with it is one kind of error.

Nothing in a file is trusted: only a short list of formats is tried, by content and not by name, the
number of pixels is checked before any is decoded, and every failure becomes `DecodingError`. Colour
profiles are ignored; of an animation or a document of several pages the first frame is taken.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from .colour import eight_bit, flattened, upright
from .fitting import Fit, fitted
from .headers import TAIL, Header, has_end_of_jpeg
from .unidentified import unidentified

# Pillow knows formats whose reader starts a program (EPS); none of them is here.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM")
_LARGE = 16_000_000  # pixels, or bytes of a file
_TOLERANCE = 0.05  # of the proportions of a picture that is halved; cropped sides, rounded sizes

#: Held while something large is read or decoded, so that threads do not multiply its memory.
one_large = threading.RLock()


class DecodingError(Exception):
    """A file that is not an image we can read; the message is the reason."""


class NoHalvesError(DecodingError):
    """A picture whose proportions are not those of two images side by side."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """Format that every image is brought to: `[height, width, channels]`, fitted as `fit` says.

    `background` is red, green and blue in [0, 255]; an image of more than `max_pixels` is refused.
    With `half` it is that half of a picture that holds two images side by side.
    """

    height: int
    width: int
    channels: int
    fit: Fit
    background: tuple[int, int, int]
    max_pixels: int
    half: Literal["left", "right"] | None = None


def probe(stream: BinaryIO, max_pixels: int) -> Header:
    """The header of an image, and as much of a check for damage as is cheap.

    Raises DecodingError.
    """
    with _open(stream, max_pixels) as image:
        frames, form = bool(getattr(image, "is_animated", False)), image.format
        width, height = image.size
        if form == "PNG":
            image.verify()  # the checksums, which decoding does not look at
            checked = True
        else:
            # WebP's reader refuses what is cut off as soon as it is opened.
            checked = form == "WEBP" or (form in ("JPEG", "MPO") and has_end_of_jpeg(_tail(stream)))
    return Header(width=width, height=height, several_frames=frames, checked=checked)


def decode(stream: BinaryIO, targets: Sequence[Target]) -> list[NDArray[np.uint8]]:
    """The pixels for each target, uint8 `[H, W, C]` of its size.

    The targets of a picture have one background. Raises DecodingError.
    """
    with _open(stream, targets[0].max_pixels) as image:
        size = image.size
        large = size[0] * size[1] > _LARGE
        with one_large if large else nullcontext():
            # JPEG can be decoded at a half to an eighth of its size; twice the target keeps the
            # final resize sharp. The longer side, because the image may yet be turned.
            longer = max(max(it.width * (2 if it.half else 1), it.height) for it in targets)
            image.draft(None, (2 * longer, 2 * longer))
            image.load()
            flat = flattened(upright(eight_bit(image), image), targets[0].background)
            # The size in the file: that of a draft is rounded.
            upright_size = size if flat.size == image.size else (size[1], size[0])
            return [_pixels(_chosen(flat, upright_size, it), it) for it in targets]


def _chosen(image: Image.Image, size: tuple[int, int], target: Target) -> Image.Image:
    """The image, or the half of it that the target is; `size` is its own (width, height)."""
    if target.half is None:
        return image
    wanted = 2 * target.width / target.height
    if abs(size[0] / size[1] / wanted - 1) > _TOLERANCE:
        raise NoHalvesError(f"{size[0]} x {size[1]} pixels")
    middle = max(1, image.width // 2)
    left = 0 if target.half == "left" else image.width - middle
    return image.crop((left, 0, left + middle, image.height))


def _pixels(image: Image.Image, target: Target) -> NDArray[np.uint8]:
    small = fitted(image, (target.width, target.height), target.fit, target.background)
    mode = "L" if target.channels == 1 else "RGB"
    # A copy, because torch warns of arrays that cannot be written to.
    pixels = np.array(small if small.mode == mode else small.convert(mode))
    return pixels.reshape(target.height, target.width, target.channels)


def needs_room(num_bytes: int) -> bool:
    """True if a file of this size is to be read with `one_large` held."""
    return num_bytes > _LARGE


@contextmanager
def quiet_pillow() -> Iterator[None]:
    """Without Pillow's warnings of odd metadata and large images, of which the caller reports.

    Warning filters belong to the process: to be entered once, around the threads that decode.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\b")
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        yield


@contextmanager
def _open(stream: BinaryIO, max_pixels: int) -> Iterator[Image.Image]:
    try:
        _refuse_empty(stream)
        with Image.open(stream, formats=FORMATS) as image:
            _refuse_large(image, max_pixels)
            yield image
    except DecodingError:
        raise
    except UnidentifiedImageError:
        raise DecodingError(unidentified(stream, FORMATS)) from None
    except MemoryError:
        raise DecodingError("it asks for more memory than there is") from None
    # Damaged data surfaces as almost any exception, SyntaxError and struct.error included.
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise DecodingError(reason or type(error).__name__) from error


def _refuse_empty(stream: BinaryIO) -> None:
    if not _length(stream):
        raise DecodingError("the file is empty")
    stream.seek(0)


def _refuse_large(image: Image.Image, max_pixels: int) -> None:
    pixels = image.width * image.height
    if pixels > max_pixels:
        raise DecodingError(f"{pixels:,} pixels, more than max_pixels = {max_pixels:,}")


def _length(stream: BinaryIO) -> int:
    return stream.seek(0, 2)


def _tail(stream: BinaryIO) -> bytes:
    # What lies further back is found by decoding.
    stream.seek(max(0, _length(stream) - TAIL))
    return stream.read()
