"""Batches of a stream: samples that come one after another, and cannot be asked for by number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch

from ganforge.contracts import Batch
from ganforge.contracts.datasets import StreamDataset
from ganforge.device.execution import Execution
from ganforge.errors import DataError
from ganforge.plugin.failures import failing_as
from ganforge.plugin.fields import SAMPLE, Field

from .batches import Batches
from .order import to_device
from .scaling import prepared


class StreamedBatches(Batches):
    """A stream, read in this process in its own order: batch n holds items n * B to (n + 1) * B.

    A stream that ends begins anew. A run that goes on reads over the items that it has seen, so its
    batches are those of one that was never stopped. What it is measured on is the beginning.
    """

    num_samples = None
    num_held_out = None

    def __init__(
        self,
        dataset: StreamDataset,
        fields: Mapping[str, Field],
        batch_size: int,
        execution: Execution,
        label: str = "the data set",
    ) -> None:
        self._dataset = dataset
        self._fields = fields
        self._batch_size = batch_size
        self._execution = execution
        self._label = label
        self._items: Iterator[Mapping[str, Any]] = iter(())
        self._next = 0  # the batch that the stream is at
        self._latest: tuple[int, Batch] | None = None

    def batch(self, number: int) -> Batch:
        if self._latest is not None and self._latest[0] == number:
            return self._latest[1]
        if number < self._next or self._next == 0:
            self._items, self._next = self._passes(), 0
        for _ in range((number - self._next) * self._batch_size):
            next(self._items)
        batch = self._collated(self._items, self._batch_size)
        self._next = number + 1
        self._latest = (number, batch)
        return batch

    def fetch(self, first: int, num: int) -> None:
        if num == 1:  # no more is kept
            self.batch(first)

    def held_out(self, start: int, num: int) -> Batch:
        items = self._passes()
        for _ in range(start):
            next(items)
        return self._collated(items, num)

    def trained_on(self, start: int, num: int, of: int) -> Batch:
        return self.held_out(start, min(num, of - start))

    def _passes(self) -> Iterator[Mapping[str, Any]]:
        """The items from the first on, again and again."""
        while True:
            with failing_as(f"{self._label} failed"):
                items = iter(self._dataset)
                item = next(items, None)
            if item is None:
                raise DataError(f"{self._label} has no samples")
            while item is not None:
                yield item
                with failing_as(f"{self._label} failed"):
                    item = next(items, None)

    def _collated(self, items: Iterator[Mapping[str, Any]], num: int) -> Batch:
        rows = [next(items) for _ in range(num)]
        values = {
            name: prepared(
                to_device(
                    torch.stack([torch.as_tensor(row[name]) for row in rows]),
                    self._execution.device,
                ),
                field,
            )
            for name, field in self._fields.items()
        }
        return Batch(self._execution.arrange(values.pop(SAMPLE)), **values)

    def close(self) -> None:
        self._items, self._next, self._latest = iter(()), 0, None
