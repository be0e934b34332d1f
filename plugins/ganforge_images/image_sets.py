"""The two forms that a set of images has in a run: decoded up front, or read from the disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganforge import DataError, FileRecord, InMemoryDataset, MapDataset

from .census import shown
from .checking import READ_ERRORS, reason
from .decoding import Target, decode, quiet_pillow
from .listing import ImageFiles


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """Image files of one root that are decoded one by one, and what each becomes, by field."""

    files: ImageFiles
    root: str
    names: tuple[str, ...]
    targets: Mapping[str, Target]

    def read(self, index: int) -> dict[str, Tensor]:
        """The values of picture `index`, uint8 `[C, H, W]`.

        Raises DataError for a file that has vanished or changed since the set was checked.
        """
        name = self.names[index]
        try:
            with quiet_pillow(), self.files.open(name) as stream:
                pixels = decode(stream, [*self.targets.values()])
        except READ_ERRORS as error:
            raise DataError(
                f"{shown(name)} in {shown(self.root)} can no longer be read: {reason(error)}"
            ) from error
        return dict(zip(self.targets, map(channels_first, pixels), strict=True))


@dataclass(frozen=True, kw_only=True)
class Told:
    """Account of a set: what it holds, what was left out, and the files that it is made of."""

    description: str
    left_out: str
    files: Mapping[str, FileRecord]


class DecodedImages(InMemoryDataset):
    """Images decoded up front, uint8 `[N, C, H, W]` by field."""

    def __init__(
        self,
        values: Mapping[str, Tensor],
        told: Told,
        labels: Sequence[int] | None = None,
        classes: tuple[str, ...] | None = None,
    ) -> None:
        others = {name: value for name, value in values.items() if name != "sample"}
        numbers = None if labels is None else torch.tensor(labels)
        super().__init__(values["sample"], numbers, classes, others=others)
        self.told = told
        self.left_out = told.left_out

    def describe(self) -> str:
        return self.told.description

    def file_records(self) -> Mapping[str, FileRecord]:
        return self.told.files


class StoredImages(MapDataset):
    """Images decoded when they are asked for, uint8 `[C, H, W]` by field, and a label.

    File number i of all `pictures` makes item i; a field of `apart` has an order of its own.
    """

    def __init__(
        self,
        pictures: Sequence[Pictures],
        told: Told,
        labels: Sequence[int] | None = None,
        classes: tuple[str, ...] | None = None,
        apart: Mapping[str, Pictures] | None = None,
    ) -> None:
        self.pictures = tuple(pictures)
        self.told = told
        self.left_out = told.left_out
        # One array rather than objects, which forked workers would copy by counting references.
        self.labels = None if labels is None else np.asarray(labels, dtype=np.int64)
        self.classes = classes
        self.apart = dict(apart or {})

    def __len__(self) -> int:
        return len(self.pictures[0].names)

    def __getitem__(self, index: int) -> dict[str, Tensor | int]:
        item: dict[str, Tensor | int] = {}
        for pictures in self.pictures:
            item.update(pictures.read(index))
        if self.labels is not None:
            item["label"] = int(self.labels[index])
        return item

    def value(self, name: str, index: int) -> Tensor | int:
        if name in self.apart:
            return self.apart[name].read(index)[name]
        return super().value(name, index)

    def size(self, name: str) -> int:
        return len(self.apart[name].names) if name in self.apart else len(self)

    def describe(self) -> str:
        return self.told.description

    def file_records(self) -> Mapping[str, FileRecord]:
        return self.told.files

    def __getstate__(self) -> dict[str, Any]:
        # Workers, which have this sent to them, have no use for the files' records.
        return {**self.__dict__, "told": replace(self.told, files={})}


def channels_first(pixels: NDArray[np.uint8]) -> Tensor:
    """uint8 `[H, W, C]` as `[C, H, W]`."""
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))
