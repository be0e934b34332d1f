"""The kinds of data set: in memory, read item by item, drawn without end, and streamed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ganforge.plugin.fields import Field
from ganforge.problem import Fit

from .batches import Batch


@dataclass(frozen=True, kw_only=True)
class Mixture:
    """A Gaussian mixture of M modes, float32.

    Weights `[M]` that sum to 1, means `[M, D]`, and the standard deviation `[M]` of each mode along
    every axis.
    """

    weights: Tensor
    means: Tensor
    stds: Tensor


class FileRecord(NamedTuple):
    """Facts that tell a file of a data set from another: its size in bytes, and a checksum of it.

    `label` is the name of its class, where it has one.
    """

    size: int
    checksum: int
    label: str | None = None


class Dataset:
    """Base of the kinds of data set.

    `classes` are the names of the K classes of the field `label`, or None where the samples have no
    labels. `fields` are the fields whose shape or classes the spec could not tell, as the data has
    them. `mixture` holds the modes of a Gaussian mixture, where the set is one; `fit` what it has
    learnt from its data. `left_out` is one line that says what was found and not taken, and why.
    """

    classes: tuple[str, ...] | None = None
    fields: Mapping[str, Field] = {}
    mixture: Mixture | None = None
    fit: Fit | None = None
    left_out: str = ""

    def file_records(self) -> Mapping[str, FileRecord]:
        """The files that the samples are read from, by name, for a record of what was trained on.

        It is asked once, and should cost no second reading. A set that cannot tell has none; then
        some of its samples are looked at.
        """
        return {}

    def describe(self) -> str:
        """One line for the person who starts a run: how many samples, of which classes."""
        return "endless samples"


class InMemoryDataset(Dataset):
    """Samples that fit in memory, in one tensor.

    `samples` is `[N, *sample_shape]`: uint8 in [0, 255] for images and videos, else float32, in the
    units that the field's `range` gives, or in those that the networks are to see. `labels` is
    int64 `[N]` in [0, K) with K `classes`. `others` are other fields by name, `[N, ...]`; one that
    is not paired may have another N. Raises ValueError for anything else.
    """

    def __init__(
        self,
        samples: Tensor,
        labels: Tensor | None = None,
        classes: tuple[str, ...] | None = None,
        *,
        others: Mapping[str, Tensor] | None = None,
        fields: Mapping[str, Field] | None = None,
        fit: Fit | None = None,
    ) -> None:
        if samples.dtype not in (torch.uint8, torch.float32) or samples.dim() < 2:
            raise ValueError(
                "samples must be uint8 or float32 [N, *sample_shape], such as uint8 [N, C, H, W] "
                f"or float32 [N, D], not {samples.dtype} {list(samples.shape)}"
            )
        if (labels is None) != (classes is None):
            raise ValueError("labels and class names come together or not at all")
        if labels is not None and classes is not None:
            check_category("labels", labels, len(samples), len(classes))
        self.samples = samples
        self.labels = labels
        self.classes = classes
        self.others = dict(others or {})
        self.fields = dict(fields or {})
        self.fit = fit

    def __len__(self) -> int:
        return len(self.samples)

    def describe(self) -> str:
        if self.labels is None or self.classes is None:
            return count_line(len(self), None)
        counts = torch.bincount(self.labels, minlength=len(self.classes)).tolist()
        return count_line(len(self), dict(zip(self.classes, counts, strict=True)))


class MapDataset(Dataset, torch.utils.data.Dataset[Any]):
    """Samples that are read one by one, by worker processes.

    `self[i]` gives the same item whenever it is asked: the values of all fields by name,
    `{"sample": tensor, "label": 3}`, or `(sample, label)` where there are no others (label 0 where
    there are no classes). A category is an integer, any other field a tensor of the shape and the
    dtype that it declares, uint8 or float32. Instances are sent to worker processes.
    """

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} must define __len__()")

    def __getitem__(self, index: int) -> tuple[Tensor, int] | Mapping[str, Tensor | int]:
        raise NotImplementedError(f"{type(self).__name__} must define __getitem__()")

    def value(self, name: str, index: int) -> Tensor | int:
        """Value `index` of a field with an order of its own (`Field.paired` is false)."""
        item = self[index]
        if not isinstance(item, Mapping):
            raise TypeError(f"{type(self).__name__} must give the field {name!r} by name")
        return item[name]

    def size(self, name: str) -> int:
        """The number of values of a field, where that is not the number of samples."""
        return len(self)

    def describe(self) -> str:
        return count_line(len(self), None)


class EndlessDataset(Dataset, ABC):
    """A distribution to draw from, rather than a stored set."""

    @abstractmethod
    def draw(self, n: int, generator: torch.Generator) -> Batch:
        """`n` fresh samples `[n, *sample_shape]` and all fields, from `generator` on its device."""


class StreamDataset(Dataset, ABC):
    """Samples that come one after another, as a program of the user's gives them.

    Going through it begins with the first item each time, and gives the same ones each time: the
    values of all fields by name, as those of a `MapDataset`.
    """

    @abstractmethod
    def __iter__(self) -> Iterator[Mapping[str, Tensor | int]]: ...

    def describe(self) -> str:
        return "a stream of samples"


def check_category(name: str, values: Tensor, num: int, num_classes: int) -> None:
    """Raise ValueError where values are not int64 `[num]` in [0, num_classes)."""
    if values.dtype != torch.int64 or values.shape != (num,):
        raise ValueError(f"{name} must be int64 [{num}], not {values.dtype} {list(values.shape)}")
    if len(values) and (int(values.min()) < 0 or int(values.max()) >= num_classes):
        raise ValueError(f"{name} must lie in [0, {num_classes})")


def count_line(total: int, class_counts: Mapping[str, int] | None) -> str:
    """`1,797 samples in 10 classes: 0 (178), 1 (182), ...`"""
    samples = f"{total:,} sample{'' if total == 1 else 's'}"
    if class_counts is None:
        return samples
    shown = [f"{name} ({count:,})" for name, count in list(class_counts.items())[:20]]
    more = f" and {len(class_counts) - 20} more" if len(class_counts) > 20 else ""
    return f"{samples} in {len(class_counts)} classes: {', '.join(shown)}{more}"
