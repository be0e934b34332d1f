"""Reason why a file is no image that is read: another format, or a variant of a known one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

from PIL import TiffImagePlugin

# How files of formats begin, at which byte, and what they are called.
_BEGINNINGS = (
    (0, b"\x89PNG\r\n\x1a\n", "PNG"),
    (0, b"\xff\xd8\xff", "JPEG"),
    (0, b"GIF8", "GIF"),
    (0, b"BM", "BMP"),
    (0, b"8BPS", "Photoshop"),
    (0, b"%PDF", "PDF"),
    (0, b"%!PS", "PostScript"),
    (0, b"<svg", "SVG"),
    (4, b"ftyphe", "HEIC"),
    (4, b"ftypmif", "HEIF"),
    (4, b"ftypavif", "AVIF"),
    (4, b"ftyp", "MP4"),
    (4, b"jP  ", "JPEG 2000"),
    (0, b"\xff\x0a", "JPEG XL"),
    (8, b"WEBP", "WebP"),
    (0, b"\x76\x2f\x31\x01", "OpenEXR"),
    (0, b"<!DOCTYPE", "HTML"),
    (0, b"<html", "HTML"),
)
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_BITS, _BANDS, _SAMPLES = 258, 277, 339
_NUMBERS = {1: "unsigned integers", 2: "signed integers", 3: "floats", 5: "complex numbers"}


def unidentified(stream: BinaryIO, formats: Sequence[str]) -> str:
    """The reason why a file could not be opened as any of the formats."""
    stream.seek(0)
    head = stream.read(16)
    if head.startswith(_TIFF):
        return f"a TIFF file of a kind that is not read{_numbers_of_tiff(stream, head)}"
    for at, beginning, name in _BEGINNINGS:
        if head[at:].startswith(beginning):
            if name.upper() in formats:
                return f"a {name} file that is damaged or of a kind that is not read"
            return f"a file of the format {name}, which is not read"
    return f"not an image in one of the formats {', '.join(formats)}"


def _numbers_of_tiff(stream: BinaryIO, head: bytes) -> str:
    """`: 3 bands of 64-bit floats`; nothing where the file does not tell."""
    try:
        tags = TiffImagePlugin.ImageFileDirectory_v2(head[:8])
        stream.seek(tags.next)
        tags.load(stream)
        bands, kinds = tags.get(_BANDS, 1), tags.get(_SAMPLES, (1,))
        bits = tags.get(_BITS, (1,))[0]
        numbers = f"{bits}-bit {_NUMBERS.get(kinds[0], 'numbers')}"
    except Exception:  # of damaged data, as in decoding.py
        return ""
    counted = f"{bands} band{'' if bands == 1 else 's'} of {numbers}"
    return f": {counted}; save it with 8 or 16 bits, or one band of 32-bit floats"
