"""Matches the classes of a data set, by name, with those that something was trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from ganforge.contracts import Batch
from ganforge.errors import DataError, listed
from ganforge.plugin.fields import SAMPLE, Field
from ganforge.printable import printable

from .batches import Batches

MOST_NAMED = 20  # classes that an error names

#: the names of the classes of categories, by field
Classes = Mapping[str, tuple[str, ...]]


def in_trained_order(
    batches: Batches, fields: Mapping[str, Field], trained: Classes, who: str, label: str
) -> tuple[Batches, dict[str, Field]]:
    """Batches and fields whose categories are numbered as `who` was trained on them.

    A data set may give the same classes in another order than it did then: a number stands for its
    name, so the numbers are changed. Raises DataError where the names are others. `label` is how
    errors name the data set.
    """
    found = dict(fields)
    numbers: dict[str, Tensor] = {}
    for name, classes in trained.items():
        now = found[name].classes if name in found else None
        if now is None or now == classes:
            continue
        if sorted(now) != sorted(classes):
            raise _other_classes(name, now, classes, who, label)
        numbers[name] = torch.tensor([classes.index(it) for it in now])
        found[name] = replace(found[name], classes=classes)
    return RenumberedBatches(batches, numbers) if numbers else batches, found


class RenumberedBatches(Batches):
    """Batches whose categories have other numbers than their data set gives.

    `numbers` are int64 `[K]` by field: the number that is shown for each that the set gives.
    """

    def __init__(self, batches: Batches, numbers: Mapping[str, Tensor]) -> None:
        self.num_samples = batches.num_samples
        self.num_held_out = batches.num_held_out
        self._batches = batches
        self._numbers = dict(numbers)

    def batch(self, number: int) -> Batch:
        return self._renumbered(self._batches.batch(number))

    def held_out(self, start: int, num: int) -> Batch:
        return self._renumbered(self._batches.held_out(start, num))

    def trained_on(self, start: int, num: int, of: int) -> Batch:
        return self._renumbered(self._batches.trained_on(start, num, of))

    def _renumbered(self, batch: Batch) -> Batch:
        values = {SAMPLE: batch.samples, **batch.others}
        for name in self._numbers.keys() & values.keys():
            numbers = self._numbers[name] = self._numbers[name].to(values[name].device)
            values[name] = numbers[values[name]]
        return Batch(values.pop(SAMPLE), **values)

    def fetch(self, first: int, num: int) -> None:
        self._batches.fetch(first, num)

    def close(self) -> None:
        self._batches.close()


def _other_classes(
    name: str, now: tuple[str, ...], trained: tuple[str, ...], who: str, label: str
) -> DataError:
    found = []
    for verb, ours, theirs in (("has", now, trained), ("lacks", trained, now)):
        others = [printable(it, 40) for it in ours if it not in theirs]
        if len(others) > MOST_NAMED:
            others[MOST_NAMED:] = [f"{len(others) - MOST_NAMED} more"]
        if others:
            found.append(f"it {verb} {listed(others)}")
    both = ""
    if max(len(now), len(trained)) <= MOST_NAMED:
        were, are = (listed([printable(it, 40) for it in names]) for names in (trained, now))
        both = f" (the classes were {were}, and are {are})"
    return DataError(
        f"{label} has other classes of {name!r} than {who} was trained on, so that a label would "
        f"mean something else: {listed(found)}{both}"
    )
