"""Starting weights: from another run or file, once, where name and shape fit."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ganforge.config.run_config import NetworkSelection, RunConfig
from ganforge.errors import CheckpointError, OtherKindError, UsageError, listed
from ganforge.plugin.specs import NetworkSpec, Side
from ganforge.printable import printable
from ganforge.storage import checkpoint, tensor_file
from ganforge.storage.checkpoint import digest
from ganforge.storage.paths import check_path
from ganforge.storage.run_directory import RunDirectory
from ganforge.storage.tensor_header import CHECKPOINT, GENERATOR

MOST_LISTED = 5


@dataclass(frozen=True, kw_only=True)
class Start:
    """Origin of a side's first weights: a file, by its digest, and what did not fit."""

    source: str
    digest: str
    num_loaded: int
    left_out: tuple[str, ...]

    def record(self) -> dict[str, Any]:
        """The provenance of the weights, as JSON."""
        return {
            "source": Path(self.source).name,
            "digest": self.digest,
            "loaded": self.num_loaded,
            "left_out": [*self.left_out],
        }


def start_from(config: RunConfig, networks: Mapping[Side, nn.Module | None]) -> dict[Side, Start]:
    """Load the starting weights that the configuration names, and tell where they came from.

    Called for a new run alone: one that goes on has them in its checkpoints. Raises UsageError
    where there is nothing to load, or where nothing of it fits.
    """
    found: dict[Side, Start] = {}
    selections: dict[Side, NetworkSelection[NetworkSpec] | None] = {
        "generator": config.generator,
        "discriminator": config.discriminator,
    }
    for side, selection in selections.items():
        network = networks[side]
        if selection is None or network is None or selection.settings.init is None:
            continue
        key, source = f"{side}.init", selection.settings.init
        stored = _weights(Path(source).expanduser(), side, key)
        if not stored and source == config.generator.settings.init:
            warnings.warn(f"{key}: {printable(source)} has a generator alone", stacklevel=2)
            continue
        if not stored:
            what = f"{printable(source)} has no {side}: name a run, or one of its checkpoints"
            raise UsageError(f"{key}: {what}")
        found[side] = _load(network, stored, key, source)
    return found


def _weights(source: Path, side: Side, key: str) -> dict[str, Tensor]:
    """The tensors of one side of a run, a checkpoint or a generator's file."""
    check_path(source, key)
    shown = printable(source)
    if source.is_dir():
        newest = checkpoint.newest_sound(RunDirectory.open(source))
        if newest is None:
            raise UsageError(f"{key}: the run in {shown} has no checkpoint yet")
        tensors = newest[1]
    elif not source.exists():
        raise UsageError(f"{key}: there is no run or file {shown}")
    else:
        try:
            tensors, _ = tensor_file.read(source, CHECKPOINT)
        except OtherKindError:
            tensors, _ = tensor_file.read(source, GENERATOR)
        except CheckpointError as error:
            raise UsageError(f"{key}: {error}") from error
    prefix = f"{side}/"
    # A generator is known by its average, where there is one.
    if side == "generator" and any(name.startswith("ema/") for name in tensors):
        prefix = "ema/"
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}


def _load(network: nn.Module, stored: Mapping[str, Tensor], key: str, source: str) -> Start:
    """Copy what fits by name and shape; the rest is listed in a warning."""
    state = network.state_dict()
    fitting = {
        name: tensor
        for name, tensor in stored.items()
        if name in state and state[name].shape == tensor.shape
    }
    left_out = sorted((state.keys() | stored.keys()) - fitting.keys())
    if not fitting:
        raise UsageError(
            f"{key}: nothing in {printable(source)} fits this network by name and shape; it has "
            f"{_some(sorted(stored))}, and the network {_some(sorted(state))}"
        )
    with torch.no_grad():
        for name, tensor in fitting.items():
            state[name].copy_(tensor)
    if left_out:
        warnings.warn(
            f"{key}: {len(fitting)} of {len(state)} tensors start from {printable(source)}; left "
            f"as they were: {_some(left_out)}",
            stacklevel=2,
        )
    return Start(
        source=source,
        digest=digest(stored),
        num_loaded=len(fitting),
        left_out=tuple(left_out),
    )


def _some(names: list[str]) -> str:
    return listed([printable(name, 60) for name in names], MOST_LISTED)
