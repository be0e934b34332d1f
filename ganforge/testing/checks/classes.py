"""Checks of data sets: which classes their items are of, and whether an item comes twice."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from numbers import Integral
from typing import Any

import torch

from ganforge.contracts import Dataset, EndlessDataset, MapDataset
from ganforge.plugin.fields import LABEL, SAMPLE
from ganforge.plugin.specs import DatasetSpec
from ganforge.testing.fixtures import set_items as sets
from ganforge.testing.framework import NotApplicable, Subject, check, require

MAX_READ = 1_000  # items of a set that are read one by one
MAX_COMPARED = 2_000  # items of a set in memory
IN_A_ROW = 16  # at either end of a set that is read one by one
CHUNK = 256  # samples of one draw
FEW = 8  # values, of which vectors and draws honestly repeat themselves


@check(
    "labels are places in `classes`, integers in [0, K); without classes there are none",
    DatasetSpec,
    fix="number the classes from 0, in the order of `classes`",
)
def labels_lie_in_the_classes(subject: Subject[DatasetSpec]) -> None:
    dataset = sets.built(subject)
    classes = dataset.classes
    # In the short form of an item, (sample, label), 0 stands for none.
    absent = (None, 0) if isinstance(dataset, MapDataset) else (None,)
    for found in sets.some_items(dataset):
        label = sets.plain(found.get(LABEL))
        if classes is None:
            require(label in absent, f"label {label!r} without classes")
        else:
            good = isinstance(label, Integral) and 0 <= int(label) < len(classes)
            require(good, f"label {label!r} of {len(classes)} classes")


@check(
    "there are samples of every class that is declared",
    DatasetSpec,
    fix="declare the classes that the data has, and see that labels reach the last one",
)
def every_class_is_there(subject: Subject[DatasetSpec]) -> None:
    dataset = sets.built(subject)
    categories = {
        name: field.classes for name, field in sets.known(subject, dataset).items() if field.classes
    }
    if not categories:
        raise NotApplicable("it has no classes")
    for name, classes in categories.items():
        # Of a large set a part is read, and the rest may have other classes, but not one alone.
        part = isinstance(dataset, MapDataset) and len(dataset) > MAX_READ
        seen: Counter[int] = Counter()
        for number in _numbers(dataset, name, len(classes)):
            seen[number] += 1
            if len(seen) == (2 if part else len(classes)):
                break
        missing = [it for number, it in enumerate(classes) if number not in seen]
        if len(seen) == 1 or (seen and not part and {*seen} <= {*range(len(classes))}):
            got = f"none of {missing and missing[0]!r} in {seen.total()} values of {name!r}"
            require(not missing, got)


def _numbers(dataset: Dataset, name: str, num_classes: int) -> Iterator[int]:
    """The classes of items one by one: of all, of as many as can be read, or of enough draws."""
    found: Iterator[Any]
    if isinstance(dataset, EndlessDataset):
        # A class with a thirtieth of its share is missed less than once in 10^9 times.
        num = round(30 * num_classes * (21 + math.log(num_classes)))
        draws = (
            sets.drawn(dataset, CHUNK, seed).others.get(name) for seed in range(num // CHUNK + 1)
        )
        found = chain.from_iterable(it.tolist() for it in draws if it is not None)
    else:
        length = len(dataset)  # type: ignore[arg-type]
        num = min(length, MAX_READ) if isinstance(dataset, MapDataset) else length
        found = (
            it.get(name) for it in sets.items(dataset, (it * length // num for it in range(num)))
        )
    yield from (sets.plain(it) for it in found if it is not None)


@check(
    "most samples are no copies of others",
    DatasetSpec,
    fix="see that every index leads to a sample of its own",
)
def samples_are_not_repeated(subject: Subject[DatasetSpec]) -> None:
    dataset = sets.built(subject)
    samples = [found[SAMPLE] for found in _in_a_row(dataset)]
    small = isinstance(dataset, EndlessDataset) or samples[0].dim() == 1
    if small and len({*torch.stack(samples).flatten().tolist()}) < FEW:
        raise NotApplicable("what consists of so few values repeats itself")
    counts = Counter(it.contiguous().numpy().tobytes() for it in samples)
    copies = sum(count for count in counts.values() if count > 1)
    # Copies of one are another check's to say.
    good = len(counts) == 1 or copies <= len(samples) / 2
    require(good, f"{copies} of {len(samples)} that are equal to another")


def _in_a_row(dataset: Dataset) -> list[sets.Item]:
    if isinstance(dataset, EndlessDataset):
        return [*sets.items(dataset, range(2 * IN_A_ROW))]
    length = len(dataset)  # type: ignore[arg-type]
    if not isinstance(dataset, MapDataset):
        return [*sets.items(dataset, range(min(length, MAX_COMPARED)))]
    last = max(IN_A_ROW, length - IN_A_ROW)
    return [*sets.items(dataset, [*range(min(length, IN_A_ROW)), *range(last, length)])]
