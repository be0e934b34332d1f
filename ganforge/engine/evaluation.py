"""Metrics between steps: the generator against real data, held out where the run holds some out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

import torch
from torch import Tensor

from ganforge.contracts import Batch, Dataset, Inputs
from ganforge.errors import GanforgeError, PluginError
from ganforge.printable import printable

from .assemble import Assembly, Measured
from .generation import CHUNK, draw_inputs, evaluating, generate_samples
from .step import encode, generate


def measure(
    assembly: Assembly, metrics: Sequence[Measured]
) -> tuple[dict[str, float], list[tuple[Measured, GanforgeError]]]:
    """The numbers of metrics: `metric/mae`, or `metric/modes/high_quality`; and those that failed.

    A metric's only number that bears the metric's name is called after it alone.
    """
    view = _View(assembly)
    found: dict[str, float] = {}
    failed: list[tuple[Measured, GanforgeError]] = []
    with torch.inference_mode():
        for chosen in metrics:
            name = chosen.selection.config_name
            try:
                numbers = _numbers(chosen, view)
            except GanforgeError as error:
                failed.append((chosen, error))
                continue
            alone = set(numbers) == {chosen.selection.component.name}
            for key, value in numbers.items():
                found[f"metric/{name}" if alone else f"metric/{name}/{key}"] = value
    return found, failed


def _numbers(chosen: Measured, view: _View) -> Mapping[str, float]:
    component = chosen.selection.component
    values = component.call("failed", chosen.metric.measure, view)
    numbers = isinstance(values, Mapping) and values
    if not numbers or not all(
        type(value) in (int, float) and math.isfinite(value) for value in values.values()
    ):
        raise PluginError(
            f"the metric {component.name!r} of {component.origin} must give finite numbers by "
            f"name, not {printable(repr(values), 200)}"
        )
    return dict(values)


class _View:
    """The `ganforge.Evaluation` of a run as it is now; its draws are the same each time."""

    def __init__(self, assembly: Assembly) -> None:
        self._assembly = assembly
        self._num = assembly.config.evaluation.num_samples

    @property
    def dataset(self) -> Dataset:
        return self._assembly.dataset

    @cached_property
    def _real(self) -> Batch:
        return self._assembly.batches.held_out(0, self._num)

    @property
    def real(self) -> Tensor:
        return self._real.samples

    @property
    def labels(self) -> Tensor | None:
        return self._real.labels

    @cached_property
    def _generated(self) -> tuple[Tensor, Tensor | None]:
        a = self._assembly
        real = self._real if a.paired else None
        num = self._num if real is None else len(real.samples)
        inputs = draw_inputs(a.sampler, a.randomness, "evaluation", num, real=real)
        samples, labels = zip(*generate_samples(a.sampled_network, inputs), strict=True)
        return torch.cat(samples), None if labels[0] is None else torch.cat(labels)

    @property
    def fake(self) -> Tensor:
        return self._generated[0]

    @property
    def fake_labels(self) -> Tensor | None:
        return self._generated[1]

    @cached_property
    def reconstruction(self) -> Tensor:
        if not self._assembly.wiring.encodes:
            return self.fake
        return torch.cat([*reconstructions(self._assembly, self._real)])


def reconstructions(assembly: Assembly, real: Batch) -> Iterator[Tensor]:
    """G(E(x)) of the averaged network, chunk by chunk."""
    network = assembly.sampled_network
    with torch.inference_mode(), evaluating(network):
        for start in range(0, len(real.samples), CHUNK):
            labels = None if real.labels is None else real.labels[start : start + CHUNK]
            chunk = Batch(real.samples[start : start + CHUNK], labels)
            yield generate(network, Inputs(encode(network, chunk), labels))
