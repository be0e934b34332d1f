"""Reads every file of a set once, before training, so that none can fail a run hours later."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .decoding import DecodingError, Header, Target, decode, needs_room, one_large, probe
from .listing import Entry, ImageFiles

READ_ERRORS = (DecodingError, OSError)
_AHEAD = 64  # files handed to the threads at a time; bounds what waits to be stored


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What was found of one file: a failure, or a header and perhaps the pixels."""

    failure: str | None = None
    header: Header | None = None
    too_small: bool = False
    pixels: NDArray[np.uint8] | None = None


@dataclass(frozen=True, kw_only=True)
class Checker:
    """Reads one file; called by several threads at once.

    Without `keep`, a file is decoded only where its header does not rule out damage.
    """

    files: ImageFiles
    target: Target
    minimum_size: int
    keep: bool

    def __call__(self, entry: Entry) -> Checked:
        try:
            with (
                one_large if needs_room(entry.size) else nullcontext(),
                self.files.open(entry.name) as stream,
            ):
                header = probe(stream, self.target)
                if min(header.width, header.height) < self.minimum_size:
                    return Checked(header=header, too_small=True)
                if self.keep:
                    return Checked(header=header, pixels=decode(stream, self.target))
                if not header.checked:
                    decode(stream, self.target)
                return Checked(header=header)
        except READ_ERRORS as error:
            return Checked(failure=reason(error))


def in_threads(checker: Checker, entries: Iterable[Entry]) -> Iterator[Checked]:
    """What was found, in the order of the entries. Pillow decodes without Python's lock held."""
    ahead: deque[Future[Checked]] = deque()
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1), "ganforge-decode") as pool:
        for entry in entries:
            ahead.append(pool.submit(checker, entry))
            if len(ahead) == _AHEAD:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def reason(error: BaseException) -> str:
    """What went wrong, without the path, which the message around it names as the user knows it."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(str(error).split())[:200] or type(error).__name__
