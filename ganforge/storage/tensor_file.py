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
    METADATA_KEY,
    NO_CHECKSUM,
    read_with_header,
    signed,
)


def write(path: Path, kind: str, tensors: Mapping[str, Tensor], document: dict[str, Any]) -> None:
    """Write tensors and a JSON document as one file, atomically. Raises CheckpointError."""
    stored = storable(tensors)
    contents = {
        **document,
        "kind": kind,
        "format": FORMAT_VERSION,
        "crc32": _checksums(stored),
    }
    header = signed(_header(path, stored, contents))
    length = len(header).to_bytes(8, "little")
    try:
        write_atomically(path, [length, header, *map(_bytes, stored.values())])
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
    stored = document.get("crc32")
    if not isinstance(stored, dict) or stored.keys() != tensors.keys():
        raise CheckpointError(f"{printable(path)} is damaged: its list of tensors does not match")
    for name, checksum in _checksums(tensors).items():
        if checksum != stored[name]:
            raise CheckpointError(
                f"{printable(path)} is damaged: the checksum of {printable(name)} does not match"
            )
    return tensors, document


def _header(path: Path, stored: Mapping[str, Tensor], contents: dict[str, Any]) -> bytes:
    """The header, unsigned yet, of tensors that lie one after another in this order."""
    metadata = {CHECKSUM_KEY: NO_CHECKSUM, METADATA_KEY: json.dumps(contents)}
    entries: dict[str, Any] = {"__metadata__": metadata}
    end = 0
    for name, tensor in stored.items():
        if tensor.dtype not in _TYPES:
            raise CheckpointError(
                f"{printable(path)} cannot be written: {printable(name)} holds {tensor.dtype}, "
                "which safetensors files cannot"
            )
        start, end = end, end + tensor.nbytes
        entries[name] = {
            "dtype": _TYPES[tensor.dtype],
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


def _bytes(tensor: Tensor) -> memoryview:
    return tensor.reshape(-1).view(torch.uint8).numpy().data


def checksums(tensors: Mapping[str, Tensor]) -> dict[str, int]:
    """The crc32 of each tensor, by which two files are known to hold the same."""
    return _checksums(storable(tensors))


def _checksums(stored: Mapping[str, Tensor]) -> dict[str, int]:
    return {name: zlib.crc32(_bytes(tensor)) for name, tensor in stored.items()}


#: the types that safetensors files hold, by the names that they have there
_TYPES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.complex64: "C64",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint64: "U64",
    torch.uint32: "U32",
    torch.uint16: "U16",
    torch.uint8: "U8",
    torch.bool: "BOOL",
    torch.float8_e4m3fn: "F8_E4M3",
    torch.float8_e5m2: "F8_E5M2",
}
