"""Symptoms of how a run is going, measured where a line of metrics is due; `diagnosis` reads them.

What is compared with the run's own beginning is a ratio to it, which a checkpoint keeps. What is
compared with the data stands beside the same number for real samples.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import torch
from torch import Tensor, nn

from ganforge.contracts import Batch
from ganforge.plugin.fields import LABEL

from .assemble import Assembly
from .evaluation import generated
from .step import Metrics

EVERY = 50  # steps at least between measurements of generated samples
EVERY_NEAREST = 500  # and of their distance to the training samples

NUM_SAMPLES = 64  # generated ones
NUM_REAL = 256
NUM_CLASSES = 8
LARGEST_SET = 1024  # of training samples that is searched for copies
NUM_COORDINATES = 4096  # of a sample, chosen at random, that a distance is measured in
EDGE = 0.99  # from here on a value of samples in [-1, 1] counts as saturated
SMALLEST_WEIGHT = 0.01  # scale of weights that growth is measured from; DCGAN starts at 0.02


class Symptoms:
    """The symptoms of one session of a run."""

    def __init__(self, assembly: Assembly) -> None:
        self._assembly = assembly
        self._sides = assembly.training.sides.by_name
        #: what the run began with, by name
        self._beginning: Metrics = {
            f"weights/{name}": max(_scale(side.network).item(), SMALLEST_WEIGHT)
            for name, side in self._sides.items()
        }
        self._awaited = {f"gradient_norm/{name}" for name in self._sides}

    def note(self, metrics: Metrics) -> None:
        """Take in what an update has left: the gradient norms of the first are the beginning."""
        for key in self._awaited.intersection(metrics):
            self._beginning[key] = metrics[key]
            self._awaited.discard(key)

    def state(self) -> dict[str, float]:
        """The beginning of the run, for a checkpoint."""
        return {name: float(value) for name, value in sorted(self._beginning.items())}

    def load(self, beginning: Mapping[str, float]) -> None:
        """Take the beginning of a run that goes on."""
        self._beginning |= beginning
        self._awaited -= beginning.keys()

    def relative(self, averages: Mapping[str, float]) -> dict[str, float]:
        """Weights, and mean gradient norms of a line of metrics, over those at the beginning."""
        found = {}
        for name, side in self._sides.items():
            key = f"gradient_norm/{name}"
            first = float(self._beginning.get(key, 0.0))
            if key in averages and first > 0:
                found[f"relative_gradient/{name}"] = averages[key] / first
            weights = float(self._beginning[f"weights/{name}"])
            found[f"weight_growth/{name}"] = _scale(side.network).item() / weights
        return found

    def of_samples(self, step: int, log_every: int, *, last: bool) -> dict[str, float]:
        """Measure what generated samples are like, where that is due after `step` steps."""
        before = (step - 1) // log_every * log_every  # the line of metrics before this one
        if not last and step // EVERY == before // EVERY:
            return {}
        with torch.inference_mode(), torch.random.fork_rng(self._devices):
            fake, classes = self._generated()
            found = {**_spread(fake, classes, "generated"), **self._of_real}
            if self._assembly.problem.sample.scaled:
                found["saturated/generated"] = _saturated(fake)
            searched = last or step // EVERY_NEAREST > before // EVERY_NEAREST
            if searched and self._training_samples is not None:
                chosen, nearest = self._training_samples
                found["nearest/generated"] = _nearest(fake.flatten(1)[:, chosen], nearest).median()
                found["nearest/real"] = self._nearest_of_real
            names = [*found]
            return dict(zip(names, torch.stack([*found.values()]).tolist(), strict=True))

    @property
    def _devices(self) -> list[torch.device]:
        device = self._assembly.execution.device
        return [device] if device.type == "cuda" else []

    @cached_property
    def _real(self) -> Batch:
        return self._assembly.data.batches.held_out(0, NUM_REAL)

    @cached_property
    def _of_real(self) -> dict[str, Tensor]:
        """The same of real samples, on the device: constants of the run."""
        samples = self._real.samples.float()
        labels = self._real.labels if self._num_classes else None
        found = _spread(samples, labels, "real")
        if self._assembly.problem.sample.scaled:
            found["saturated/real"] = _saturated(samples)
        return found

    @property
    def _num_classes(self) -> int | None:
        """The number of classes that the generator is told, where it is told one of a label."""
        label = self._assembly.problem.conditions.get(LABEL)
        return None if label is None else label.num_classes

    @cached_property
    def _told(self) -> dict[str, Tensor]:
        """The labels to generate for: several samples of each of some classes."""
        if not self._num_classes or self._assembly.source.fed_with_data:
            return {}
        num = min(NUM_CLASSES, self._num_classes)
        classes = torch.linspace(0, self._num_classes - 1, num).round().long()
        return {LABEL: classes.repeat_interleave(NUM_SAMPLES // num)}

    def _generated(self) -> tuple[Tensor, Tensor | None]:
        """Samples `[N, ...]` and their labels `[N]`, from the same inputs each time."""
        told = self._told
        num = len(told[LABEL]) if told else NUM_SAMPLES
        real = self._real[:num]
        fake, _ = generated(self._assembly, "diagnosis", num, lambda: real, told)
        labels = told[LABEL].to(fake.device)[: len(fake)] if told else None
        return fake.float(), labels

    @cached_property
    def _training_samples(self) -> tuple[Tensor, Tensor] | None:
        """Coordinates to compare in, and the training samples there `[N, D]`; None of many."""
        batches = self._assembly.data.batches
        num = batches.num_samples
        if num is None or not 2 <= num <= LARGEST_SET:
            return None
        samples = batches.trained_on(0, num, num).samples.float().flatten(1)
        size, cpu = samples.shape[1], torch.device("cpu")
        random = self._assembly.training.randomness.generator("coordinates", device=cpu)
        chosen = torch.randperm(size, generator=random)[:NUM_COORDINATES].to(samples.device)
        return chosen, samples[:, chosen]

    @cached_property
    def _nearest_of_real(self) -> Tensor:
        """The median distance of a training sample to the nearest other one."""
        assert self._training_samples is not None
        samples = self._training_samples[1]
        return _nearest(samples, samples, same=True).median()


def _scale(network: nn.Module) -> Tensor:
    """The root of the mean square of a network's weights."""
    weights = [it for it in network.parameters() if it.requires_grad]
    norms = torch._foreach_norm([it.detach() for it in weights])
    total: Tensor = torch.linalg.vector_norm(torch.stack(norms))
    return total.div(max(1, sum(it.numel() for it in weights)) ** 0.5)


def _spread(samples: Tensor, labels: Tensor | None, whose: str) -> dict[str, Tensor]:
    """The root of the mean variance of a value over the samples, and over those of one class."""
    values = samples.flatten(1)
    found = {f"diversity/{whose}": values.var(0, correction=0).mean().sqrt()}
    if labels is None:
        return found
    _, rows, counts = torch.unique(labels, return_inverse=True, return_counts=True)
    sums = values.new_zeros(len(counts), values.shape[1]).index_add_(0, rows, values)
    differences = values - (sums / counts[:, None])[rows]
    # Of n samples about their own mean the variance comes out n - 1 over n times too small.
    degrees = (len(values) - len(counts)) / len(values)
    if degrees > 0:
        within = differences.square().mean() / degrees
        found[f"diversity_within_classes/{whose}"] = within.sqrt()
    return found


def _saturated(samples: Tensor) -> Tensor:
    """The share of values that lie at an end of their range."""
    return (samples.abs() > EDGE).float().mean()


def _nearest(samples: Tensor, others: Tensor, *, same: bool = False) -> Tensor:
    """The distance `[N]` of each sample to the nearest of the others, root mean square."""
    distances = torch.cdist(samples, others)
    if same:
        distances.fill_diagonal_(torch.inf)
    return distances.amin(1).div(samples.shape[1] ** 0.5)
