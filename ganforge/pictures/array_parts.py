"""Arrays of more samples than memory has room for, as a NumPy file that is written as they come."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from typing import IO, Any

import numpy
from torch import Tensor

_PIECE = 2**24  # bytes that are held in memory at once


def encode_array_parts(parts: Iterable[Mapping[str, Tensor]], num: int) -> Iterator[bytes]:
    """An `.npz` piece by piece, of `num` samples whose arrays come in parts.

    The first array goes straight into the file; the others, which follow it there, wait in a
    temporary file where they are large. Raises ValueError where a part has other arrays than the
    first, or the parts together are not `num` samples.
    """
    with ExitStack() as stack:
        stream = _Stream()
        archive = stack.enter_context(zipfile.ZipFile(stream, "w"))
        waiting: dict[str, IO[bytes]] = {}
        first: IO[bytes] | None = None
        layout: dict[str, tuple[Any, ...]] = {}
        count = 0
        for part in parts:
            arrays = {name: tensor.detach().cpu().numpy() for name, tensor in part.items()}
            found = {name: (it.dtype, it.shape[1:]) for name, it in arrays.items()}
            if first is None:
                layout = found
                name, *others = arrays
                first = stack.enter_context(_member(archive, name))
                _write_header(first, num, *layout[name])
                waiting = {it: stack.enter_context(_waiting_room()) for it in others}
            lengths = {len(it) for it in arrays.values()}
            if found != layout or len(lengths) != 1:
                raise ValueError(f"its arrays are {_shown(arrays)} in one part of the samples")
            count += lengths.pop()
            for name, array in arrays.items():
                waiting.get(name, first).write(numpy.ascontiguousarray(array).tobytes())
            yield from stream.taken()
        if first is None or count != num:
            raise ValueError(f"its arrays have {count} samples, and not {num}")
        first.close()
        for name, room in waiting.items():
            with _member(archive, name) as member:
                _write_header(member, num, *layout[name])
                room.seek(0)
                while piece := room.read(_PIECE):
                    member.write(piece)
                    yield from stream.taken()
        archive.close()
        yield from stream.taken()


class _Stream(io.RawIOBase):
    """A file that is only written to, and what was written since it was last asked."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, piece: Any) -> int:
        self._pieces.append(bytes(piece))
        return len(self._pieces[-1])

    def taken(self) -> list[bytes]:
        pieces, self._pieces = self._pieces, []
        return pieces


def _member(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    # Its length is not known yet, so it may be more than 4 GiB.
    return archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True)


def _waiting_room() -> IO[bytes]:
    return tempfile.SpooledTemporaryFile(max_size=_PIECE)


def _write_header(file: IO[bytes], num: int, dtype: Any, shape: tuple[int, ...]) -> None:
    description = numpy.lib.format.dtype_to_descr(dtype)
    header = {"descr": description, "fortran_order": False, "shape": (num, *shape)}
    numpy.lib.format.write_array_header_1_0(file, header)


def _shown(arrays: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {list(it.shape)}" for name, it in arrays.items())
