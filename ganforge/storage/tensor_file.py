"""safetensors files with checksums and JSON metadata: the only form in which tensors are stored.

The metadata of a file holds one JSON document under the key `ganforge`, with the kind of file, the
format version and a crc32 of every tensor, and a crc32 of the header itself: safetensors notices no
flipped bit in a body, and few in a header. Reading checks everything before anything is believed,
and loads nothing that could run.

The bytes of a file follow from what is in it: the library writes metadata in another order each
time, so the header is written here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from ganforge.errors import CheckpointError
from ganforge.printable import printable
from ganforge.storage import tensor_bytes
from ganforge.storage.files import write_atomically
from ganforge.storage.tensor_bytes import TYPES, bytes_of, read_tensors
from ganforge.storage.tensor_header import (
    CHECKSUM_KEY,
    FORMAT_VERSION,
    MAX_HEADER_BYTES,
    METADATA_KEY,
    NO_CHECKSUM,
    check_tensor,
    damaged,
    opened,
    signed,
)


def write(path: Path, kind: str, tensors: Mapping[str, Tensor], document: dict[str, Any]) -> None:
    """Write tensors and a JSON document as one file, atomically. Raises CheckpointError."""
    stored = storable(tensors)
    contents = {
        **document,
        "kind": kind,
        "format": FORMAT_VERSION,
        "crc32": tensor_bytes.checksums(stored),
    }
    header = signed(_header(path, stored, contents))
    if len(header) > MAX_HEADER_BYTES:
        raise CheckpointError(
            f"{printable(path)} cannot be written: the description of its {len(stored):,} tensors "
            f"takes more than {MAX_HEADER_BYTES:,} bytes"
        )
    length = len(header).to_bytes(8, "little")
    try:
        write_atomically(path, [length, header, *map(bytes_of, stored.values())])
    except OSError as error:
        raise CheckpointError(
            f"{printable(path)} cannot be written: {error.strerror or error}. What was there "
            "before is untouched"
        ) from error


def read(path: Path, kind: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors, on the CPU, and the JSON document of a file that passes every check.

    It is read into the memory of the tensors, since a memory map turns a truncation by someone else
    into a crash. Raises CheckpointError, which names the file.
    """
    tensors: dict[str, Tensor] = {}
    with opened(path, kind) as (file, header):
        stored = header.checksums(path)
        try:
            for name, tensor, checksum in read_tensors(file, header.entries, header.start):
                check_tensor(path, name, checksum, stored)
                tensors[name] = tensor
        except (ValueError, EOFError) as error:
            raise damaged(path, printable(error)) from error
        return tensors, header.document


def _header(path: Path, stored: Mapping[str, Tensor], contents: dict[str, Any]) -> bytes:
    """The header, unsigned yet, of tensors that lie one after another in this order."""
    metadata = {CHECKSUM_KEY: NO_CHECKSUM, METADATA_KEY: json.dumps(contents)}
    entries: dict[str, Any] = {"__metadata__": metadata}
    end = 0
    for name, tensor in stored.items():
        if tensor.dtype not in TYPES:
            raise CheckpointError(
                f"{printable(path)} cannot be written: {printable(name)} holds {tensor.dtype}, "
                "which safetensors files cannot"
            )
        start, end = end, end + tensor.nbytes
        entries[name] = {
            "dtype": TYPES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [start, end],
        }
    header = json.dumps(entries, separators=(",", ":")).encode()
    return header + b" " * (-len(header) % 8)


def storable(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Contiguous copies on the CPU; tensors that share memory are stored apart.

    The widest types come first, so that each tensor begins at a multiple of its own width.
    """
    stored: dict[str, Tensor] = {}
    seen: set[int] = set()
    for name, tensor in sorted(tensors.items(), key=lambda it: (-it[1].element_size(), it[0])):
        copy = tensor.detach().cpu().contiguous()
        if copy.untyped_storage().data_ptr() in seen:
            copy = copy.clone()
        seen.add(copy.untyped_storage().data_ptr())
        stored[name] = copy
    return stored


def checksums(tensors: Mapping[str, Tensor]) -> dict[str, int]:
    """The crc32 of each tensor, by which two files are known to hold the same."""
    return tensor_bytes.checksums(storable(tensors))
