"""Samples from a trained generator, and the file that holds one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ganforge.config import RunConfig
from ganforge.contracts import Batch, Inputs, Sampler
from ganforge.errors import CheckpointError, PluginError, UsageError
from ganforge.printable import printable
from ganforge.problem import Problem
from ganforge.registry import Registry
from ganforge.specs import SamplerSpec

from . import tensorfile
from .checkpoint import differences, load_module, module_tensors
from .execution import Execution
from .provenance import record, restore
from .randomness import Randomness
from .step import generate

KIND = "generator"
CHUNK = 64  # samples drawn at once: the first n of a seed are the same however many are asked for


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


def draw_inputs(
    sampler: Sampler,
    randomness: Randomness,
    stream: str,
    num: int,
    *,
    labels: Tensor | None = None,
    real: Batch | None = None,
) -> Iterator[Inputs]:
    """`num` inputs in chunks, as a function of seed and stream alone.

    `labels`, int64 `[num]`, replace those that the sampler draws. `real` has at least `num`
    samples, for a sampler that is paired: input i is made of sample i.
    """
    device = randomness.device
    for start in range(0, num, CHUNK):
        generator = randomness.generator(stream, start // CHUNK)
        share = None if real is None else _share(real, start, num, device)
        values, drawn = sampler.sample(CHUNK, generator=generator, real=share)
        size = min(CHUNK, num - start)
        wanted = drawn if labels is None else labels[start : start + size].to(device)
        yield Inputs(values[:size], None if wanted is None else wanted[:size])


def _share(real: Batch, start: int, num: int, device: torch.device) -> Batch:
    """One chunk of the first `num` real samples, whole, so that draws do not depend on `num`."""
    chosen = torch.arange(start, start + CHUNK).clamp_(max=num - 1)
    samples = real.samples[chosen.to(real.samples.device)].to(device)
    labels = None if real.labels is None else real.labels[chosen.to(real.labels.device)].to(device)
    return Batch(samples, labels)


def generate_samples(
    network: nn.Module, chunks: Iterable[Inputs]
) -> Iterator[tuple[Tensor, Tensor | None]]:
    """Samples `[B, *sample_shape]` and labels, chunk by chunk, without touching training."""
    with torch.inference_mode(), evaluating(network):
        for inputs in chunks:
            yield generate(network, inputs), inputs.labels


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """The network in evaluation mode, and afterwards in the one that it was in."""
    was_training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(was_training)


def write_generator(
    path: Path,
    network: nn.Module,
    config: RunConfig,
    problem: Problem,
    classes: tuple[str, ...] | None = None,
) -> None:
    """Write the generator with all that is needed to sample from it. Raises CheckpointError.

    `classes` are the names of the K classes of a conditional run.
    """
    document = {
        "generator": record(config.generator),
        "sampler": record(config.sampler),
        "problem": {
            "sample_shape": problem.sample_shape,
            "input_shape": problem.input_shape,
            "num_classes": problem.num_classes,
        },
        "classes": None if problem.num_classes is None else classes,
    }
    tensorfile.write(path, KIND, module_tensors("generator", network), document)


def open_generator(path: Path, registry: Registry, execution: Execution) -> TrainedGenerator:
    """The generator of a file. Raises CheckpointError where it is damaged or does not fit."""
    tensors, document = tensorfile.read(path, KIND)
    where = printable(path)
    try:
        stored = document["problem"]
        num_classes = stored["num_classes"]
        problem = Problem(
            sample_shape=tuple(int(side) for side in stored["sample_shape"]),
            input_shape=tuple(int(side) for side in stored["input_shape"]),
            num_classes=None if num_classes is None else int(num_classes),
        )
        classes = _classes(problem.num_classes, document.get("classes"))
        records: dict[str, dict[str, Any]] = {k: document[k] for k in ("generator", "sampler")}
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{where} is damaged: its description is incomplete") from error
    chosen = {kind: restore(kind, stored, registry, where) for kind, stored in records.items()}
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
