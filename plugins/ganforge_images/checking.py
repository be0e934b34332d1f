"""Reads every file of a set once, before training, so that none can fail a run hours later."""

from __future__ import annotations

import io
import os
import zlib
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .decoding import (
    DecodingError,
    NoHalvesError,
    Target,
    decode,
    needs_room,
    one_large,
    probe,
)
from .headers import Header, plain_header
from .listing import Entry, ImageFiles

READ_ERRORS = (DecodingError, OSError)
_AT_ONCE, _AHEAD = 32, 2  # files of a task of the threads, and tasks for each; bounds what waits
_SMALL = 2**20  # bytes; such a file is read whole, and its checksum is of all of it
_TAIL = 16_384  # bytes at the end of a larger one, which its checksum is of


class Checked(NamedTuple):
    """Result for one file: a failure, or a header, a checksum and perhaps the pixels by field."""

    failure: str | None = None
    no_halves: bool = False
    too_small: bool = False
    several_frames: bool = False
    checksum: int = 0
    pixels: Mapping[str, NDArray[np.uint8]] | None = None

    @property
    def sound(self) -> bool:
        return self.failure is None and not self.too_small


@dataclass(frozen=True, kw_only=True)
class Checker:
    """Reads one file; called by several threads at once.

    `targets` are what a file becomes, by field. Without `keep`, a file is decoded only where its
    header does not rule out damage, or where it is to be halved.
    """

    files: ImageFiles
    targets: Mapping[str, Target]
    minimum_size: int
    keep: bool

    def __call__(self, entry: Entry) -> Checked:
        try:
            if entry.size <= _SMALL:
                data = self.files.read(entry.name)
                return self._check(io.BytesIO(data), plain_header(data), zlib.crc32(data))
            with (
                one_large if needs_room(entry.size) else nullcontext(),
                self.files.open(entry.name) as stream,
            ):
                stream.seek(max(0, stream.seek(0, 2) - _TAIL))
                return self._check(stream, None, zlib.crc32(stream.read()))
        except READ_ERRORS as error:
            return Checked(failure=reason(error), no_halves=isinstance(error, NoHalvesError))

    def _check(self, stream: BinaryIO, header: Header | None, checksum: int) -> Checked:
        targets, limit = self._targets, self._targets[0].max_pixels
        if header is None or header.width * header.height > limit:  # which raises
            header = probe(stream, limit)
        width = header.width // 2 if self._halved else header.width
        if min(width, header.height) < self.minimum_size:
            return Checked(too_small=True)
        pixels = None
        if self.keep or self._halved or not header.checked:
            pixels = dict(zip(self.targets, decode(stream, targets), strict=True))
        return Checked(
            several_frames=header.several_frames,
            checksum=checksum,
            pixels=pixels if self.keep else None,
        )

    @cached_property
    def _targets(self) -> list[Target]:
        return [*self.targets.values()]

    @cached_property
    def _halved(self) -> bool:
        return any(it.half for it in self._targets)

    def several(self, entries: Sequence[Entry]) -> list[Checked]:
        """The results of a task, since handing over each file costs as much as reading it."""
        return [self(entry) for entry in entries]


def in_threads(checker: Checker, entries: Sequence[Entry]) -> Iterator[Checked]:
    """The results, in the order of the entries. Pillow decodes without Python's lock held."""
    num_threads = min(8, os.cpu_count() or 1)
    ahead: deque[Future[list[Checked]]] = deque()
    pool = ThreadPoolExecutor(num_threads, "ganforge-decode")
    try:
        for start in range(0, len(entries), _AT_ONCE):
            ahead.append(pool.submit(checker.several, entries[start : start + _AT_ONCE]))
            if len(ahead) == _AHEAD * num_threads:
                yield from ahead.popleft().result()
        while ahead:
            yield from ahead.popleft().result()
    finally:
        # Also where a signal ends the scan, which does not wait for the files that are ahead.
        pool.shutdown(wait=False, cancel_futures=True)


def reason(error: BaseException) -> str:
    """The reason for an error, without the path: the message names that as the user knows it."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(str(error).split())[:200] or type(error).__name__
