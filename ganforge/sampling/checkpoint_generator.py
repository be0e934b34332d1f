"""The generator of a checkpoint: the weights of that step, in the generator of its run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ganforge.device.execution import Execution
from ganforge.engine.schedules import Schedules
from ganforge.errors import CheckpointError, OtherKindError
from ganforge.plugin.registry import Registry
from ganforge.printable import printable
from ganforge.storage import tensor_file
from ganforge.storage.checkpoint import differences, load_module, module_tensors
from ganforge.storage.derived import SAMPLED, as_generator
from ganforge.storage.generator_file import read_progress
from ganforge.storage.run_directory import RunDirectory
from ganforge.storage.tensor_header import CHECKPOINT, GENERATOR, read_document

from .trained_generator import TrainedGenerator, open_generator, opened


def open_any(path: Path, registry: Registry, execution: Execution) -> TrainedGenerator:
    """The generator of its own file, or of a checkpoint in a run directory.

    Raises CheckpointError where it is damaged or does not fit.
    """
    try:
        read_document(path, GENERATOR)
    except OtherKindError:
        return _of_checkpoint(path, registry, execution)
    return open_generator(path, registry, execution)


def _of_checkpoint(path: Path, registry: Registry, execution: Execution) -> TrainedGenerator:
    tensors, document = tensor_file.read(path, CHECKPOINT)
    if SAMPLED in document:
        return opened(path, *as_generator(tensors, document), registry, execution)
    # One of 0.1 holds weights alone.
    file = RunDirectory(path.parent.parent).generator
    if not file.is_file():
        raise CheckpointError(
            f"{printable(path)} is a checkpoint of ganforge 0.1, which holds weights alone: what "
            f"the generator is stands in the generator.safetensors of its run, and "
            f"{printable(file)} is not there"
        )
    trained = open_generator(file, registry, execution)
    network, game = trained.source.network, trained.source.game
    # A generator is known by its average, where there is one.
    prefix = "ema/" if any(name.startswith("ema/") for name in tensors) else "generator/"
    found = {
        name.replace(prefix, "generator/", 1): tensor
        for name, tensor in tensors.items()
        if name.startswith((prefix, "game/"))
    }
    misfit = differences(
        module_tensors("generator", network) | module_tensors("game", game), found, path
    )
    if misfit is not None:
        raise misfit
    load_module("generator", network, found)
    load_module("game", game, found)
    told = read_progress(read_document(file, GENERATOR))
    if told is not None and told.step:
        step = int(document["step"])
        images = told.images // told.step * step
        Schedules([], [network, game]).tell(replace(told, step=step, images=images))
    return trained
