"""Samples from a trained generator, and the file that holds one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ganforge.config import RunConfig
from ganforge.contracts import Inputs, Sampler
from ganforge.errors import CheckpointError, PluginError
from ganforge.printable import printable
from ganforge.problem import Problem
from ganforge.registry import Registry

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
    """A generator to sample from, on its device, in evaluation mode."""

    problem: Problem
    network: nn.Module
    sampler: Sampler
    execution: Execution


def draw_inputs(
    sampler: Sampler, randomness: Randomness, stream: str, num: int
) -> Iterator[Inputs]:
    """`num` inputs in chunks, as a function of seed and stream alone."""
    for start in range(0, num, CHUNK):
        generator = randomness.generator(stream, start // CHUNK)
        values, labels = sampler.sample(CHUNK, generator=generator)
        size = min(CHUNK, num - start)
        yield Inputs(values[:size], None if labels is None else labels[:size])


def generate_samples(
    network: nn.Module, chunks: Iterator[Inputs]
) -> Iterator[tuple[Tensor, Tensor | None]]:
    """Samples `[B, *sample_shape]` and labels, chunk by chunk, without touching training."""
    was_training = network.training
    network.eval()
    try:
        with torch.inference_mode():
            for inputs in chunks:
                yield generate(network, inputs), inputs.labels
    finally:
        network.train(was_training)


def write_generator(path: Path, network: nn.Module, config: RunConfig, problem: Problem) -> None:
    """Write the generator with all that is needed to sample from it. Raises CheckpointError."""
    document = {
        "generator": record(config.generator),
        "sampler": record(config.sampler),
        "problem": {
            "sample_shape": problem.sample_shape,
            "input_shape": problem.input_shape,
            "num_classes": problem.num_classes,
        },
    }
    tensorfile.write(path, KIND, module_tensors("generator", network), document)


def open_generator(path: Path, registry: Registry, execution: Execution) -> TrainedGenerator:
    """The generator of a file. Raises CheckpointError where it is damaged or does not fit."""
    tensors, document = tensorfile.read(path, KIND)
    where = printable(path)
    try:
        stored = document["problem"]
        classes = stored["num_classes"]
        problem = Problem(
            sample_shape=tuple(int(side) for side in stored["sample_shape"]),
            input_shape=tuple(int(side) for side in stored["input_shape"]),
            num_classes=None if classes is None else int(classes),
        )
        records: dict[str, dict[str, Any]] = {k: document[k] for k in ("generator", "sampler")}
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{where} is damaged: its description is incomplete") from error
    built = {}
    for kind, stored in records.items():
        selection = restore(kind, stored, registry, where)
        with Randomness(0, execution.device).building(kind):
            built[kind] = selection.component.build(problem, selection.options)
    network = built["generator"]
    misfit = differences(module_tensors("generator", network), tensors, path)
    if misfit is not None:
        raise misfit
    load_module("generator", network, tensors)
    return TrainedGenerator(
        problem=problem,
        network=execution.place(network).eval(),
        sampler=built["sampler"],
        execution=execution,
    )


def draw(trained: TrainedGenerator, *, num: int, seed: int) -> tuple[Tensor, Tensor | None]:
    """`num` samples `[num, *sample_shape]`, float32 in [-1, 1] on the CPU, and their labels.

    The same seed gives the same samples, and fewer of them are the first of more.
    """
    randomness = Randomness(seed, trained.execution.device)
    chunks = draw_inputs(trained.sampler, randomness, "sample", num)
    samples, labels = [], []
    for batch, classes in generate_samples(trained.network, chunks):
        if batch.shape[1:] != trained.problem.sample_shape:
            raise PluginError(
                f"the generator gave samples of shape {list(batch.shape[1:])} instead of "
                f"{list(trained.problem.sample_shape)}"
            )
        samples.append(batch.float().cpu().contiguous())
        if classes is not None:
            labels.append(classes.cpu())
    return torch.cat(samples), torch.cat(labels) if labels else None
