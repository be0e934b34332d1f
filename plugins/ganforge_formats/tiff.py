"""TIFF files of any number of bands, 8-bit, 16-bit or float32: what Pillow cannot write."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

import numpy
from numpy.typing import NDArray

_SHORT, _LONG = 3, 4  # types of a tag's values
_BYTES = {_SHORT: 2, _LONG: 4}
_LARGEST = 2**32 - 1  # bytes: offsets have 32 bits


def encode_tiff(images: Iterable[NDArray[numpy.generic]], num: int) -> Iterator[bytes]:
    """`num` images `[H, W, C]`, uint8, uint16 or float32, page by page of a TIFF, not compressed.

    Three and four channels of integers are RGB and RGB with opacity, one channel is grey, and all
    others are bands without a meaning. Raises ValueError where the file would be longer than 4 GiB.
    """
    position = 8
    for number, image in enumerate(images):
        if number == 0:
            most = _LARGEST // (image.nbytes + 1024)
            if num > most:
                raise ValueError(
                    f"a TIFF file holds at most 4 GiB, which is {most:,} of these samples; write "
                    "fewer, or .npz"
                )
            yield b"II" + struct.pack("<HI", 42, 8)
        page = _page(image, position, last=number == num - 1)
        position += len(page)
        yield page


def _page(image: NDArray[numpy.generic], position: int, *, last: bool) -> bytes:
    """The directory of a page, the values that do not fit into it, and the pixels."""
    height, width, channels = image.shape
    little = image.astype(image.dtype.newbyteorder("<"), copy=False)
    body = numpy.ascontiguousarray(little).tobytes()
    integers = image.dtype.kind == "u"
    colours = 3 if integers and channels in (3, 4) else 1
    tags: dict[int, tuple[int, list[int]]] = {
        256: (_LONG, [width]),
        257: (_LONG, [height]),
        258: (_SHORT, [8 * image.dtype.itemsize] * channels),
        259: (_SHORT, [1]),  # not compressed
        262: (_SHORT, [2 if colours == 3 else 1]),  # RGB, or 0 is black
        273: (_LONG, [0]),  # where the pixels begin: filled in below
        277: (_SHORT, [channels]),
        278: (_LONG, [height]),
        279: (_LONG, [len(body)]),
        284: (_SHORT, [1]),  # the channels of a pixel stand together
        339: (_SHORT, [1 if integers else 3] * channels),
    }
    if channels > colours:
        tags[338] = (_SHORT, [2 if colours == 3 else 0] * (channels - colours))
    beyond = position + 2 + 12 * len(tags) + 4
    sizes = [_BYTES[kind] * len(values) for kind, values in tags.values()]
    start = beyond + sum(_even(size) for size in sizes if size > 4)
    tags[273] = (_LONG, [start])
    directory, outside = [struct.pack("<H", len(tags))], b""
    for tag, (kind, values) in sorted(tags.items()):
        packed = struct.pack(f"<{len(values)}{'H' if kind == _SHORT else 'I'}", *values)
        if len(packed) > 4:
            place = struct.pack("<I", beyond + len(outside))
            outside += packed.ljust(_even(len(packed)), b"\0")
        else:
            place = packed.ljust(4, b"\0")
        directory.append(struct.pack("<HHI", tag, kind, len(values)) + place)
    padded = body.ljust(_even(len(body)), b"\0")
    following = 0 if last else start + len(padded)
    return b"".join([*directory, struct.pack("<I", following), outside, padded])


def _even(size: int) -> int:
    """Every offset is a multiple of two."""
    return size + size % 2
