"""Metrics between steps: the generator against real data, held out where the run holds some out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from ganforge.contracts import Batch, Inputs
from ganforge.errors import GanforgeError
from ganforge.measuring.comparison import Comparison, Side
from ganforge.measuring.extraction import ReadyExtractor
from ganforge.measuring.measure import ChosenMetric
from ganforge.measuring.readying import most_to_learn_from, ready
from ganforge.measuring.store import Store
from ganforge.measuring.streams import PART, Progress, Stream, no_progress
from ganforge.plugin.fields import undrawn
from ganforge.storage.cache_folder import cache_folder

from .assemble import Assembly
from .generated_samples import GeneratedSamples


def measure(
    assembly: Assembly, metrics: Sequence[ChosenMetric]
) -> tuple[dict[str, float], list[tuple[ChosenMetric, GanforgeError]]]:
    """The numbers of metrics, and those that failed, as `Evaluator` measures them."""
    return Evaluator(assembly).measure(metrics)


class Evaluator:
    """Measures a run as it is now; its draws are the same each time.

    What is extracted of real samples is kept from one evaluation to the next.
    """

    def __init__(self, assembly: Assembly, progress: Progress = no_progress) -> None:
        self._assembly = assembly
        self._progress = progress
        self._store = Store(cache_folder())
        self._ready: dict[str, ReadyExtractor] = {}
        batches, settings = assembly.data.batches, assembly.config.evaluation
        self._num = settings.num_samples
        self._real = Side(
            Stream(
                name="held-out samples" if settings.holdout else "real samples",
                num=at_most(self._num, batches.num_held_out),
                read=batches.held_out,
            ),
            progress,
        )
        self._trained_on = None
        if settings.holdout:
            self._trained_on = Side(_trained_on(assembly, self._num), progress)

    def measure(
        self, metrics: Sequence[ChosenMetric]
    ) -> tuple[dict[str, float], list[tuple[ChosenMetric, GanforgeError]]]:
        """The numbers of metrics: `metric/mae`, or `metric/modes/high_quality`; and the failed."""
        comparison = self._comparison()
        found: dict[str, float] = {}
        failed: list[tuple[ChosenMetric, GanforgeError]] = []
        for chosen in metrics:
            try:
                numbers = chosen.measure(comparison, self._extractor_of(chosen))
            except GanforgeError as error:
                failed.append((chosen, error))
                continue
            found |= {f"metric/{name}": value for name, value in numbers.items()}
        for side in (self._real, self._trained_on):
            if side is not None:
                side.forget_samples()
        return found, failed

    def _comparison(self) -> Comparison:
        a = self._assembly
        made = GeneratedSamples(
            source=a.source,
            problem=a.problem,
            randomness=a.training.randomness,
            stream="evaluation",
            real=self._real.stream,
        )
        return Comparison(
            dataset=a.data.dataset,
            real=self._real,
            fake=Side(made.as_stream(self._num, cached=False), self._progress),
            training=self._trained_on,
            reconstruct=lambda: made.reconstruct_all(PART),
        )

    def _extractor_of(self, chosen: ChosenMetric) -> ReadyExtractor | None:
        selection = chosen.selection.features
        if selection is None:
            return None
        name = selection.config_name
        if name not in self._ready:
            a = self._assembly
            network = a.extractors[name]
            lesson = _trained_on(a, most_to_learn_from(a.problem.sample_shape))
            self._ready[name] = ready(
                selection,
                network,
                lesson=lesson,
                execution=a.execution,
                store=self._store,
                progress=self._progress,
            )
        return self._ready[name]


def _trained_on(assembly: Assembly, num: int) -> Stream:
    """At most so many of the samples that are trained on, evenly among them."""
    batches = assembly.data.batches
    of = at_most(num, batches.num_samples)
    return Stream(
        name="training samples",
        num=of,
        read=lambda start, num: batches.trained_on(start, num, of),
    )


def at_most(wanted: int, there: int | None) -> int:
    """The number of samples to be had where so many are wanted; an endless set has them all."""
    return wanted if there is None else min(wanted, there)


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
        for name in undrawn(problem.conditions):
            if name not in told:
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
