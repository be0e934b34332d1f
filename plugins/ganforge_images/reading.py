"""Reads a whole set of images before training: keeps what is sound, and accounts for the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from .archive import ZipFiles
from .census import Census
from .checking import Checker, in_threads
from .decoding import Target, quiet_pillow
from .image_sets import Pictures, channels_first
from .listing import Entry, Folder, ImageFiles
from .options import ImagesOptions

_MIB = 2**20


@dataclass(kw_only=True)
class Candidates:
    """The image files of one root, before they are read, and what each becomes, by field."""

    files: ImageFiles
    census: Census
    entries: list[Entry]
    targets: Mapping[str, Target]

    @classmethod
    def under(cls, root: str, targets: Mapping[str, Target]) -> Candidates:
        """All that a folder or a zip file holds. Raises DataError where it cannot be listed."""
        path = str(Path(root).expanduser())
        files: ImageFiles = Folder(path) if Path(path).is_dir() else ZipFiles(path)
        listing = files.listing()
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

    def checker(self, options: ImagesOptions, *, keep: bool) -> Checker:
        return Checker(
            files=self.files, targets=self.targets, minimum_size=options.minimum_size, keep=keep
        )

    def pictures(self, kept: Sequence[int]) -> Pictures:
        """Those that are kept, to be decoded one by one."""
        names = tuple(self.entries[index].name for index in kept)
        return Pictures(files=self.files, root=self.census.root, names=names, targets=self.targets)


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """Images kept: the numbers of their entries and, where they fit, the values `[N, C, H, W]`."""

    kept: list[int]
    values: dict[str, Tensor]


def in_memory(options: ImagesOptions, *candidates: Candidates) -> bool:
    """True where all of them are to be kept in memory."""
    return sum(it.num_bytes for it in candidates) <= options.memory_limit * _MIB


def gather(candidates: Sequence[Candidates], options: ImagesOptions, *, keep: bool) -> Gathered:
    """Read file number i of all candidates, for every i, and `keep` the pixels where all are sound.

    Warns of files that are left out. Raises DataError where none is left, where a picture has no
    halves, and with `strict` where a file cannot be read.
    """
    total = len(candidates[0].entries)
    values = {
        name: torch.empty((total, it.channels, it.height, it.width), dtype=torch.uint8)
        for candidate in candidates
        for name, it in candidate.targets.items()
        if keep
    }
    kept: list[int] = []
    readers = [in_threads(it.checker(options, keep=keep), it.entries) for it in candidates]
    with quiet_pillow():
        for index, found in enumerate(zip(*readers, strict=True)):
            names = [it.entries[index].name for it in candidates]
            sound = all(it.sound for it in found)
            for candidate, name, checked in zip(candidates, names, found, strict=True):
                candidate.census.enter(name, checked, kept=sound)
            if not sound:
                continue
            for checked in found:
                for field, pixels in (checked.pixels or {}).items():
                    values[field][len(kept)] = channels_first(pixels)
            kept.append(index)
    height = options.height or options.size
    for candidate in candidates:
        candidate.census.report(
            strict=options.strict,
            minimum_size=options.minimum_size,
            proportions=2 * options.size / height,
            stacklevel=3,
        )
    return Gathered(kept=kept, values={name: it[: len(kept)] for name, it in values.items()})
