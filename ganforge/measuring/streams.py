"""`Stream`: many samples of one kind, read a few at a time, the same each time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from torch import Tensor

from ganforge.contracts import Batch

PART = 64  # samples in memory at a time, where nobody reads all of them

#: told what is being read, how much of it was, and how much there is
Progress: TypeAlias = Callable[[str, int, int], None]


def no_progress(what: str, done: int, total: int) -> None:
    """Nobody is told."""


@dataclass(frozen=True, kw_only=True)
class Stream:
    """N samples of one kind, and what belongs to them.

    `read(start, num)` gives a part of them, on the device; parts begin at multiples of PART.
    `name` is what messages call them. `key` is text from which all samples follow, where there is
    such: features are then found again without the samples being made. Otherwise they are found by
    what the samples are, unless it is not worth it (`cached`): samples of a network that changes.
    `read_others` gives the fields besides the samples, where they are to be had without these.
    """

    name: str
    num: int
    read: Callable[[int, int], Batch]
    key: str | None = None
    cached: bool = True
    read_others: Callable[[int, int], Mapping[str, Tensor]] | None = None

    def parts(self, start: int = 0, end: int | None = None) -> Iterator[Batch]:
        """Samples `start` to `end`, part by part."""
        stop = self.num if end is None else min(end, self.num)
        for first in range(start, stop, PART):
            yield self.read(first, min(PART, stop - first))
