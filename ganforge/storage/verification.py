"""Verification of our safetensors files in constant memory, without torch: checksums and numbers.

What `tensor_file.read` checks of a file that is loaded is checked here of one that need not be.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

from .tensor_header import check_tensor, damaged, opened, places_of

CHUNK = 1 << 20  # bytes; a multiple of every size of a number

#: width in bytes of a float, and the bits of its exponent, all of them set where it is not finite
_EXPONENTS = {
    "F16": (2, 0x7C00),
    "BF16": (2, 0x7F80),
    "F32": (4, 0x7F80_0000),
    "C64": (4, 0x7F80_0000),
    "F64": (8, 0x7FF0_0000_0000_0000),
}


@dataclass(frozen=True, kw_only=True)
class NotFinite:
    """Counts of the numbers of a tensor that are NaN, and that are infinite."""

    nan: int
    infinite: int


@dataclass(frozen=True, kw_only=True)
class Verified:
    """A file whose every checksum matches.

    `not_finite` has the tensors with numbers that are NaN or infinite.
    """

    kind: str
    document: dict[str, Any]
    size: int
    num_tensors: int
    not_finite: dict[str, NotFinite]

    @property
    def checksums(self) -> dict[str, int]:
        """The crc32 of every tensor by its name."""
        found: dict[str, int] = self.document["crc32"]
        return found


def verify(path: Path, kind: str | None = None) -> Verified:
    """Read a file of this kind, or of any, and check all that it says of itself.

    Raises CheckpointError, which names the file.
    """
    with opened(path, kind) as (file, header):
        checksums = header.checksums(path)
        try:
            places = places_of(header.entries)
        except ValueError as error:
            raise damaged(path, "its tensors do not lie as it says") from error
        not_finite: dict[str, NotFinite] = {}
        end = header.start
        for name, place in places.items():
            start, end = (header.start + it for it in place)
            dtype = header.entries[name]["dtype"]
            checksum, numbers = _checked(file, dtype, start, end - start)
            check_tensor(path, name, checksum, checksums)
            if numbers.nan or numbers.infinite:
                not_finite[name] = numbers
    return Verified(
        kind=str(header.document["kind"]),
        document=header.document,
        size=end,
        num_tensors=len(header.entries),
        not_finite=not_finite,
    )


def _checked(file: BinaryIO, dtype: str, start: int, size: int) -> tuple[int, NotFinite]:
    """The crc32 of a tensor, and how many of its numbers are not finite."""
    file.seek(start)
    checksum = nan = infinite = 0
    while size > 0 and (chunk := file.read(min(size, CHUNK))):
        size -= len(chunk)
        checksum = zlib.crc32(chunk, checksum)
        if dtype in _EXPONENTS:
            found = _not_finite(chunk, dtype)
            nan += found.nan
            infinite += found.infinite
    return checksum, NotFinite(nan=nan, infinite=infinite)


def _not_finite(chunk: bytes, dtype: str) -> NotFinite:
    """Count the numbers of a chunk that are not finite.

    All at once, in one integer: to an exponent whose bits are all set its lowest bit is added, and
    that alone is carried into the place of the sign. Of those, a number whose fraction is not 0 is
    NaN: all that a fraction can hold is added, which is carried into the exponent's lowest bit.
    """
    masks = _masks(dtype, len(chunk))
    numbers = int.from_bytes(chunk, "little")
    marked = ((numbers & masks.exponents) + masks.lowest) & masks.signs
    if not marked:
        return NotFinite(nan=0, infinite=0)
    fractions = ((numbers & masks.fractions) + masks.fractions) & masks.lowest
    nan = (marked & fractions << masks.exponent_width).bit_count()
    return NotFinite(nan=nan, infinite=marked.bit_count() - nan)


@dataclass(frozen=True, kw_only=True)
class _Masks:
    """The bits of each number in a chunk, and the width of an exponent."""

    exponents: int
    lowest: int
    fractions: int
    signs: int
    exponent_width: int


@lru_cache(maxsize=4)
def _masks(dtype: str, size: int) -> _Masks:
    """The masks for so many bytes of a type."""
    width, exponent = _EXPONENTS[dtype]
    lowest = exponent & -exponent

    def repeated(part: int) -> int:
        return int.from_bytes(part.to_bytes(width, "little") * (size // width), "little")

    return _Masks(
        exponents=repeated(exponent),
        lowest=repeated(lowest),
        fractions=repeated(lowest - 1),
        signs=repeated(1 << 8 * width - 1),
        exponent_width=exponent.bit_count(),
    )
