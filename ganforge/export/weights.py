"""The weights of a generator as plain safetensors, and the state that its training was left in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch

from ganforge.errors import UsageError
from ganforge.sampling.trained_generator import TrainedGenerator
from ganforge.storage import tensor_file
from ganforge.storage.checkpoint import newest_sound
from ganforge.storage.run_directory import RunDirectory
from ganforge.storage.tensor_header import CHECKPOINT

NETWORKS = (
    "generator",
    "discriminator",
    "game",
    "generator_optimizer",
    "discriminator_optimizer",
)


def weights_bytes(trained: TrainedGenerator, description: Mapping[str, Any]) -> bytes:
    """The contents of a safetensors file with the names of the network's own `state_dict`."""
    tensors = tensor_file.storable(trained.source.network.state_dict())
    # What other programs look for: the framework whose layout the tensors have.
    metadata = {"format": "pt", "description": json.dumps(description)}
    return safetensors.torch.save(tensors, metadata)


def write_training_state(run: RunDirectory, path: Path) -> int:
    """Write what a training can go on from, and return the step that it was left in.

    Both networks, the average, the optimizers and what losses, games and augmentations hold: the
    tensors of the newest checkpoint under their names there, so that `--init` takes the file. The
    configuration stays out of it, and with it the paths of this machine. Raises UsageError where
    the run has no checkpoint.
    """
    newest = newest_sound(run)
    if newest is None:
        raise UsageError(f"the run in {run} has no checkpoint yet, and so no training state")
    _, tensors, document = newest
    left = ("telemetry/", "fit/")
    kept = {name: it for name, it in tensors.items() if not name.startswith(left)}
    components = {place: it for place, it in document["components"].items() if place in NETWORKS}
    tensor_file.write(path, CHECKPOINT, kept, {"step": document["step"], "components": components})
    return int(document["step"])
