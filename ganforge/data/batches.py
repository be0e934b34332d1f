"""`Batches`: the real batches of a run, by number, for each kind of data set."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import partial

from torch import Tensor

from ganforge.config.settings import DataSettings
from ganforge.contracts import Batch, Dataset, EndlessDataset, InMemoryDataset, MapDataset
from ganforge.contracts.datasets import StreamDataset
from ganforge.device.execution import Execution
from ganforge.device.randomness import Randomness
from ganforge.errors import DataError, UsageError
from ganforge.plugin.fields import LABEL, SAMPLE, Field

from .order import Order


class Batches(ABC):
    """Source of real batches.

    `num_samples` is the number that is trained on, `num_held_out` the number of those held out of
    training, or of all where none are; both are None for an endless set.
    """

    num_samples: int | None
    num_held_out: int | None

    @abstractmethod
    def batch(self, number: int) -> Batch:
        """Batch `number`, on the device, with the fields of the run as networks see them."""

    @abstractmethod
    def held_out(self, start: int, num: int) -> Batch:
        """Samples `start` to `start + num` of those held out of training, in a fixed order.

        Where nothing is held out they are training samples. They are fewer than `num` at the end of
        the set, and `start` lies within it; an endless set draws fresh ones.
        """

    @abstractmethod
    def trained_on(self, start: int, num: int, of: int) -> Batch:
        """Samples `start` to `start + num` of `of` that lie evenly among those trained on.

        They are as they are, not moved, in the order of the set, which no seed changes; fewer than
        `num` at the end. An endless set draws fresh ones.
        """

    def fetch(self, first: int, num: int) -> None:
        """Have batches `first` to `first + num` at hand, so that taking them waits for nobody.

        Here, and not in the midst of a step, whatever reads them may be waited for at length.
        Raises WorkerError where a worker process is gone.
        """

    def close(self) -> None:
        """End worker processes."""


def open_batches(
    dataset: Dataset,
    fields: Mapping[str, Field],
    *,
    batch_size: int,
    execution: Execution,
    randomness: Randomness,
    num_workers: int,
    holdout: float = 0.0,
    label: str = "the data set",
    settings: DataSettings | None = None,
    shuffled: bool = True,
) -> Batches:
    """The data path for the kind of set; the share `holdout` of it is kept out of the batches.

    `fields` are those that the run uses, the sample among them; others are left alone. `label` is
    how errors name the data set; `settings` say how real images are moved. What is not `shuffled`
    is held out in the order of the set. Raises DataError for a set without samples to train on.
    """
    from .flips import MovedBatches

    batches = _batches(
        dataset, fields, batch_size, execution, randomness, num_workers, holdout, label, shuffled
    )
    if settings is None or not (settings.flip or settings.shift):
        return batches
    return MovedBatches(batches, fields, randomness, settings)


def _batches(
    dataset: Dataset,
    fields: Mapping[str, Field],
    batch_size: int,
    execution: Execution,
    randomness: Randomness,
    num_workers: int,
    holdout: float,
    label: str,
    shuffled: bool,
) -> Batches:
    """Batches of the samples as they are."""
    from .drawn import DrawnBatches
    from .in_memory import InMemoryBatches
    from .loaded import LoadedBatches
    from .streamed import StreamedBatches

    order = partial(
        Order, batch_size=batch_size, randomness=randomness, holdout=holdout, shuffled=shuffled
    )
    match dataset:
        case EndlessDataset() | StreamDataset() if holdout:
            raise UsageError(
                "evaluation.holdout: an endless data set has nothing to hold out; what it is "
                "measured on is drawn afresh, or is the beginning of a stream"
            )
        case StreamDataset():
            return StreamedBatches(dataset, fields, batch_size, execution, label)
        case EndlessDataset():
            return DrawnBatches(dataset, fields, batch_size, execution, randomness, label)
        case InMemoryDataset():
            sizes = {name: len(values) for name, values in tensors_of(dataset).items()}
            orders = _orders(fields, sizes, len(dataset), order)
            return InMemoryBatches(tensors_of(dataset), fields, orders, execution, label)
        case MapDataset():
            sizes = {name: dataset.size(name) for name in fields}
            orders = _orders(fields, sizes, len(dataset), order)
            return LoadedBatches(dataset, fields, orders, execution, num_workers, label)
        case _:
            raise TypeError(f"{type(dataset).__name__} is none of the kinds of data set")


def tensors_of(dataset: InMemoryDataset) -> dict[str, Tensor]:
    """The values of all fields of a set in memory, by name."""
    found = {SAMPLE: dataset.samples, **dataset.others}
    if dataset.labels is not None:
        found[LABEL] = dataset.labels
    return found


def _orders(
    fields: Mapping[str, Field], sizes: Mapping[str, int], total: int, order: Callable[..., Order]
) -> dict[str, Order]:
    """The order of the samples, and of each field that has one of its own."""
    orders = {SAMPLE: order(total)}
    for name, field in fields.items():
        if not field.paired and name in sizes:
            orders[name] = order(sizes[name], field=name)
    for name, it in orders.items():
        if it.num_samples == 0:
            size = total if name == SAMPLE else sizes[name]
            held = f" besides the {size} held out" if size else ""
            where = "" if name == SAMPLE else f" of the field {name!r}"
            raise DataError(f"the data set has no samples{where}{held}")
    return orders
