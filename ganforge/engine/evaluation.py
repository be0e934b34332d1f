"""Metrics between steps: the generator against real data, held out where the run holds some out."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

import torch
from torch import Tensor

from ganforge.contracts import Batch, Dataset, Inputs
from ganforge.errors import GanforgeError, PluginError
from ganforge.plugin.fields import LABEL
from ganforge.printable import printable

from .assemble import Assembly, ChosenMetric


def measure(
    assembly: Assembly, metrics: Sequence[ChosenMetric]
) -> tuple[dict[str, float], list[tuple[ChosenMetric, GanforgeError]]]:
    """The numbers of metrics: `metric/mae`, or `metric/modes/high_quality`; and those that failed.

    A metric's only number that bears the metric's name is called after it alone.
    """
    evaluation = _Evaluation(assembly)
    found: dict[str, float] = {}
    failed: list[tuple[ChosenMetric, GanforgeError]] = []
    with torch.inference_mode():
        for chosen in metrics:
            name = chosen.selection.config_name
            try:
                numbers = _numbers(chosen, evaluation)
            except GanforgeError as error:
                failed.append((chosen, error))
                continue
            alone = set(numbers) == {chosen.selection.component.name}
            for key, value in numbers.items():
                found[f"metric/{name}" if alone else f"metric/{name}/{key}"] = value
    return found, failed


def _numbers(chosen: ChosenMetric, evaluation: _Evaluation) -> Mapping[str, float]:
    component = chosen.selection.component
    values = component.call("failed", chosen.metric.measure, evaluation)
    numbers = isinstance(values, Mapping) and values
    if not numbers or not all(
        type(value) in (int, float) and math.isfinite(value) for value in values.values()
    ):
        raise PluginError(
            f"the metric {component.name!r} of {component.origin} must give finite numbers by "
            f"name, not {printable(repr(values), 200)}"
        )
    return dict(values)


class _Evaluation:
    """The `ganforge.Evaluation` of a run as it is now; its draws are the same each time."""

    def __init__(self, assembly: Assembly) -> None:
        self._assembly = assembly
        self._num = assembly.config.evaluation.num_samples

    @property
    def dataset(self) -> Dataset:
        return self._assembly.data.dataset

    @cached_property
    def _real(self) -> Batch:
        return self._assembly.data.batches.held_out(0, self._num)

    @property
    def real(self) -> Tensor:
        return self._real.samples

    @property
    def conditions(self) -> Mapping[str, Tensor]:
        return self._real.others

    @property
    def labels(self) -> Tensor | None:
        return self._real.labels

    @cached_property
    def _generated(self) -> tuple[Tensor, list[Inputs]]:
        return generated(self._assembly, "evaluation", self._num, lambda: self._real)

    @property
    def fake(self) -> Tensor:
        return self._generated[0]

    @cached_property
    def fake_conditions(self) -> Mapping[str, Tensor]:
        chunks = self._generated[1]
        return {name: torch.cat([it.others[name] for it in chunks]) for name in chunks[0].others}

    @property
    def fake_labels(self) -> Tensor | None:
        return self.fake_conditions.get(LABEL)

    @cached_property
    def reconstruction(self) -> Tensor:
        source = self._assembly.source
        return torch.cat([*source.reconstructions(self._real, self._generated[1])])


def generated(
    assembly: Assembly,
    stream: str,
    num: int,
    real: Callable[[], Batch],
    conditions: Mapping[str, Tensor] | None = None,
) -> tuple[Tensor, list[Inputs]]:
    """Samples of a run as it is now, and what they were made of.

    `real` reads real samples where they are asked for: to be shown to a sampler that makes its
    inputs of them, and for the conditions that no sampler can draw.
    """
    source, problem = assembly.source, assembly.problem
    told = dict(conditions or {})
    if source.fed_with_data:
        num = len(real())
    else:
        for name, field in problem.conditions.items():
            if field.kind != "category" and name not in told:
                num = min(num, len(real()))
                told[name] = real().others[name]
    inputs = source.inputs(
        assembly.training.randomness,
        stream,
        num,
        conditions=told,
        real=real() if source.fed_with_data else None,
    )
    chunks = [*source.samples(inputs)]
    return torch.cat([samples for samples, _ in chunks]), [fed for _, fed in chunks]
