"""Marks of some samples of a data set, by which another set of the same size is told from it."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from ganforge.contracts import Dataset, EndlessDataset, InMemoryDataset, MapDataset
from ganforge.contracts.datasets import StreamDataset
from ganforge.plugin.fields import LABEL, SAMPLE, Field

from .batches import tensors_of

NUM_IN_MEMORY, NUM_READ = 256, 16  # samples that are looked at
_CLOSE = 1e-3  # what a mean of floats may differ in from one machine to another

#: what is remembered of one value: a checksum of whole numbers, mean and spread of others, a class
Mark = int | str | list[float]


def marks_of(dataset: Dataset, fields: Mapping[str, Field]) -> dict[str, list[Mark]]:
    """The marks of samples that lie evenly in a set, by field; an endless set draws the same."""
    found: dict[str, list[Mark]] = {name: [] for name in fields}
    for name, value in _values(dataset, fields):
        found[name].append(_mark(torch.as_tensor(value), fields[name]))
    return found


def _values(dataset: Dataset, fields: Mapping[str, Field]) -> Iterator[tuple[str, Any]]:
    match dataset:
        case StreamDataset():
            return  # to read its beginning may cost anything
        case EndlessDataset():
            # A distribution of floats is a matter of options, which cannot change.
            generator = torch.Generator().manual_seed(0)
            batch = dataset.draw(NUM_READ, generator)
            drawn = {SAMPLE: batch.samples, **batch.others}
            for name in fields.keys() & drawn.keys():
                if not drawn[name].is_floating_point():
                    yield from ((name, it) for it in drawn[name])
        case InMemoryDataset():
            for name, values in tensors_of(dataset).items():
                if name in fields:
                    rows = _evenly(len(values), NUM_IN_MEMORY)
                    yield from ((name, values[row]) for row in rows)
        case MapDataset():
            for row in _evenly(len(dataset), NUM_READ):
                yield from _paired_values(dataset, fields, row)
            for name in [it for it in fields if not fields[it].paired]:
                rows = _evenly(dataset.size(name), NUM_READ)
                yield from ((name, dataset.value(name, row)) for row in rows)


def _paired_values(
    dataset: MapDataset, fields: Mapping[str, Field], row: int
) -> Iterator[tuple[str, Any]]:
    """The values of an item; none of one that cannot be read, which is told when it is needed."""
    try:
        item = dataset[row]
        given = item if isinstance(item, Mapping) else {SAMPLE: item[0], LABEL: item[1]}
        values = {name: torch.as_tensor(given[name]) for name in fields if fields[name].paired}
    except Exception:
        return
    yield from values.items()


def _evenly(total: int, num: int) -> list[int]:
    num = min(num, total)
    return [row * total // num for row in range(num)]


def _mark(value: Tensor, field: Field) -> Mark:
    if field.classes is not None and not value.is_floating_point():
        return field.classes[int(value)] if int(value) < len(field.classes) else int(value)
    values = value.detach().cpu().contiguous()
    if not values.is_floating_point():
        return zlib.crc32(values.numpy().tobytes())
    numbers = values.double()
    return [float(numbers.mean()), float(numbers.std(correction=0))]


def same(was: Mark, now: Mark) -> bool:
    """True where two marks are of one value, computed on whatever machine."""
    if isinstance(was, list) and isinstance(now, list):
        close = {"rel_tol": _CLOSE, "abs_tol": _CLOSE}
        return all(math.isclose(a, b, **close) for a, b in zip(was, now, strict=True))
    return was == now
