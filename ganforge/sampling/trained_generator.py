"""A trained generator: opened from its file, fed, and sampled from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganforge.contracts import Batch, Format, Inputs, Sampler
from ganforge.device.execution import Execution
from ganforge.device.randomness import Randomness
from ganforge.engine.building import build, build_generator
from ganforge.engine.generation import Source
from ganforge.engine.saved_values import nonfinite
from ganforge.engine.schedules import Schedules
from ganforge.errors import CheckpointError, PluginError, UsageError, listed, shortened
from ganforge.pictures.chosen_format import ChosenFormat
from ganforge.plugin.fields import LABEL, grouped, undrawn
from ganforge.plugin.registry import Registry
from ganforge.plugin.specs import GameSpec, GeneratorSpec, SamplerSpec
from ganforge.printable import printable
from ganforge.problem import Problem
from ganforge.storage import tensor_file
from ganforge.storage.checkpoint import differences, load_module, module_tensors
from ganforge.storage.generator_file import read_problem, read_progress
from ganforge.storage.provenance import restore
from ganforge.storage.stored_format import stored_format
from ganforge.storage.tensor_header import GENERATOR, sound_description


@dataclass(frozen=True, kw_only=True)
class TrainedGenerator:
    """A generator to sample from, on its device, in evaluation mode.

    `classes` are the names of the K classes of a conditional generator, else None.
    """

    problem: Problem
    source: Source
    format: ChosenFormat
    execution: Execution

    @property
    def classes(self) -> tuple[str, ...] | None:
        label = self.problem.conditions.get(LABEL)
        return None if label is None else label.classes

    @property
    def sampler_spec(self) -> SamplerSpec:
        return self.source.selection.spec


def open_generator(path: Path, registry: Registry, execution: Execution) -> TrainedGenerator:
    """The generator of a file. Raises CheckpointError where it is damaged or does not fit."""
    return opened(path, *tensor_file.read(path, GENERATOR), registry, execution)


def opened(
    path: Path,
    tensors: dict[str, Tensor],
    document: Mapping[str, Any],
    registry: Registry,
    execution: Execution,
) -> TrainedGenerator:
    """The generator of these tensors and this document, which `path` holds.

    Raises CheckpointError where they do not fit.
    """
    where = printable(path)
    with sound_description(where):
        problem = read_problem(document, tensors)
        progress = read_progress(document)
        records: dict[str, dict[str, Any]] = {k: document[k] for k in ("generator", "sampler")}
    generator = restore(GeneratorSpec, records["generator"], registry, where)
    sampler = restore(SamplerSpec, records["sampler"], registry, where)
    game = restore(GameSpec, _game(document, generator.spec, registry), registry, where)
    shown = stored_format(document, registry, where)
    randomness = Randomness(0, execution.device)
    built = build_generator(game, generator, problem, randomness, execution)
    expected = module_tensors("generator", built.network) | module_tensors("game", built.game)
    misfit = differences(expected, tensors, path)
    if misfit is not None:
        raise misfit
    if bad := nonfinite(tensors, nonfinite(expected)):
        raise CheckpointError(
            f"{where} holds values that are NaN or infinite, and so would its samples: "
            f"{shortened(bad)}. An earlier checkpoint of its run may be finite: "
            "`ganforge train --resume RUN` says which"
        )
    load_module("generator", built.network, tensors)
    load_module("game", built.game, tensors)
    if progress is not None:
        Schedules([], [built.network, built.game]).tell(progress)
    return TrainedGenerator(
        problem=problem,
        source=Source(
            network=built.network.eval(),
            generator=generator,
            game=built.game.eval(),
            sampler=build(sampler, problem, randomness, Sampler),
            selection=sampler,
            keywords=grouped(problem.conditions),
            device=execution.device,
            truncates=generator.spec.truncates and game.spec.conditions,
        ),
        format=ChosenFormat(
            component=shown.component, format=build(shown, problem, randomness, Format)
        ),
        execution=execution,
    )


def _game(
    document: Mapping[str, Any], generator: GeneratorSpec, registry: Registry
) -> dict[str, Any]:
    """The record of the game; of a file of 0.1, the usual one of the generator."""
    if "game" in document:
        record: dict[str, Any] = document["game"]
        return record
    component = registry.find(GameSpec, generator.game)
    return {
        "name": component.qualified_name,
        "package": component.plugin.package,
        "version": component.plugin.version,
        "options": {},
    }


def truncated(trained: TrainedGenerator, truncation: float | None) -> TrainedGenerator:
    """The generator with less variety, as far as one is asked for: the less, the nearer to 0.

    Raises UsageError where it can do nothing with it.
    """
    if truncation is None:
        return trained
    try:
        return replace(trained, source=trained.source.truncated(truncation))
    except ValueError as error:
        name = trained.sampler_spec.name
        raise UsageError(f"no truncation with the sampler {name!r}: {error}") from error


def feed(
    trained: TrainedGenerator,
    *,
    num: int,
    seed: int,
    conditions: Mapping[str, Tensor] | None = None,
    real: Batch | None = None,
) -> Iterator[Inputs]:
    """`num` inputs for the generator, in chunks, on its device.

    `conditions`, each `[num, ...]`, are what to generate for: `label` is int64; `real` has at least
    `num` samples for a sampler that makes its inputs of them, and gives the conditions that are not
    named. Raises UsageError where the generator can do nothing with one of these, or lacks it.
    """
    source = trained.source
    if source.fed_with_data and real is None:
        raise UsageError("this generator is fed with real samples, and there are none")
    told = dict(conditions or {})
    for name in told:
        if name == LABEL and trained.classes is None:
            raise UsageError("this generator was trained without labels, so it has no classes")
        if name not in trained.problem.conditions:
            known = listed(list(trained.problem.conditions))
            raise UsageError(f"this generator is told {known}, and not {printable(name)!r}")
    for name, field in trained.problem.conditions.items():
        if name not in told and real is not None and name in real.others:
            told[name] = real.others[name][:num]
        elif name not in told and name in undrawn(trained.problem.conditions):
            raise UsageError(
                f"this generator is told {name!r} ({field.shown()}), which nothing draws: give it "
                f"with --condition {name}=VALUE, or a data set that has it with --dataset NAME|PATH"
            )
    randomness = Randomness(seed, trained.execution.device)
    shown = real if source.fed_with_data else None
    return source.inputs(randomness, "sample", num, conditions=told, real=shown)


def draw(
    trained: TrainedGenerator,
    *,
    num: int,
    seed: int,
    labels: Tensor | None = None,
    conditions: Mapping[str, Tensor] | None = None,
    truncation: float | None = None,
    real: Batch | None = None,
) -> tuple[Tensor, Tensor | None]:
    """`num` samples `[num, *sample_shape]`, float32 in [-1, 1] on the CPU, and their labels.

    The same seed gives the same samples, and fewer of them are the first of more. The other
    arguments, and what is raised, are those of `feed` and `truncated`, `labels` being the condition
    `label`; latents do not depend on the labels asked for, unless the sampler makes them so.
    """
    told = dict(conditions or {})
    if labels is not None:
        told[LABEL] = labels
    trained = truncated(trained, truncation)
    inputs = feed(trained, num=num, seed=seed, conditions=told, real=real)
    return gathered(make(trained, inputs))


def gathered(
    batches: Iterable[tuple[Tensor, Inputs]],
) -> tuple[Tensor, Tensor | None]:
    """Samples and labels of all chunks as one, the labels on the CPU."""
    chunks = list(batches)
    labels = [fed.labels.cpu() for _, fed in chunks if fed.labels is not None]
    return torch.cat([samples for samples, _ in chunks]), torch.cat(labels) if labels else None


def make(trained: TrainedGenerator, inputs: Iterable[Inputs]) -> Iterator[tuple[Tensor, Inputs]]:
    """Samples, float32 on the CPU, and what they were made of, chunk by chunk.

    Raises PluginError where the generator makes another shape than it is stored with.
    """
    for samples, fed in trained.source.samples(inputs):
        if samples.shape[1:] != trained.problem.sample_shape:
            raise PluginError(
                f"the generator gave samples of shape {list(samples.shape[1:])} instead of "
                f"{list(trained.problem.sample_shape)}"
            )
        yield samples.float().cpu().contiguous(), fed
