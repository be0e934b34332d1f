"""The evaluation itself: samples against real ones, metric by metric, and the floor of each."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from hashlib import blake2b
from pathlib import Path

from torch import Tensor

from ganforge.contracts import Metric
from ganforge.data.classes import Classes
from ganforge.device.execution import Execution
from ganforge.device.randomness import Randomness
from ganforge.engine.building import build, build_extractor
from ganforge.engine.generated_samples import GeneratedSamples
from ganforge.errors import GanforgeError, UsageError
from ganforge.measuring.comparison import Comparison, Side
from ganforge.measuring.extraction import ReadyExtractor
from ganforge.measuring.measure import ChosenMetric
from ganforge.measuring.readying import most_to_learn_from, ready
from ganforge.measuring.store import Store
from ganforge.measuring.streams import PART, Progress, Stream, no_progress
from ganforge.plugin.fields import LABEL, SAMPLE
from ganforge.plugin.registry import Registry
from ganforge.printable import printable
from ganforge.problem import Problem
from ganforge.sampling.real_samples import select_data
from ganforge.sampling.trained_generator import TrainedGenerator, open_generator, truncated
from ganforge.sharing import shareable
from ganforge.storage.cache_folder import cache_folder

from .floors import Floors
from .plan import Plan
from .scores import Evaluated, Floor, Score
from .sides import open_real, samples_of_arrays, samples_of_folder


def carry_out(plan: Plan, registry: Registry, progress: Progress = no_progress) -> Evaluated:
    """Evaluate as planned, and note the scores of a run beside it.

    Raises DataError where data does not fit, and PluginError where a metric that was named fails;
    of those that nobody named a failure is a warning.
    """
    found = _Evaluation(plan, registry, progress).scores()
    if plan.source.run is not None:
        _keep(plan.source.run.evaluations, found)
    return found


class _Evaluation:
    def __init__(self, plan: Plan, registry: Registry, progress: Progress) -> None:
        self._plan = plan
        self._registry = registry
        self._progress = progress
        self._store = Store(cache_folder())
        self._execution = Execution.from_settings(plan.execution)
        self._trained: TrainedGenerator | None = None
        if plan.source.generator is not None:
            trained = open_generator(plan.source.generator, registry, self._execution)
            self._trained = truncated(trained, plan.request.truncation)
        elif plan.request.truncation is not None:
            raise UsageError("--truncation is for a generator, and these are samples")
        self._real = open_real(plan, self._execution, self._classes())
        self._ready: dict[str, ReadyExtractor] = {}

    def _classes(self) -> Classes:
        conditions = {} if self._trained is None else self._trained.problem.conditions
        return {name: it.classes for name, it in conditions.items() if it.classes is not None}

    def scores(self) -> Evaluated:
        plan, real = self._plan, self._real
        num = plan.request.num
        stream = real.held(num) if plan.split == "held-out" else real.training(num)
        real_side = self._side(stream)
        fake, reconstruct, labelled = self._fake(stream)
        comparison = Comparison(
            dataset=real.dataset,
            real=real_side,
            fake=self._side(fake),
            training=self._side(real.training(num)) if self._has_training() else None,
            reconstruct=reconstruct,
        )
        selections, left_out = plan.metrics(real.fields)
        floors = Floors(comparison, real, plan, self._progress)
        problem = self._problem(labelled)
        scores: list[Score] = []
        failed: dict[str, str] = {}
        for selection in selections:
            name = self._registry.short_name(selection.component)
            randomness = Randomness(0, self._execution.device)
            try:
                metric = build(selection, problem, randomness, Metric)
                chosen = ChosenMetric(selection=selection, metric=metric)
                scores += self._scores_of(chosen, comparison, floors)
            except UsageError as error:  # not for such samples, or not for so few
                if plan.request.metrics:
                    raise
                left_out[name] = str(error)
            except GanforgeError as error:
                if plan.request.metrics:
                    raise
                failed[name] = str(error)
                warnings.warn(f"{error}; it is left out", stacklevel=2)
        return Evaluated(
            source=str(plan.request.path),
            dataset=plan.dataset.config_name,
            split=plan.split,
            num_real=stream.num,
            num=fake.num,
            seed=plan.request.seed if self._trained is not None else None,
            scores=tuple(scores),
            extractors={name: it.network.describe() for name, it in self._ready.items()},
            fingerprints={name: it.fingerprint for name, it in self._ready.items()},
            left_out=left_out,
            failed=failed,
            generator=self._digest,
            truncation=plan.request.truncation,
        )

    def _has_training(self) -> bool:
        # What is compared with is not what was trained on, or every sample would be a copy.
        return self._plan.split == "held-out"

    def _scores_of(
        self, chosen: ChosenMetric, comparison: Comparison, floors: Floors
    ) -> list[Score]:
        extractor = self._extractor_of(chosen)
        selection = chosen.selection
        values = chosen.metric_values(comparison, extractor)
        floor = self._floors(chosen, extractor, floors)
        return [
            Score(
                name=selection.full_name(number, [*values]),
                value=value,
                better=selection.direction(number),
                features=None if extractor is None else extractor.name,
                floor=floor.get(number),
            )
            for number, value in values.items()
        ]

    def _floors(
        self, chosen: ChosenMetric, extractor: ReadyExtractor | None, floors: Floors
    ) -> dict[str, Floor]:
        """The floors of a metric's numbers; none where real samples cannot take the place."""
        found = floors.of(chosen.selection)
        if found is None:
            return {}
        against, words = found
        try:
            values = chosen.metric_values(against, extractor)
        except GanforgeError as error:
            warnings.warn(f"{error}, for real samples against real ones", stacklevel=2)
            return {}
        sizes = {"num_real": against.real.num, "num": against.fake.num}
        return {
            number: Floor(value=value, compared=words, **sizes) for number, value in values.items()
        }

    def _side(self, stream: Stream) -> Side:
        return Side(stream, self._progress)

    def _problem(self, labelled: bool) -> Problem:
        if self._trained is not None:
            return self._trained.problem
        fields = self._real.fields
        told = {LABEL: fields[LABEL]} if labelled and LABEL in fields else {}
        return Problem(sample=fields[SAMPLE], conditions=told, fit=self._real.dataset.fit)

    def _fake(self, real: Stream) -> tuple[Stream, Callable[[], Tensor] | None, bool]:
        """The samples that are evaluated, their reconstructions, and whether they have labels."""
        plan = self._plan
        if self._trained is not None:
            return (*self._generated(self._trained, real), True)
        if plan.source.kind == "arrays":
            stream = samples_of_arrays(plan, self._real, self._execution)
            return stream, None, LABEL in plan.source.conditions
        shape = self._real.fields[SAMPLE].known_shape
        selection = select_data(str(plan.source.path), None, self._registry, shape)
        stream, labelled = samples_of_folder(plan, selection, self._real, self._execution)
        return stream, None, labelled

    def _generated(
        self, trained: TrainedGenerator, real: Stream
    ) -> tuple[Stream, Callable[[], Tensor]]:
        plan = self._plan
        made = GeneratedSamples(
            source=trained.source,
            problem=trained.problem,
            randomness=Randomness(plan.request.seed, self._execution.device),
            stream="sample",
            real=real,
        )
        key = None
        if not made.needs_real:
            told = f"seed {plan.request.seed}, truncation {plan.request.truncation}"
            key = f"{self._digest}, {told}, {self._execution.device.type}"
        return made.as_stream(plan.request.num, key=key), lambda: made.reconstruct_all(PART)

    @cached_property
    def _digest(self) -> str | None:
        """The digest of the generator's file; None where samples are evaluated."""
        path = self._plan.source.generator
        return None if path is None else _digest(path)

    def _extractor_of(self, chosen: ChosenMetric) -> ReadyExtractor | None:
        selection = chosen.selection.features
        if selection is None:
            return None
        name = selection.config_name
        if name not in self._ready:
            real = self._real
            network = build_extractor(selection, real.fields, real.dataset.fit)
            lesson = real.training(most_to_learn_from(real.fields[SAMPLE].known_shape))
            self._ready[name] = ready(
                selection,
                network,
                lesson=replace(lesson, name="the training samples"),
                execution=self._execution,
                store=self._store,
                progress=self._progress,
            )
        return self._ready[name]


def _digest(path: Path) -> str:
    digest = blake2b(digest_size=16)
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _keep(path: Path, found: Evaluated) -> None:
    """Append the scores to the file of a run. Where that cannot be, it is a warning."""
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(shareable(found.document())) + "\n")
    except OSError as error:
        warnings.warn(
            f"{printable(path)} cannot be written ({error.strerror}); the scores are not kept",
            stacklevel=2,
        )
