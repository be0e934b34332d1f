"""Batches of a set that is read as it is needed, by worker processes ahead of the step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from ganforge.contracts import Batch, MapDataset
from ganforge.device.execution import Execution
from ganforge.errors import ENDINGS, DataError, PluginError, WorkerError
from ganforge.plugin.fields import LABEL, SAMPLE, Field
from ganforge.printable import described

from .batches import Batches
from .order import Order, to_device
from .scaling import prepared
from .sending import fault_of_sharing, set_up_worker, shared
from .workers import INSTEAD, Workers

FARTHEST = 32  # batches that are read over, rather than starting the workers again

#: the values of an item by field, or the message of a DataError that reading it has raised
Item = dict[str, Any]
_ERROR = "error"


class LoadedBatches(Batches):
    """A set that is read item by item."""

    def __init__(
        self,
        dataset: MapDataset,
        fields: Mapping[str, Field],
        orders: Mapping[str, Order],
        execution: Execution,
        num_workers: int,
        label: str = "the data set",
    ) -> None:
        self.num_samples = orders[SAMPLE].num_samples
        self.num_held_out = min(order.num_held_out for order in orders.values())
        self._items = _Items(dataset, tuple(fields), label)
        self._fields = fields
        self._execution = execution
        self._orders = orders
        self._num_workers = num_workers
        self._label = label
        self._next: int | None = None  # the batch that the workers are at
        self._loaded: Iterator[Item] | Workers = iter(())
        self._at_hand: dict[int, Item] = {}

    def batch(self, number: int) -> Batch:
        if number not in self._at_hand:
            self.fetch(number, 1)
        return self._batch(self._at_hand[number])

    def fetch(self, first: int, num: int) -> None:
        self._at_hand = {it: item for it, item in self._at_hand.items() if it >= first}
        for number in range(first, first + num):
            if number not in self._at_hand:
                self._at_hand[number] = self._read(number)

    def _read(self, number: int) -> Item:
        if self._next is None or not self._next <= number < self._next + FARTHEST:
            self.close()
            loader = self._loader(number)
            self._loaded = Workers(loader, self._label) if self._num_workers else iter(loader)
            self._next = number
        item = self._next_item()
        for _ in range(number - self._next):
            item = self._next_item()
        self._next = number + 1
        if _ERROR in item:
            raise item[_ERROR]
        return item

    def _next_item(self) -> Item:
        return self._loaded.next() if isinstance(self._loaded, Workers) else next(self._loaded)

    def held_out(self, start: int, num: int) -> Batch:
        # Read in this process: seldom, and the workers go on with the batches meanwhile.
        rows = {name: order.held_out(start, num) for name, order in self._orders.items()}
        return self._batch(_collate([self._items[it] for it in _numbers(rows)]))

    def trained_on(self, start: int, num: int, of: int) -> Batch:
        rows = {name: order.trained_on(start, num, of) for name, order in self._orders.items()}
        return self._batch(_collate([self._items[it] for it in _numbers(rows)]))

    def _batch(self, item: Item) -> Batch:
        if _ERROR in item:
            raise item[_ERROR]
        device = self._execution.device
        values = {
            name: prepared(to_device(item[name], device), field)
            for name, field in self._fields.items()
        }
        samples = self._execution.arrange(values.pop(SAMPLE))
        return Batch(samples, **values)

    def _loader(self, first: int) -> DataLoader[Item]:
        return DataLoader(
            self._items,
            batch_sampler=_IndexLists(self._orders, first),
            collate_fn=_collate,
            num_workers=self._num_workers,
            pin_memory=self._execution.device.type == "cuda",
            prefetch_factor=4 if self._num_workers else None,
            # Without one of its own it would draw from the global random state.
            generator=torch.Generator(),
            worker_init_fn=set_up_worker,
        )

    def close(self) -> None:
        if isinstance(self._loaded, Workers):
            self._loaded.close()
        self._loaded, self._next, self._at_hand = iter(()), None, {}


class _Items(TorchDataset[Item]):
    """The fields of a run, read by their numbers: one for the sample and what belongs to it, and
    one for each field with an order of its own.

    What goes wrong is a value, for an exception of a worker process comes back as a text.
    """

    def __init__(self, dataset: MapDataset, names: tuple[str, ...], label: str) -> None:
        self._dataset = dataset
        self._names = names
        self._label = label

    def __getitem__(self, numbers: Mapping[str, int]) -> Item:
        try:
            found = self._dataset[numbers[SAMPLE]]
            values = dict(found) if isinstance(found, Mapping) else _short_form(found)
            for name in numbers.keys() - {SAMPLE}:
                values[name] = self._dataset.value(name, numbers[name])
            return {name: torch.as_tensor(values[name]) for name in self._names}
        except DataError as error:
            return {_ERROR: error}
        except ENDINGS:
            raise
        except BaseException as error:
            what = f"{self._label} cannot give item {numbers[SAMPLE]}: {described(error)}"
            return {_ERROR: PluginError(what)}


def _short_form(found: Any) -> Item:
    """`(sample, label)` by name."""
    if not (isinstance(found, tuple) and len(found) == 2):
        raise TypeError(
            f"an item is a mapping of fields or (sample, label), not {type(found).__name__}"
        )
    return {SAMPLE: found[0], LABEL: found[1]}


def _collate(items: list[Item]) -> Item:
    for item in items:
        if _ERROR in item:
            return item
    try:
        return shared({name: torch.stack([item[name] for item in items]) for name in items[0]})
    except RuntimeError as error:
        fault = fault_of_sharing(error)
        if fault is not None:
            return {_ERROR: WorkerError(f"a worker process {fault}. {INSTEAD}")}
        what = f"the items of a batch do not fit together: {described(error)}"
        return {_ERROR: PluginError(what)}


def _numbers(rows: Mapping[str, Tensor]) -> Iterator[dict[str, int]]:
    """The numbers of the items, by field."""
    for numbers in zip(*(it.tolist() for it in rows.values()), strict=False):
        yield dict(zip(rows, numbers, strict=True))


class _IndexLists:
    """The batch sampler of a DataLoader: the numbers of batch `first`, and of all that follow."""

    def __init__(self, orders: Mapping[str, Order], first: int) -> None:
        self._orders = orders
        self._first = first

    def __iter__(self) -> Iterator[list[dict[str, int]]]:
        number, host = self._first, torch.device("cpu")
        while True:
            rows = {name: order.indices(number, host) for name, order in self._orders.items()}
            yield [*_numbers(rows)]
            number += 1
