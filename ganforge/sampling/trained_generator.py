"""A trained generator: opened from its file, fed, and sampled from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ganforge.contracts import Batch, Format, Inputs, Sampler
from ganforge.device.execution import Execution
from ganforge.device.randomness import Randomness
from ganforge.engine.assemble import build
from ganforge.engine.generation import draw_inputs, generate_samples
from ganforge.errors import CheckpointError, PluginError, UsageError
from ganforge.pictures.chosen_format import ChosenFormat
from ganforge.plugin.registry import Registry
from ganforge.plugin.specs import SamplerSpec
from ganforge.printable import printable
from ganforge.problem import Problem
from ganforge.storage import tensor_file
from ganforge.storage.checkpoint import differences, load_module, module_tensors
from ganforge.storage.generator_file import split_fit, stored_problem
from ganforge.storage.provenance import restore
from ganforge.storage.stored_format import stored_format
from ganforge.storage.tensor_header import GENERATOR


@dataclass(frozen=True, kw_only=True)
class TrainedGenerator:
    """A generator to sample from, on its device, in evaluation mode.

    `classes` are the names of the K classes of a conditional generator, else None.
    """

    problem: Problem
    network: nn.Module
    sampler: Sampler
    sampler_spec: SamplerSpec
    execution: Execution
    classes: tuple[str, ...] | None
    format: ChosenFormat


def open_generator(path: Path, registry: Registry, execution: Execution) -> TrainedGenerator:
    """The generator of a file. Raises CheckpointError where it is damaged or does not fit."""
    tensors, document = tensor_file.read(path, GENERATOR)
    where = printable(path)
    tensors, fit = split_fit(tensors, document)
    try:
        problem = stored_problem(document, fit)
        classes = _classes(problem.num_classes, document.get("classes"))
        records: dict[str, dict[str, Any]] = {k: document[k] for k in ("generator", "sampler")}
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{where} is damaged: its description is incomplete") from error
    chosen = {kind: restore(kind, stored, registry, where) for kind, stored in records.items()}
    shown = stored_format(document, registry, where)
    built = {}
    for kind, selection in chosen.items():
        with Randomness(0, execution.device).building(kind):
            built[kind] = selection.component.build(problem, selection.options)
    network = built["generator"]
    misfit = differences(module_tensors("generator", network), tensors, path)
    if misfit is not None:
        raise misfit
    load_module("generator", network, tensors)
    sampler_spec = chosen["sampler"].component.spec
    assert isinstance(sampler_spec, SamplerSpec)
    return TrainedGenerator(
        problem=problem,
        network=execution.place(network).eval(),
        sampler=built["sampler"],
        sampler_spec=sampler_spec,
        execution=execution,
        classes=classes,
        format=ChosenFormat(
            component=shown.component,
            format=build(shown, problem, Randomness(0, execution.device), Format),
        ),
    )


def _classes(num_classes: int | None, stored: Any) -> tuple[str, ...] | None:
    """The names of the classes; their numbers where a file was written without names."""
    if num_classes is None:
        return None
    names = tuple(str(name) for name in stored or range(num_classes))
    if len(names) != num_classes:
        raise ValueError(f"{len(names)} names for {num_classes} classes")
    return names


def feed(
    trained: TrainedGenerator,
    *,
    num: int,
    seed: int,
    labels: Tensor | None = None,
    truncation: float | None = None,
    real: Batch | None = None,
) -> Iterator[Inputs]:
    """`num` inputs for the generator, in chunks, on its device.

    `labels`, int64 `[num]`, are the classes to generate; `truncation` is the largest absolute value
    of a latent; `real` has at least `num` samples for a sampler that is paired. Raises UsageError
    where the generator can do nothing with one of these, or lacks it.
    """
    sampler = trained.sampler
    if trained.sampler_spec.paired and real is None:
        raise UsageError("this generator is fed with real samples, and there are none")
    if labels is not None:
        if trained.classes is None:
            raise UsageError("this generator was trained without labels, so it has no classes")
        if trained.sampler_spec.needs_labels and real is None:
            # Its latents depend on the labels, which it finds where those of real samples are.
            blank = torch.zeros(()).expand(num, *trained.problem.sample_shape)
            real = Batch(blank, labels)
    if truncation is not None:
        try:
            sampler = sampler.truncated(truncation)
        except ValueError as error:
            name = trained.sampler_spec.name
            raise UsageError(f"no truncation with the sampler {name!r}: {error}") from error
    randomness = Randomness(seed, trained.execution.device)
    return draw_inputs(sampler, randomness, "sample", num, labels=labels, real=real)


def draw(
    trained: TrainedGenerator,
    *,
    num: int,
    seed: int,
    labels: Tensor | None = None,
    truncation: float | None = None,
    real: Batch | None = None,
) -> tuple[Tensor, Tensor | None]:
    """`num` samples `[num, *sample_shape]`, float32 in [-1, 1] on the CPU, and their labels.

    The same seed gives the same samples, and fewer of them are the first of more. The other
    arguments, and what is raised, are those of `feed`; latents do not depend on the labels asked
    for, unless the sampler makes them so.
    """
    inputs = feed(trained, num=num, seed=seed, labels=labels, truncation=truncation, real=real)
    return gathered(make(trained, inputs))


def gathered(
    batches: Iterable[tuple[Tensor, Tensor | None]],
) -> tuple[Tensor, Tensor | None]:
    """Samples and labels of all chunks as one, the labels on the CPU."""
    chunks = list(batches)
    labels = [classes.cpu() for _, classes in chunks if classes is not None]
    return torch.cat([samples for samples, _ in chunks]), torch.cat(labels) if labels else None


def make(
    trained: TrainedGenerator, inputs: Iterable[Inputs]
) -> Iterator[tuple[Tensor, Tensor | None]]:
    """Samples, float32 on the CPU, and labels, chunk by chunk.

    Raises PluginError where the generator makes another shape than it is stored with.
    """
    for samples, labels in generate_samples(trained.network, inputs):
        if samples.shape[1:] != trained.problem.sample_shape:
            raise PluginError(
                f"the generator gave samples of shape {list(samples.shape[1:])} instead of "
                f"{list(trained.problem.sample_shape)}"
            )
        yield samples.float().cpu().contiguous(), labels
