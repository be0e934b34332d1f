"""The data path: the real batches of a run, by number.

Batch number n holds the samples n * B to (n + 1) * B of the concatenation of one shuffled pass over
the set after another. A pass is a function of the seed and its number, so a resumed run goes on in
mid-pass with nothing remembered.
"""

from __future__ import annotations

import signal
from abc import ABC, abstractmethod
from collections.abc import Iterator

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from ganforge.contracts import Batch, Dataset, EndlessDataset, InMemoryDataset, MapDataset
from ganforge.device.execution import Execution
from ganforge.device.randomness import Randomness
from ganforge.errors import DataError, UsageError

DEVICE_SHARE = 0.4  # of the free memory of an accelerator that a data set may fill


class Batches(ABC):
    """Where real batches come from.

    `num_samples` is the number that is trained on, None for an endless set.
    """

    num_samples: int | None

    @abstractmethod
    def batch(self, number: int) -> Batch:
        """Batch `number`, on the device, samples float32 in [-1, 1]."""

    @abstractmethod
    def held_out(self, start: int, num: int) -> Batch:
        """Samples `start` to `start + num` of those held out of training, in a fixed order.

        Where nothing is held out they are training samples. They are fewer than `num` at the end of
        the set, and `start` lies within it; an endless set draws fresh ones.
        """

    def close(self) -> None:
        """End worker processes."""


def open_batches(
    dataset: Dataset,
    *,
    batch_size: int,
    execution: Execution,
    randomness: Randomness,
    num_workers: int,
    holdout: float = 0.0,
    with_labels: bool = True,
) -> Batches:
    """The data path for the kind of set; the share `holdout` of it is kept out of the batches.

    Without labels, which an unconditional run has no use for, those of the set are left alone.
    Raises DataError for a set without samples to train on.
    """
    match dataset:
        case EndlessDataset():
            if holdout:
                raise UsageError(
                    "evaluation.holdout: an endless data set has nothing to hold out; what it is "
                    "measured on is drawn afresh"
                )
            return DrawnBatches(dataset, batch_size, execution, randomness, with_labels)
        case InMemoryDataset() | MapDataset():
            order = Order(len(dataset), batch_size, randomness, holdout)
            if order.num_samples == 0:
                held = f" besides the {len(dataset)} held out" if len(dataset) else ""
                raise DataError(f"the data set has no samples{held}")
            if isinstance(dataset, InMemoryDataset):
                return InMemoryBatches(dataset, order, execution, with_labels)
            return LoadedBatches(dataset, order, execution, num_workers, with_labels)
        case _:
            raise TypeError(f"{type(dataset).__name__} is none of the three kinds of data set")


class Order:
    """Which samples batch number n holds, and which are held out.

    Of the set's `total` samples `num_samples` are trained on. The split is a function of the seed.
    """

    def __init__(
        self, total: int, batch_size: int, randomness: Randomness, holdout: float = 0.0
    ) -> None:
        num_held_out = round(holdout * total)
        split = torch.randperm(total, generator=_host_generator(randomness, "split"))
        self.num_samples = total - num_held_out
        self.batch_size = batch_size
        self._trained_on = split[num_held_out:] if num_held_out else None
        self._held_out = split[:num_held_out] if num_held_out else split
        self._randomness = randomness
        self._pass = -1
        self._shuffled = torch.empty(0, dtype=torch.int64)

    def shuffled(self, number: int, device: torch.device) -> Tensor:
        """The order `[N]` of pass `number`."""
        if number != self._pass or self._shuffled.device != device:
            generator = _host_generator(self._randomness, "order", number)
            order = torch.randperm(self.num_samples, generator=generator)
            if self._trained_on is not None:
                order = self._trained_on[order]
            self._shuffled = _to_device(order, device)
            self._pass = number
        return self._shuffled

    def indices(self, number: int, device: torch.device) -> Tensor:
        """The indices `[B]` of batch `number`; a batch may span passes."""
        pieces = []
        start, wanted = number * self.batch_size, self.batch_size
        while wanted:
            pass_number, offset = divmod(start, self.num_samples)
            piece = self.shuffled(pass_number, device)[offset : offset + wanted]
            pieces.append(piece)
            start, wanted = start + len(piece), wanted - len(piece)
        return pieces[0] if len(pieces) == 1 else torch.cat(pieces)

    def held_out(self, start: int, num: int) -> Tensor:
        """The indices `[num]` of held-out samples, or of any where none are; fewer at the end."""
        return self._held_out[start : start + num]


def _host_generator(randomness: Randomness, stream: str, *numbers: int) -> torch.Generator:
    return randomness.generator(stream, *numbers, device=torch.device("cpu"))


class InMemoryBatches(Batches):
    """A set that fits in memory, as one tensor: on the device where it fits there too.

    Images are stored `[N, H, W, C]`, so that a batch cut out of them is channels-last without a
    copy; `index_select` is some ten times faster than indexing.
    """

    def __init__(
        self, dataset: InMemoryDataset, order: Order, execution: Execution, with_labels: bool
    ) -> None:
        self.num_samples = order.num_samples
        self._execution = execution
        self._order = order
        self._images = dataset.samples.dim() == 4
        samples = dataset.samples.permute(0, 2, 3, 1) if self._images else dataset.samples
        home = _home(samples, execution.device)
        self._samples = samples.contiguous().to(home)
        labels = dataset.labels if with_labels else None
        self._labels = None if labels is None else labels.to(home)

    def batch(self, number: int) -> Batch:
        return self._cut(self._order.indices(number, self._samples.device))

    def held_out(self, start: int, num: int) -> Batch:
        return self._cut(self._order.held_out(start, num).to(self._samples.device))

    def _cut(self, indices: Tensor) -> Batch:
        device = self._execution.device
        samples = _to_device(self._samples.index_select(0, indices), device)
        labels = None if self._labels is None else self._labels.index_select(0, indices)
        if self._images:
            samples = to_unit_range(samples).permute(0, 3, 1, 2)
            if not self._execution.channels_last:
                samples = samples.contiguous()
        return Batch(samples, None if labels is None else _to_device(labels, device))


class LoadedBatches(Batches):
    """A set that is read as it is needed, by worker processes that stay ahead of the step."""

    def __init__(
        self,
        dataset: MapDataset,
        order: Order,
        execution: Execution,
        num_workers: int,
        with_labels: bool,
    ) -> None:
        self.num_samples = order.num_samples
        self._dataset = dataset
        self._with_labels = with_labels and dataset.classes is not None
        self._execution = execution
        self._order = order
        self._num_workers = num_workers
        self._next = -1
        self._loaded: Iterator[tuple[Tensor, Tensor]] = iter(())

    def batch(self, number: int) -> Batch:
        if number != self._next:
            self._loaded = iter(self._loader(number))
        self._next = number + 1
        try:
            samples, labels = next(self._loaded)
        except DataError as error:
            # From a worker it comes with the worker's traceback as its message.
            raise DataError(str(error).rpartition("DataError: ")[2].strip()) from error
        return self._batch(samples, labels)

    def held_out(self, start: int, num: int) -> Batch:
        # Read in this process: seldom, and the workers go on with the batches meanwhile.
        read = [self._dataset[index] for index in self._order.held_out(start, num).tolist()]
        samples, labels = zip(*read, strict=True)
        return self._batch(torch.stack(samples), torch.tensor(labels))

    def _batch(self, samples: Tensor, labels: Tensor) -> Batch:
        device = self._execution.device
        samples = _to_device(samples, device)
        if samples.dtype == torch.uint8:
            samples = to_unit_range(samples)
        samples = self._execution.arrange(samples)
        return Batch(samples, _to_device(labels, device) if self._with_labels else None)

    def _loader(self, first: int) -> DataLoader[tuple[Tensor, int]]:
        return DataLoader(
            self._dataset,
            batch_sampler=_IndexLists(self._order, first),
            num_workers=self._num_workers,
            pin_memory=self._execution.device.type == "cuda",
            prefetch_factor=4 if self._num_workers else None,
            # Without one of its own it would draw from the global random state.
            generator=torch.Generator(),
            worker_init_fn=_leave_signals_to_parent,
        )

    def close(self) -> None:
        self._loaded = iter(())
        self._next = -1


def _leave_signals_to_parent(worker: int) -> None:
    """Ctrl-C reaches every process of the terminal; what it means is the parent's to say."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


class _IndexLists:
    """The batch sampler of a DataLoader: the index lists from batch `first` on, without end."""

    def __init__(self, order: Order, first: int) -> None:
        self._order = order
        self._first = first

    def __iter__(self) -> Iterator[list[int]]:
        number = self._first
        while True:
            yield self._order.indices(number, torch.device("cpu")).tolist()
            number += 1


class DrawnBatches(Batches):
    """A distribution: every batch is drawn afresh."""

    num_samples = None

    def __init__(
        self,
        dataset: EndlessDataset,
        batch_size: int,
        execution: Execution,
        randomness: Randomness,
        with_labels: bool,
    ) -> None:
        self._dataset = dataset
        self._batch_size = batch_size
        self._execution = execution
        self._randomness = randomness
        self._with_labels = with_labels

    def batch(self, number: int) -> Batch:
        return self._draw(self._batch_size, "data", number)

    def held_out(self, start: int, num: int) -> Batch:
        return self._draw(num, "held-out", start)

    def _draw(self, num: int, stream: str, number: int) -> Batch:
        samples, labels = self._dataset.draw(num, self._randomness.generator(stream, number))
        return Batch(self._execution.arrange(samples), labels if self._with_labels else None)


def to_unit_range(images: Tensor) -> Tensor:
    """uint8 in [0, 255] to float32 in [-1, 1], exactly at both ends."""
    return images.to(torch.float32).div_(127.5).sub_(1.0)


def _home(samples: Tensor, device: torch.device) -> torch.device:
    """Where the set is kept."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        if samples.nbytes > DEVICE_SHARE * free:
            return torch.device("cpu")
    return device


def _to_device(tensor: Tensor, device: torch.device) -> Tensor:
    if tensor.device == device:
        return tensor
    if device.type == "cuda" and not tensor.is_pinned():
        # Only a copy from pinned memory leaves the host free to go on.
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=device.type == "cuda")
