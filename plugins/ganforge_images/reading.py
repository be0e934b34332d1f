"""Reads a whole set of images before training: keeps what is sound, and accounts for the rest."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ganforge import DataError, FileRecord

from .archive import ZipFiles
from .census import Census, shown
from .checking import Checker, in_threads
from .decoding import Target, quiet_pillow
from .folder import Folder
from .image_sets import Pictures
from .listing import Entry, ImageFiles
from .options import ReadingOptions

_MIB = 2**20


@dataclass(kw_only=True)
class Candidates:
    """The image files of one root, before they are read, and what each becomes, by field."""

    files: ImageFiles
    census: Census
    entries: list[Entry]
    targets: Mapping[str, Target]

    @classmethod
    def under(cls, root: str, targets: Mapping[str, Target], options: ReadingOptions) -> Candidates:
        """All that a folder or a zip file holds. Raises DataError where it cannot be listed."""
        # Absolute, since a program may go to another folder while it trains.
        path = os.path.abspath(Path(root).expanduser())  # noqa: PTH100 - links are kept
        files: ImageFiles = ZipFiles(path)
        if Path(path).is_dir():
            files = Folder(path, follow_links=options.follow_links)
        try:
            listing = files.listing()
        except OSError as error:
            raise DataError(f"the zip file {shown(root)} cannot be read: {error}") from error
        if listing.runs == [""]:
            raise DataError(
                f"{shown(root)} is the directory of a run, whose pictures are its own; name a "
                "folder of data"
            )
        return cls(
            files=files,
            census=Census.of(root, listing),
            entries=listing.entries,
            targets=targets,
        )

    @property
    def num_bytes(self) -> int:
        """The memory that all of them take when they are decoded."""
        sizes = [it.channels * it.height * it.width for it in self.targets.values()]
        return len(self.entries) * sum(sizes)

    def checker(self, options: ReadingOptions, *, keep: bool) -> Checker:
        return Checker(
            files=self.files, targets=self.targets, minimum_size=options.minimum_size, keep=keep
        )

    def records(
        self,
        kept: Sequence[int],
        checksums: Sequence[int],
        labels: Sequence[int] | None = None,
        classes: Sequence[str] | None = None,
    ) -> dict[str, FileRecord]:
        """The record of each of the files that are kept, by name."""
        numbers = labels if labels is not None else [0] * len(kept)
        found = {}
        for index, checksum, number in zip(kept, checksums, numbers, strict=True):
            name, size = self.entries[index]
            found[name] = FileRecord(size, checksum, classes[number] if classes else None)
        return found

    def pictures(self, kept: Sequence[int]) -> Pictures:
        """Those that are kept, to be decoded one by one."""
        names = tuple(self.entries[index].name for index in kept)
        return Pictures(files=self.files, root=self.census.root, names=names, targets=self.targets)


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """Images kept: the numbers of their entries and, where they fit, the values `[N, C, H, W]`.

    `checksums` are those of the files that are kept, for each of the candidates.
    """

    kept: list[int]
    checksums: list[list[int]]
    values: dict[str, Tensor]


def in_memory(options: ReadingOptions, *candidates: Candidates) -> bool:
    """True where all of them are to be kept in memory."""
    return sum(it.num_bytes for it in candidates) <= options.memory_limit * _MIB


def gather(candidates: Sequence[Candidates], options: ReadingOptions, *, keep: bool) -> Gathered:
    """Read file number i of all candidates, for every i, and `keep` the pixels where all are sound.

    Warns of files that are left out. Raises DataError where none is left, where a picture has no
    halves, and with `strict` where a file cannot be read.
    """
    total = len(candidates[0].entries)
    values = {
        name: np.empty((total, it.channels, it.height, it.width), dtype=np.uint8)
        for candidate in candidates
        for name, it in candidate.targets.items()
        if keep
    }
    kept: list[int] = []
    checksums: list[list[int]] = [[] for _ in candidates]
    readers = [in_threads(it.checker(options, keep=keep), it.entries) for it in candidates]
    with quiet_pillow():
        for index, found in enumerate(zip(*readers, strict=True)):
            sound = all(it.sound for it in found)
            for number, checked in enumerate(found):
                candidate = candidates[number]
                candidate.census.enter(candidate.entries[index].name, checked, kept=sound)
                if sound:
                    checksums[number].append(checked.checksum)
                    for field, pixels in (checked.pixels or {}).items():
                        values[field][len(kept)] = pixels.transpose(2, 0, 1)
            if sound:
                kept.append(index)
    height = options.height or options.size
    for candidate in candidates:
        candidate.census.report(
            strict=options.strict,
            minimum_size=options.minimum_size,
            proportions=2 * options.size / height,
            stacklevel=3,
        )
    tensors = {name: torch.from_numpy(it[: len(kept)]) for name, it in values.items()}
    return Gathered(kept=kept, checksums=checksums, values=tensors)
