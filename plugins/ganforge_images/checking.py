"""Reads every file of a set once, before training, so that none can fail a run hours later."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass

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
from .listing import Entry, ImageFiles

READ_ERRORS = (DecodingError, OSError)
_AHEAD = 64  # files handed to the threads at a time; bounds what waits to be stored


@dataclass(frozen=True, kw_only=True)
class Checked:
    """Result for one file: a failure, or a header and perhaps the pixels by field."""

    failure: str | None = None
    no_halves: bool = False
    too_small: bool = False
    several_frames: bool = False
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
        targets = [*self.targets.values()]
        halved = any(it.half for it in targets)
        try:
            with (
                one_large if needs_room(entry.size) else nullcontext(),
                self.files.open(entry.name) as stream,
            ):
                header = probe(stream, targets[0].max_pixels)
                width = header.width // 2 if halved else header.width
                if min(width, header.height) < self.minimum_size:
                    return Checked(too_small=True)
                pixels = None
                if self.keep or halved or not header.checked:
                    pixels = dict(zip(self.targets, decode(stream, targets), strict=True))
                return Checked(
                    several_frames=header.several_frames, pixels=pixels if self.keep else None
                )
        except READ_ERRORS as error:
            return Checked(failure=reason(error), no_halves=isinstance(error, NoHalvesError))


def in_threads(checker: Checker, entries: Iterable[Entry]) -> Iterator[Checked]:
    """The results, in the order of the entries. Pillow decodes without Python's lock held."""
    ahead: deque[Future[Checked]] = deque()
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1), "ganforge-decode") as pool:
        try:
            for entry in entries:
                ahead.append(pool.submit(checker, entry))
                if len(ahead) == _AHEAD:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            for waiting in ahead:  # nobody waits for those that are not begun, if this is cut
                waiting.cancel()


def reason(error: BaseException) -> str:
    """The reason for an error, without the path: the message names that as the user knows it."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(str(error).split())[:200] or type(error).__name__
