"""The bytes of tensors: read from their places in a file, and checksummed, several at once.

Both let go of Python's lock. A checksum runs at about a gigabyte a second, which would otherwise be
most of the time that a file takes, and whoever reads into the tensors themselves holds them once.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, BinaryIO

import torch
from torch import Tensor

from ganforge.storage.tensor_header import places_of

THREADS = min(4, os.cpu_count() or 1)
_PIECE = 2**20  # bytes that are read and checksummed while they are in a core's cache

#: the types that safetensors files hold, by the names that they have there
TYPES = {
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
_OF_NAME = {name: dtype for dtype, name in TYPES.items()}


def bytes_of(tensor: Tensor) -> memoryview:
    """The bytes of a contiguous tensor on the CPU, as they are in memory."""
    return tensor.reshape(-1).view(torch.uint8).numpy().data


def checksums(stored: Mapping[str, Tensor]) -> dict[str, int]:
    """The crc32 of each of contiguous tensors on the CPU."""
    with ThreadPoolExecutor(THREADS, "ganforge-checksums") as pool:
        found = pool.map(lambda tensor: zlib.crc32(bytes_of(tensor)), stored.values())
        return dict(zip(stored, found, strict=True))


def read_tensors(
    file: BinaryIO, entries: Mapping[str, Any], start: int
) -> Iterator[tuple[str, Tensor, int]]:
    """The name, the tensor and the crc32 of each entry of a safetensors header.

    `start` is where the first byte after the header lies. Raises ValueError, before anything is
    read, for entries that do not lie one after another, and EOFError where the file ends too soon.
    """
    places = places_of(entries)
    tensors = {
        name: torch.empty(end - begin, dtype=torch.uint8) for name, (begin, end) in places.items()
    }

    def read(name: str) -> int:
        return _read(file, bytes_of(tensors[name]), start + places[name][0])

    # Positions of a file are shared where a read cannot name its own.
    with ThreadPoolExecutor(THREADS if hasattr(os, "preadv") else 1, "ganforge-read") as pool:
        for name, checksum in zip(tensors, pool.map(read, tensors), strict=True):
            entry = entries[name]
            tensor = tensors[name].view(_OF_NAME[entry["dtype"]]).reshape(entry["shape"])
            yield name, tensor, checksum


def _read(file: BinaryIO, buffer: memoryview, position: int) -> int:
    """Fill the buffer from a position of the file, and give the checksum of it."""
    checksum = done = 0
    while done < len(buffer):
        piece = buffer[done : done + _PIECE]
        if hasattr(os, "preadv"):
            num = os.preadv(file.fileno(), [piece], position + done)
        else:
            file.seek(position + done)
            num = file.readinto(piece)  # type: ignore[attr-defined]
        if not num:
            raise EOFError("it ends before its tensors do")
        checksum = zlib.crc32(piece[:num], checksum)
        done += num
    return checksum
