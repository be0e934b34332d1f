"""safetensors files with checksums and JSON metadata: the only form in which tensors are stored.

The metadata of a file holds one JSON document under the key `ganforge`, with the kind of file, the
format version and a crc32 of every tensor, and a crc32 of the header itself: safetensors notices no
flipped bit in a body, and few in a header. Reading checks everything before anything is believed,
and loads nothing that could run.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from ganforge.errors import CheckpointError
from ganforge.printable import printable
from ganforge.storage.files import write_atomically
from ganforge.storage.tensor_header import (
    CHECKSUM_KEY,
    FORMAT_VERSION,
    MAX_HEADER_BYTES,
    METADATA_KEY,
    NO_CHECKSUM,
    read_with_header,
    signed,
)


def write(path: Path, kind: str, tensors: Mapping[str, Tensor], document: dict[str, Any]) -> None:
    """Write tensors and a JSON document as one file, atomically. Raises CheckpointError."""
    stored = storable(tensors)
    header = {
        **document,
        "kind": kind,
        "format": FORMAT_VERSION,
        "crc32": {name: _checksum(tensor) for name, tensor in stored.items()},
    }
    body = safetensors.torch.save(
        stored, {METADATA_KEY: json.dumps(header), CHECKSUM_KEY: NO_CHECKSUM}
    )
    size = 8 + int.from_bytes(body[:8], "little")
    if size > MAX_HEADER_BYTES:
        raise CheckpointError(
            f"{printable(path)} cannot be written: the description of its {len(stored):,} tensors "
            f"takes more than {MAX_HEADER_BYTES:,} bytes"
        )
    try:
        write_atomically(path, [body[:8], signed(body[8:size]), memoryview(body)[size:]])
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
    document, body = read_with_header(path, kind, whole=True)
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


def storable(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
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
