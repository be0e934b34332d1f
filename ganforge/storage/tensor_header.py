"""The header of our safetensors files: read and checked without torch."""

from __future__ import annotations

import json
import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ganforge.errors import CheckpointError, NewerFormatError, OtherKindError
from ganforge.printable import printable

GENERATOR = "generator"  # the kind of file that holds a trained generator
FORMAT_VERSION = 1
METADATA_KEY = "ganforge"
CHECKSUM_KEY = "ganforge_header_crc32"
NO_CHECKSUM = "0" * 8
#: fifty thousand tensors or so; what JSON of this size becomes in memory stays below 300 MB
MAX_HEADER_BYTES = 10_000_000


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
    return read_with_header(path, kind, whole=False)[0]


def read_with_header(path: Path, kind: str, *, whole: bool) -> tuple[dict[str, Any], bytes]:
    """The JSON document of a file whose header passes every check, and the `whole` file as bytes.

    Without `whole` the bytes are empty. Raises CheckpointError, which names the file.
    """
    try:
        with os.fdopen(_open_without_waiting(path), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise CheckpointError(f"{printable(path)} is not a regular file")
            document = _header(file.read(8), file.read, status.st_size, path, kind)
            file.seek(0)
            return document, file.read() if whole else b""
    except OSError as error:
        raise CheckpointError(
            f"{printable(path)} cannot be read: {error.strerror or error}"
        ) from error


def _header(length: bytes, read: Any, size: int, path: Path, kind: str) -> dict[str, Any]:
    """The JSON document, from the first bytes alone: a foreign file is never read whole."""
    shown = printable(path)
    foreign = CheckpointError(f"{shown} is not a ganforge {kind}")
    header_size = int.from_bytes(length, "little")
    if len(length) < 8 or not 2 <= header_size <= min(MAX_HEADER_BYTES, size - 8):
        raise foreign
    try:
        raw = read(header_size)
        header = json.loads(raw)
        document = json.loads(header["__metadata__"][METADATA_KEY])
        checksum = header["__metadata__"][CHECKSUM_KEY]
        found, version = document["kind"], document["format"]
        end = max(
            (
                int(entry["data_offsets"][1])
                for name, entry in header.items()
                if name != "__metadata__"
            ),
            default=0,
        )
    except (ValueError, KeyError, TypeError, IndexError, OverflowError, RecursionError) as error:
        raise foreign from error
    if signed(_replaced(raw, checksum, NO_CHECKSUM)) != raw:
        raise CheckpointError(f"{shown} is damaged: the checksum of its header does not match")
    if found != kind:
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
    result: dict[str, Any] = document
    return result


def _replaced(header: bytes, old: str, new: str) -> bytes:
    """The header's text with another value of its checksum."""
    return header.replace(
        f'"{CHECKSUM_KEY}":"{old}"'.encode(), f'"{CHECKSUM_KEY}":"{new}"'.encode(), 1
    )


def signed(header: bytes) -> bytes:
    """The header's text with its checksum, which is that of the text with zeros in its place."""
    return _replaced(header, NO_CHECKSUM, f"{zlib.crc32(header):08x}")


def _open_without_waiting(path: Path) -> int:
    # Opening a FIFO would otherwise wait for a writer.
    return os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
