"""The two forms that a set of images has in a run: decoded up front, or read from the disk."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganforge import DataError, InMemoryDataset, MapDataset, count_line

from .census import shown
from .checking import READ_ERRORS, reason
from .decoding import Target, decode, quiet_pillow
from .listing import ImageFiles


class DecodedImages(InMemoryDataset):
    """Images decoded up front, uint8 `[N, C, H, W]`."""

    def __init__(
        self,
        samples: Tensor,
        labels: Tensor | None,
        classes: tuple[str, ...] | None,
        others_line: str,
    ) -> None:
        super().__init__(samples, labels, classes)
        self.others_line = others_line

    def describe(self) -> str:
        return super().describe() + self.others_line


class StoredImages(MapDataset):
    """Images decoded when they are asked for, uint8 `[C, H, W]` and a label.

    Raises DataError for a file that has vanished or changed since the set was checked.
    """

    def __init__(
        self,
        files: ImageFiles,
        root: str,
        target: Target,
        names: Sequence[str],
        labels: Sequence[int] | None,
        classes: tuple[str, ...] | None,
        others_line: str,
    ) -> None:
        self.files = files
        self.root = root
        self.target = target
        self.names = tuple(names)
        # One array rather than objects, which forked workers would copy by counting references.
        self.labels = None if labels is None else np.asarray(labels, dtype=np.int64)
        self.classes = classes
        self.others_line = others_line

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        name = self.names[index]
        try:
            with quiet_pillow(), self.files.open(name) as stream:
                pixels = decode(stream, self.target)
        except READ_ERRORS as error:
            raise DataError(
                f"{shown(name)} in {shown(self.root)} can no longer be read: {reason(error)}"
            ) from error
        return channels_first(pixels), 0 if self.labels is None else int(self.labels[index])

    def describe(self) -> str:
        if self.labels is None or self.classes is None:
            return count_line(len(self), None) + self.others_line
        counts = np.bincount(self.labels, minlength=len(self.classes)).tolist()
        return count_line(len(self), dict(zip(self.classes, counts, strict=True))) + (
            self.others_line
        )


def channels_first(pixels: NDArray[np.uint8]) -> Tensor:
    """uint8 `[H, W, C]` as `[C, H, W]`."""
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))
