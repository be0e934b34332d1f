"""The state of a training: what goes into a checkpoint, and back."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from ganforge.storage import provenance
from ganforge.storage.checkpoint import (
    differences,
    load_module,
    load_optimizer,
    module_tensors,
    newest_sound,
    optimizer_tensors,
)
from ganforge.storage.run_directory import RunDirectory

from .assemble import Assembly
from .step import Trained
from .telemetry import Averages

TELEMETRY = "telemetry/"
OPTIMIZER = "optimizer/"


def snapshot(
    assembly: Assembly, averages: Averages, step: int
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Every tensor and every other fact that a resumed run needs, after `step` steps."""
    sums, counts = averages.state()
    tensors = _module_tensors(assembly)
    for name, trained in _trained(assembly).items():
        tensors |= optimizer_tensors(OPTIMIZER + name, trained.network, trained.optimizer)
    tensors |= {TELEMETRY + name: value for name, value in sums.items()}
    selections = provenance.selections(assembly.config)
    return tensors, {
        "step": step,
        "config": assembly.config.to_toml(),
        "components": {place: provenance.record(chosen) for place, chosen in selections.items()},
        "telemetry_counts": counts,
    }


def load_newest(run: RunDirectory, assembly: Assembly, averages: Averages) -> int:
    """Load the newest sound checkpoint, and return its step; 0 where none was written yet.

    Raises CheckpointError, with nothing changed, where it does not fit.
    """
    found = newest_sound(run)
    if found is None:
        return 0
    path, tensors, document = found
    provenance.warn_of_versions(assembly.config, document["components"], str(run))
    state = {n: t for n, t in tensors.items() if not n.startswith((OPTIMIZER, TELEMETRY))}
    misfit = differences(_module_tensors(assembly), state, path)
    if misfit is not None:
        raise misfit
    for prefix, module in _modules(assembly).items():
        load_module(prefix, module, tensors)
    for name, trained in _trained(assembly).items():
        load_optimizer(OPTIMIZER + name, trained.network, trained.optimizer, tensors)
    sums = {
        name.removeprefix(TELEMETRY): tensor
        for name, tensor in tensors.items()
        if name.startswith(TELEMETRY)
    }
    averages.load(sums, document["telemetry_counts"], assembly.execution.device)
    return int(document["step"])


def _trained(assembly: Assembly) -> dict[str, Trained]:
    found = {"generator": assembly.generator}
    if assembly.discriminator is not None:
        found["discriminator"] = assembly.discriminator
    return found


def _modules(assembly: Assembly) -> dict[str, nn.Module]:
    """Every module with state, by the prefix of its tensors."""
    modules = {name: trained.network for name, trained in _trained(assembly).items()}
    if assembly.ema is not None:
        modules["ema"] = assembly.ema.module
    for term in assembly.objective.terms:
        modules[f"loss/{term.name}"] = term.loss
    return modules


def _module_tensors(assembly: Assembly) -> dict[str, Tensor]:
    tensors: dict[str, Tensor] = {}
    for prefix, module in _modules(assembly).items():
        tensors |= module_tensors(prefix, module)
    return tensors
