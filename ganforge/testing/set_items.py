"""How a data set is built and looked at in a check."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor

from ganforge.contracts import Batch, Dataset, EndlessDataset, InMemoryDataset, MapDataset
from ganforge.specs import DatasetSpec

from .building import build, problems
from .framework import NotApplicable, Subject

KINDS = (InMemoryDataset, MapDataset, EndlessDataset)
NUM_ITEMS = 16  # looked at in a set


def spec_of(subject: Subject) -> DatasetSpec:
    return cast(DatasetSpec, subject.spec)


def built(subject: Subject) -> Any:
    """The data set. Raises NotApplicable where its data is not on this machine, or it is none."""
    dataset = build(subject, problems(subject)[0])
    if not isinstance(dataset, KINDS):
        raise NotApplicable("it is none of the three kinds of data set")
    return dataset


def one_of(subject: Subject, kind: type, otherwise: str) -> Any:
    dataset = built(subject)
    if not isinstance(dataset, kind):
        raise NotApplicable(otherwise)
    return dataset


def shape_of(subject: Subject) -> tuple[int, ...]:
    return problems(subject)[0].sample_shape


def some_indices(length: int) -> list[int]:
    """The first, the last and some between them."""
    return sorted({round(it * (length - 1) / (NUM_ITEMS - 1)) for it in range(NUM_ITEMS)})


def drawn(dataset: EndlessDataset, n: int = NUM_ITEMS, seed: int = 0) -> Batch:
    return dataset.draw(n, torch.Generator().manual_seed(seed))


def some_samples(dataset: Dataset) -> list[Tensor]:
    """Some samples, each `[*sample_shape]`, as the set gives them."""
    if isinstance(dataset, EndlessDataset):
        return [*drawn(dataset).samples]
    if isinstance(dataset, InMemoryDataset):
        return [dataset.samples[index] for index in some_indices(len(dataset))]
    assert isinstance(dataset, MapDataset)
    return [dataset[index][0] for index in some_indices(len(dataset))]


def some_labels(dataset: Dataset) -> list[Any]:
    """Labels as the set gives them; None where it gives none."""
    if isinstance(dataset, MapDataset):
        return [dataset[index][1] for index in some_indices(len(dataset))]
    labels = (
        drawn(dataset).labels
        if isinstance(dataset, EndlessDataset)
        else cast(InMemoryDataset, dataset).labels
    )
    return [None] if labels is None else labels.tolist()
