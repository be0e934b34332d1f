"""The header of our safetensors files: read and checked without torch."""

from __future__ import annotations

import json
import math
import os
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from ganforge.errors import CheckpointError, NewerFormatError, OtherKindError
from ganforge.printable import printable
from ganforge.storage.files import open_regular

CHECKPOINT = "checkpoint"  # the kind of file that a run goes on from
GENERATOR = "generator"  # the kind of file that holds a trained generator
FORMAT_VERSION = 1
METADATA_KEY = "ganforge"
CHECKSUM_KEY = "ganforge_header_crc32"
NO_CHECKSUM = "0" * 8
#: fifty thousand tensors or so; what JSON of this size becomes in memory stays below 300 MB
MAX_HEADER_BYTES = 10_000_000
#: bytes of a number, by the types that safetensors files hold
TYPE_BYTES = {
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3"), 1),
    **dict.fromkeys(("U16", "I16", "F16", "BF16"), 2),
    **dict.fromkeys(("U32", "I32", "F32"), 4),
    **dict.fromkeys(("U64", "I64", "F64", "C64"), 8),
}


_CHECKSUM_AT = f'"{CHECKSUM_KEY}":"'.encode()  # what stands before the checksum


@dataclass(frozen=True, kw_only=True)
class Header:
    """A header that passes every check: the JSON document, and where the tensors lie.

    `entries` are those of safetensors, by name; `start` is the first byte after the header.
    """

    document: dict[str, Any]
    entries: dict[str, Any]
    start: int

    def checksums(self, path: Path) -> dict[str, int]:
        """The crc32 of every tensor by its name. Raises CheckpointError where some have none."""
        found = self.document.get("crc32")
        if not isinstance(found, dict) or found.keys() != self.entries.keys():
            raise damaged(path, "its list of tensors does not match")
        return found


def damaged(path: Path, why: str) -> CheckpointError:
    """The error of a file that was right once."""
    return CheckpointError(f"{printable(path)} is damaged: {why}")


def check_tensor(path: Path, name: str, checksum: int, stored: Mapping[str, int]) -> None:
    """Raise CheckpointError where a tensor is not what it was when it was written."""
    if checksum != stored[name]:
        raise damaged(path, f"the checksum of {printable(name)} does not match")


def places_of(entries: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    """The first byte of each tensor behind the header, and the first one after it, in their order.

    Raises ValueError for entries that do not lie one after another, or are incomplete.
    """
    found: dict[str, tuple[int, int]] = {}
    try:
        for name, entry in entries.items():
            begin, end = entry["data_offsets"]
            sides = entry["shape"]
            if any(type(it) is not int or it < 0 for it in (begin, end, *sides)):
                raise ValueError(f"{name} has a place or a shape that is none")
            if end - begin != math.prod(sides) * TYPE_BYTES[entry["dtype"]]:
                raise ValueError(f"the place of {name} has another size than its shape")
            found[name] = (begin, end)
    except (KeyError, TypeError) as error:
        raise ValueError("an entry of its header is incomplete") from error
    in_order = dict(sorted(found.items(), key=lambda it: it[1]))
    reached = 0
    for name, (begin, end) in in_order.items():
        if begin != reached:
            raise ValueError(f"{name} does not begin where the one before ends")
        reached = end
    return in_order


@contextmanager
def sound_description(where: str) -> Iterator[None]:
    """Read within it what a document says: one that is not as we write them is CheckpointError.

    A checksum that fits says that nothing happened to a file, and not who made it.
    """
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise CheckpointError(f"{where} is damaged: its description is incomplete") from error


def read_document(path: Path, kind: str) -> dict[str, Any]:
    """The JSON document of a file, without its tensors. Raises CheckpointError."""
    with opened(path, kind) as (_, header):
        return header.document


@contextmanager
def opened(path: Path, kind: str | None) -> Iterator[tuple[BinaryIO, Header]]:
    """A file of this kind, or of any, and its header, which passes every check.

    Raises CheckpointError, which names the file, also for what cannot be read later on.
    """
    try:
        with open_regular(path) as file:
            size = os.fstat(file.fileno()).st_size
            yield file, _header(file.read(8), file.read, size, path, kind)
    except OSError as error:
        raise CheckpointError(
            f"{printable(path)} cannot be read: {error.strerror or error}"
        ) from error


def _header(length: bytes, read: Any, size: int, path: Path, kind: str | None) -> Header:
    """The header, from the first bytes alone: a foreign file is never read whole."""
    shown = printable(path)
    foreign = CheckpointError(f"{shown} is not a ganforge {kind or 'file of tensors'}")
    header_size = int.from_bytes(length, "little")
    if len(length) < 8 or not 2 <= header_size <= min(MAX_HEADER_BYTES, size - 8):
        raise foreign
    raw = read(header_size)
    # Before it is parsed: a header of a hundred megabytes would take ten times that as objects.
    place = raw.find(_CHECKSUM_AT)
    if place < 0:
        raise foreign
    if not _is_signed(raw, place + len(_CHECKSUM_AT)):
        raise damaged(path, "the checksum of its header does not match")
    try:
        header = json.loads(raw)
        document = json.loads(header.pop("__metadata__")[METADATA_KEY])
        found, version = document["kind"], document["format"]
        end = max((int(entry["data_offsets"][1]) for entry in header.values()), default=0)
    except (
        *(ValueError, KeyError, TypeError, AttributeError),
        *(IndexError, OverflowError, RecursionError),
    ) as error:
        raise foreign from error
    if kind is not None and found != kind:
        raise OtherKindError(f"{shown} is a ganforge {printable(found)}, not a {kind}")
    if not isinstance(version, int) or version > FORMAT_VERSION:
        raise NewerFormatError(
            f"{shown} was made by a newer ganforge (format {printable(version)}; this one reads up "
            f"to {FORMAT_VERSION}); upgrade ganforge to use it"
        )
    if size != 8 + header_size + end:
        raise CheckpointError(
            f"{shown} is truncated or damaged: {size:,} bytes instead of {8 + header_size + end:,}"
        )
    return Header(document=document, entries=header, start=8 + header_size)


def _is_signed(header: bytes, place: int) -> bool:
    """True where the checksum at this place is that of the text with zeros in its place."""
    end = place + len(NO_CHECKSUM)
    text = memoryview(header)
    checksum = zlib.crc32(text[end:], zlib.crc32(NO_CHECKSUM.encode(), zlib.crc32(text[:place])))
    return header[place:end] == f"{checksum:08x}".encode()


def signed(header: bytes) -> bytes:
    """The header's text with its checksum, which is that of the text with zeros in its place."""
    unsigned = _CHECKSUM_AT + NO_CHECKSUM.encode()
    return header.replace(unsigned, _CHECKSUM_AT + f"{zlib.crc32(header):08x}".encode(), 1)
