"""Headers of PNG and JPEG files that are plainly sound, read several times faster than by Pillow.

Whatever is unusual is left to Pillow, which then says what is wrong; so nothing is taken here that
it would refuse.
"""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

_END_OF_JPEG = b"\xff\xd9"
TAIL = 4096  # bytes; cameras append data behind the end marker

_CHUNK = struct.Struct(">I4s")
_CHECKSUM = struct.Struct(">I")
_IMAGE_HEADER = struct.Struct(">2I5B")
# Bits and colour type, as PNG allows them.
_PNG_FORMS = {
    **{(bits, 0): True for bits in (1, 2, 4, 8, 16)},
    **{(bits, 3): True for bits in (1, 2, 4, 8)},
    **{(bits, colour): True for bits in (8, 16) for colour in (2, 4, 6)},
}
# Chunks that have no bearing on whether a file can be read.
_PLAIN_CHUNKS = frozenset((b"PLTE", b"gAMA", b"cHRM", b"sRGB", b"pHYs", b"tIME", b"sBIT", b"bKGD"))
_MOST_TEXT = 65_536
_SEGMENT = struct.Struct(">2BH")
_FRAME = struct.Struct(">B2HB")
_START_OF_SCAN, _TABLES, _FIRST_APPLICATION, _SEVERAL_IMAGES = 0xDA, 0xDB, 0xE0, 0xE2
_FRAMES = frozenset((0xC0, 0xC1, 0xC2))
# Huffman tables, restart interval, comment, and what applications add.
_PASSED_OVER = frozenset((0xC4, 0xDD, 0xFE, *range(0xE0, 0xF0)))


class Header(NamedTuple):
    """Facts known before pixels are decoded.

    `checked` says that damage, cut-off data above all, would have been noticed.
    """

    width: int
    height: int
    several_frames: bool
    checked: bool


def plain_header(data: bytes) -> Header | None:
    """The header of a whole file that is a plain PNG or JPEG; None where Pillow is to look."""
    try:
        size = _png(data) if data.startswith(b"\x89PNG\r\n\x1a\n") else _jpeg(data)
    except (struct.error, IndexError):  # cut off
        return None
    if size is None or 0 in size:
        return None
    return Header(width=size[0], height=size[1], several_frames=False, checked=True)


def has_end_of_jpeg(tail: bytes) -> bool:
    return _END_OF_JPEG in tail


def _png(data: bytes) -> tuple[int, int] | None:
    """Width and height, where every checksum is right and no chunk is unusual."""
    view, at, kinds = memoryview(data), 8, set[bytes]()
    width = height = colour = 0
    while True:
        length, kind = _CHUNK.unpack_from(data, at)
        end = at + 8 + length
        if zlib.crc32(view[at + 4 : end]) != _CHECKSUM.unpack_from(data, end)[0]:
            return None
        if not kinds:
            if kind != b"IHDR" or length != _IMAGE_HEADER.size:
                return None
            width, height, bits, colour, *ways = _IMAGE_HEADER.unpack_from(data, at + 8)
            packing, filtering, interlaced = ways
            if (bits, colour) not in _PNG_FORMS or packing or filtering or interlaced > 1:
                return None
        elif kind == b"IEND":
            whole = b"IDAT" in kinds and (colour != 3 or b"PLTE" in kinds)
            return (width, height) if whole else None
        elif kind == b"tEXt":
            if length > _MOST_TEXT:
                return None
        elif kind != b"IDAT" and kind not in _PLAIN_CHUNKS:
            return None
        kinds.add(kind)
        at = end + 4


def _jpeg(data: bytes) -> tuple[int, int] | None:
    """Width and height of a grey or coloured picture, where the end is there."""
    if not data.startswith(b"\xff\xd8\xff") or not has_end_of_jpeg(data[-TAIL:]):
        return None
    at, size, tables = 2, None, False
    while True:
        mark, kind, length = _SEGMENT.unpack_from(data, at)
        start, end = at + 4, at + 2 + length
        if mark != 0xFF or length < 2:
            return None
        if kind == _START_OF_SCAN:
            return size if tables and end <= len(data) else None
        if kind in _FRAMES:
            bits, height, width, bands = _FRAME.unpack_from(data, start)
            if size is not None or bits != 8 or bands not in (1, 3) or length != 8 + 3 * bands:
                return None
            size = (width, height)
        elif kind == _TABLES:
            # Tables of 64 values of one byte, each after a byte that says which it is.
            if (length - 2) % 65 or any(data[it] > 3 for it in range(start, end, 65)):
                return None
            tables = True
        elif (
            kind not in _PASSED_OVER
            or (kind == _FIRST_APPLICATION and length < 16)
            or (kind == _SEVERAL_IMAGES and data.startswith(b"MPF\0", start))
        ):
            return None
        at = end
