"""safetensors files with checksums and JSON metadata: the only form in which tensors are stored.

The metadata of a file holds one JSON document under the key `ganforge`, with the kind of file, the
format version and a crc32 of every tensor, and a crc32 of the header itself: safetensors notices no
flipped bit in a body, and few in a header. Reading checks everything before anything is believed,
and loads nothing that could run.
"""

from __future__ import annotations

import json
import os
import stat
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from ganforge.errors import CheckpointError, NewerFormatError, OtherKindError
from ganforge.printable import printable
from ganforge.storage.files import write_atomically

FORMAT_VERSION = 1
METADATA_KEY = "ganforge"
CHECKSUM_KEY = "ganforge_header_crc32"
_NO_CHECKSUM = "0" * 8
MAX_HEADER_BYTES = 100_000_000


def write(path: Path, kind: str, tensors: Mapping[str, Tensor], document: dict[str, Any]) -> None:
    """Write tensors and a JSON document as one file, atomically. Raises CheckpointError."""
    stored = _storable(tensors)
    header = {
        **document,
        "kind": kind,
        "format": FORMAT_VERSION,
        "crc32": {name: _checksum(tensor) for name, tensor in stored.items()},
    }
    body = safetensors.torch.save(
        stored, {METADATA_KEY: json.dumps(header), CHECKSUM_KEY: _NO_CHECKSUM}
    )
    size = 8 + int.from_bytes(body[:8], "little")
    try:
        write_atomically(path, [body[:8], _signed(body[8:size]), memoryview(body)[size:]])
    except OSError as error:
        raise CheckpointError(
            f"{printable(path)} cannot be written: {error.strerror or error}. What was there "
            "before is untouched"
        ) from error


def read(path: Path, kind: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors, on the CPU, and the JSON document of a file that passes every check.

    The file is read into memory, since a memory map turns a truncation by someone else into a
    crash. Raises CheckpointError, which names the file.
    """
    try:
        with os.fdopen(_open_without_waiting(path), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise CheckpointError(f"{printable(path)} is not a regular file")
            document = _header(file.read(8), file.read, status.st_size, path, kind)
            file.seek(0)
            body = file.read()
    except OSError as error:
        raise CheckpointError(
            f"{printable(path)} cannot be read: {error.strerror or error}"
        ) from error
    try:
        tensors = safetensors.torch.load(body)
    except (SafetensorError, ValueError, KeyError, RuntimeError, TypeError) as error:
        raise CheckpointError(f"{printable(path)} is damaged: {printable(error)}") from error
    checksums = document.get("crc32")
    if not isinstance(checksums, dict) or checksums.keys() != tensors.keys():
        raise CheckpointError(f"{printable(path)} is damaged: its list of tensors does not match")
    for name, tensor in tensors.items():
        if _checksum(tensor) != checksums[name]:
            raise CheckpointError(
                f"{printable(path)} is damaged: the checksum of {printable(name)} does not match"
            )
    return tensors, document


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
    if _signed(_replaced(raw, checksum, _NO_CHECKSUM)) != raw:
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


def _signed(header: bytes) -> bytes:
    """The header's text with its checksum, which is that of the text with zeros in its place."""
    return _replaced(header, _NO_CHECKSUM, f"{zlib.crc32(header):08x}")


def _storable(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Contiguous copies on the CPU; tensors that share memory are stored apart."""
    stored: dict[str, Tensor] = {}
    seen: set[int] = set()
    for name, tensor in tensors.items():
        copy = tensor.detach().cpu().contiguous()
        if copy.untyped_storage().data_ptr() in seen:
            copy = copy.clone()
        seen.add(copy.untyped_storage().data_ptr())
        stored[name] = copy
    return stored


def _checksum(tensor: Tensor) -> int:
    return zlib.crc32(tensor.reshape(-1).view(torch.uint8).numpy().data)


def _open_without_waiting(path: Path) -> int:
    # Opening a FIFO would otherwise wait for a writer.
    return os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
