"""What became of every file of a set of images, and how the user is told."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field

from ganforge import DataError

from .listing import LeftOut, Listing

_NAMED = 5  # files that a message names before it counts the rest
_LONGEST = 120


@dataclass(kw_only=True)
class Census:
    """The names of the files that were left out or need a word, by kind."""

    root: str
    num_kept: int = 0
    unreadable: list[LeftOut] = field(default_factory=list)
    too_small: list[str] = field(default_factory=list)
    several_frames: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, root: str, listing: Listing) -> Census:
        return cls(root=root, unreadable=list(listing.left_out), other=listing.other)

    def report(self, *, strict: bool, minimum_size: int, stacklevel: int) -> None:
        """Warns, once for each kind. Raises DataError where nothing is left, or if `strict`."""
        self.unreadable.sort(key=lambda left_out: left_out.name.split("/"))
        where = shown(self.root)
        if self.unreadable and strict:
            raise DataError(
                f"{_count(len(self.unreadable), 'file')} in {where} cannot be read: "
                f"{self._reasons()}. dataset.strict = false leaves such files out"
            )
        if not self.num_kept:
            raise DataError(self._nothing_left())
        notes = []
        if self.unreadable:
            total = self.num_kept + len(self.unreadable) + len(self.too_small)
            notes.append(
                f"left out {len(self.unreadable):,} of {_count(total, 'file')} in {where} that "
                f"cannot be read: {self._reasons()}"
            )
        if self.too_small:
            notes.append(
                f"left out {_count(len(self.too_small), 'image')} in {where} smaller than "
                f"minimum_size = {minimum_size}: {named(self.too_small)}"
            )
        if self.several_frames:
            notes.append(
                f"took the first frame of {_count(len(self.several_frames), 'file')} in {where} "
                f"that hold several: {named(self.several_frames)}"
            )
        for note in notes:
            warnings.warn(note, stacklevel=stacklevel + 1)

    def others_line(self) -> str:
        """`; 3 other files ignored`, or nothing; to follow the number of samples."""
        return f"; {_count(len(self.other), 'other file')} ignored" if self.other else ""

    def _reasons(self) -> str:
        return _listed([f"{shown(file.name)} ({file.reason})" for file in self.unreadable])

    def _nothing_left(self) -> str:
        found = len(self.unreadable) + len(self.too_small)
        text = f"no image in {shown(self.root)} can be used: found {_count(found, 'image file')}"
        if self.unreadable:
            text += f", {len(self.unreadable):,} unreadable: {self._reasons()}"
        if self.too_small:
            text += f", {len(self.too_small):,} too small: {named(self.too_small)}"
        if self.other:
            text += f"; {_count(len(self.other), 'other file')}: {named(self.other)}"
        return text


def shown(name: str) -> str:
    """A file's name, quoted, with line breaks, escapes and stray bytes made visible."""
    return repr(name if len(name) <= _LONGEST else f"{name[: _LONGEST - 40]}...{name[-37:]}")


def named(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    return _listed([shown(name) for name in names])


def _listed(items: Sequence[str]) -> str:
    more = f" and {len(items) - _NAMED:,} more" if len(items) > _NAMED else ""
    return ", ".join(items[:_NAMED]) + more


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
