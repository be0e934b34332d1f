"""Census of the files of a set of images: what became of each, and how the user is told."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ganforge import DataError

from .checking import Checked
from .classes import text_of
from .listing import LINK, LeftOut, Listing
from .names import suffix_of

_NAMED = 5  # files that a message names before it counts the rest
_LONGEST = 120


@dataclass(kw_only=True)
class Census:
    """The names of the files that were left out or need a word, by kind.

    `partners` is where the other file of each pair lies. Files `without` one of their name are told
    from those that were sound and are `dropped` with theirs.
    """

    root: str
    partners: str | None = None
    num_kept: int = 0
    unreadable: list[LeftOut] = field(default_factory=list)
    no_halves: list[LeftOut] = field(default_factory=list)
    too_small: list[str] = field(default_factory=list)
    without: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    several_frames: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, root: str, listing: Listing) -> Census:
        return cls(
            root=root,
            unreadable=list(listing.left_out),
            other=listing.other,
            runs=listing.runs,
        )

    def enter(self, name: str, checked: Checked, *, kept: bool) -> None:
        """Note what is to be said of a file; one that is sound may yet be dropped."""
        if checked.failure is not None:
            failed = self.no_halves if checked.no_halves else self.unreadable
            failed.append(LeftOut(name=name, reason=checked.failure))
        elif checked.too_small:
            self.too_small.append(name)
        elif not kept:
            self.dropped.append(name)
        else:
            self.num_kept += 1
            if checked.several_frames:
                self.several_frames.append(name)

    def report(
        self, *, strict: bool, minimum_size: int, proportions: float, stacklevel: int
    ) -> None:
        """Warn, once for each kind. Raises DataError where nothing is left, or if `strict`.

        A picture without halves is always an error; they are `proportions` times as wide as high.
        """
        self.unreadable.sort(key=lambda left_out: left_out.name.split("/"))
        where = shown(self.root)
        if self.no_halves:
            raise DataError(
                f"{_count(len(self.no_halves), 'picture')} in {where} cannot be halved: "
                f"{_reasons(self.no_halves)}. Two images side by side are {proportions:g} times as "
                "wide as they are high here; images by themselves want dataset.split = none"
            )
        if self.unreadable and strict:
            raise DataError(
                f"{_count(len(self.unreadable), 'file')} in {where} cannot be read: "
                f"{_reasons(self.unreadable)}. dataset.strict = false leaves such files out"
            )
        if self.without and strict:
            raise DataError(
                f"{_count(len(self.without), 'image')} in {where} without a partner of the same "
                f"name in {shown(self.partners or '')}: {named(self.without)}. dataset.strict = "
                "false leaves them out"
            )
        if not self.num_kept:
            raise DataError(self._nothing_left())
        for note in self._notes(where, minimum_size):
            warnings.warn(note, stacklevel=stacklevel + 1)

    def _notes(self, where: str, minimum_size: int) -> Iterator[str]:
        if self.unreadable:
            total = self.num_kept + self._num_left_out
            yield (
                f"left out {len(self.unreadable):,} of {_count(total, 'file')} in {where} that "
                f"cannot be read: {_reasons(self.unreadable)}"
            )
        if self.too_small:
            yield (
                f"left out {_count(len(self.too_small), 'image')} in {where} smaller than "
                f"minimum_size = {minimum_size}: {named(self.too_small)}"
            )
        if self.without:
            yield (
                f"left out {_count(len(self.without), 'image')} in {where} without a partner of "
                f"the same name in {shown(self.partners or '')}: {named(self.without)}"
            )
        if self.dropped:
            yield (
                f"left out {_count(len(self.dropped), 'image')} in {where} whose partners in "
                f"{shown(self.partners or '')} were: {named(self.dropped)}"
            )
        if len(self.other) > self.num_kept:
            yield (
                f"only {self.num_kept:,} of {_count(self.num_kept + len(self.other), 'file')} in "
                f"{where} {'is an image' if self.num_kept == 1 else 'are images'} by name; ignored "
                f"are {self._kinds_of_others()}"
            )
        if self.several_frames:
            yield (
                f"took the first frame of {_count(len(self.several_frames), 'file')} in {where} "
                f"that hold several: {named(self.several_frames)}"
            )

    def left_out_line(self) -> str:
        """Line of what was not taken: `2 unreadable files, 3 other files (.txt)`."""
        parts = (
            (self.unreadable, "unreadable file", ""),
            (self.too_small, "image", " smaller than minimum_size"),
            (self.without, "image", " without partner"),
            (self.dropped, "image", " whose partners were"),
            (self.other, "other file", f" ({self._kinds_of_others()})"),
            (self.runs, "run", " of ganforge"),
        )
        return ", ".join(
            f"{_count(len(names), noun)}{more}" for names, noun, more in parts if names
        )

    def _kinds_of_others(self) -> str:
        kinds = Counter(suffix_of(name) or "no suffix" for name in self.other)
        return _listed([f"{text_of(kind)} {num:,}" for kind, num in kinds.most_common()])

    @property
    def _num_left_out(self) -> int:
        names = [*self.too_small, *self.without, *self.dropped]
        return len(self.unreadable) + len(names)

    def _nothing_left(self) -> str:
        unreadable, small, without = self.unreadable, self.too_small, self.without
        found = _count(self._num_left_out, "image file")
        text = f"no image in {shown(self.root)} can be used: found {found}"
        if unreadable:
            text += f", {len(unreadable):,} unreadable: {_reasons(unreadable)}"
        if small:
            text += f", {len(small):,} too small: {named(small)}"
        if without:
            where = shown(self.partners or "")
            text += f", {len(without):,} without one of the same name in {where}: {named(without)}"
        if self.other:
            text += f"; {_count(len(self.other), 'other file')}: {named(self.other)}"
        if self.runs:
            text += f"; {_count(len(self.runs), 'run')} of ganforge: {named(self.runs)}"
        return text


def shown(name: str) -> str:
    """A file's name, quoted, with line breaks, escapes and stray bytes made visible."""
    return repr(name if len(name) <= _LONGEST else f"{name[: _LONGEST - 40]}...{name[-37:]}")


def named(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    return _listed([shown(name) for name in names])


def _reasons(files: Sequence[LeftOut]) -> str:
    reasons = _listed([f"{shown(file.name)} ({file.reason})" for file in files])
    links = any(file.reason == LINK for file in files)
    return f"{reasons}; dataset.follow_links = true follows links" if links else reasons


def _listed(items: Sequence[str]) -> str:
    more = f" and {len(items) - _NAMED:,} more" if len(items) > _NAMED else ""
    return ", ".join(items[:_NAMED]) + more


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
