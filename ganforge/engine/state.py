"""The state of a training: what goes into a checkpoint, and back."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from ganforge.config.run_config import RunConfig
from ganforge.data.classes import Classes
from ganforge.errors import CheckpointError
from ganforge.plugin.fields import LABEL, Field
from ganforge.printable import printable
from ganforge.sharing import shareable
from ganforge.storage import provenance
from ganforge.storage.checkpoint import (
    differences,
    digest,
    load_module,
    load_optimizer,
    module_tensors,
    optimizer_tensors,
)
from ganforge.storage.derived import SAMPLED
from ganforge.storage.descriptions import described_checkpoints
from ganforge.storage.generator_file import FIT, description, fit_tensors
from ganforge.storage.run_directory import RunDirectory
from ganforge.storage.tensor_header import (
    GENERATOR,
    read_document,
    sound_description,
)

from .assemble import Assembly
from .step import Training
from .symptoms import Symptoms
from .telemetry import Averages

TELEMETRY = "telemetry/"
OPTIMIZER = "optimizer/"


@dataclass(frozen=True, kw_only=True)
class Reached:
    """The place that a run is at: its step, and the best checkpoint that it knows of.

    It is `unfinished` where the step was done, and what is due after it (an evaluation) was not.
    """

    step: int
    best: Mapping[str, Any] | None = None
    unfinished: bool = False


def snapshot(
    assembly: Assembly, averages: Averages, symptoms: Symptoms, reached: Reached
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Every tensor and every other fact that a resumed run needs.

    And what is sampled from it, so that the generator's own file follows from it.
    """
    sums, counts = averages.state()
    training = assembly.training
    tensors = model_state(training) | fit_tensors(assembly.problem)
    for name, side in training.sides.by_name.items():
        modules = _optimized(training, name)
        tensors |= optimizer_tensors(OPTIMIZER + name, modules, side.optimizer)
    tensors |= {TELEMETRY + name: value for name, value in sums.items()}
    selections = provenance.selections(assembly.config)
    return tensors, {
        "step": reached.step,
        "config": assembly.config.to_toml(portable=True),
        "components": {
            place: shareable(provenance.record(chosen)) for place, chosen in selections.items()
        },
        "classes": _classes(assembly),
        "frozen": _frozen(training),
        "telemetry_counts": counts,
        "best": reached.best,
        "unfinished": reached.unfinished,
        "beginning": symptoms.state(),
        SAMPLED: description(assembly.config, assembly.problem, training.schedules.told),
    }


def trained_classes(run: RunDirectory, config: RunConfig) -> Classes:
    """The names of the classes that a run was trained on, by field, in the order of their numbers.

    A checkpoint of 0.1 does not have them: those of the generator beside it are taken, and where
    there is none a warning says that nothing can be compared.
    """
    for _, path, document in described_checkpoints(run):
        stored = document.get("classes")
        if stored is None:
            stored = _classes_of_0_1(run) if LABEL in config.used_fields else {}
        with sound_description(printable(path)):
            return {name: tuple(map(str, classes)) for name, classes in stored.items()}
    return {}


def _classes_of_0_1(run: RunDirectory) -> dict[str, list[str]]:
    try:
        stored = read_document(run.generator, GENERATOR).get("classes")
    except CheckpointError as error:
        warnings.warn(
            f"{error}; it has the names of the classes that the run was trained on, and without "
            "them nothing tells whether the labels of the data still mean the same",
            stacklevel=4,
        )
        stored = None
    return {} if stored is None else {LABEL: stored}


def load(
    path: Path,
    tensors: Mapping[str, Tensor],
    document: Mapping[str, Any],
    assembly: Assembly,
    averages: Averages,
    symptoms: Symptoms,
) -> None:
    """Load what is in a checkpoint. Raises CheckpointError, with nothing changed, if it misfits.

    An optimizer of another kind than the one that was stored begins anew.
    """
    training, where = assembly.training, printable(path)
    with sound_description(where):
        frozen = {**document.get("frozen", {})}
        counts = {str(name): int(it) for name, it in document["telemetry_counts"].items()}
        # A checkpoint of 0.1 has none: what is compared with it is compared with where the run
        # goes on.
        beginning = {str(name): float(it) for name, it in document.get("beginning", {}).items()}
    for name, stored in frozen.items():
        if _frozen(training).get(name) != stored:
            raise CheckpointError(
                f"{where} was trained with other frozen weights of the loss {printable(name)!r} "
                "than those that are here"
            )
    beside = (OPTIMIZER, TELEMETRY, FIT)
    state = {name: it for name, it in tensors.items() if not name.startswith(beside)}
    misfit = differences(model_state(training), state, path)
    if misfit is not None:
        raise misfit
    for prefix, module in _modules(training).items():
        load_module(prefix, module, tensors)
    for name, side in training.sides.by_name.items():
        if not _is_other_optimizer(name, assembly.config, document):
            modules = _optimized(training, name)
            load_optimizer(OPTIMIZER + name, modules, side.optimizer, tensors)
    sums = {
        name.removeprefix(TELEMETRY): tensor
        for name, tensor in tensors.items()
        if name.startswith(TELEMETRY)
    }
    with sound_description(where):
        averages.load(sums, counts, assembly.execution.device)
    symptoms.load(beginning)


def _is_other_optimizer(side: str, config: RunConfig, document: Mapping[str, Any]) -> bool:
    place = f"{side}_optimizer"
    stored = document["components"].get(place, {}).get("name")
    here = provenance.selections(config)[place].component.qualified_name
    return stored is not None and stored != here


def _modules(training: Training) -> dict[str, nn.Module]:
    """Every module with state, by the prefix of its tensors."""
    modules: dict[str, nn.Module] = {
        name: side.network for name, side in training.sides.by_name.items()
    }
    if training.sides.ema is not None:
        modules["ema"] = training.sides.ema.module
    modules["game"] = training.game
    for term in training.objective.terms:
        modules[f"loss/{term.name}"] = term.loss
    for it in training.augmenting.chosen:
        modules[f"augmentation/{it.selection.config_name}"] = it.module
    return modules


def model_state(training: Training) -> dict[str, Tensor]:
    """The tensors of every module with state, by their names in a checkpoint."""
    tensors: dict[str, Tensor] = {}
    for prefix, module in _modules(training).items():
        tensors |= module_tensors(prefix, module, frozen=not prefix.startswith("loss/"))
    return tensors


def _optimized(training: Training, side: str) -> dict[str, nn.Module]:
    """The modules whose parameters a side's optimizer moves, by the prefix of their state."""
    modules: dict[str, nn.Module] = {"": training.sides.by_name[side].network}  # type: ignore[index]
    for term in training.objective.terms:
        if term.selection.spec.parameters == side:
            modules[f"loss/{term.name}"] = term.loss
    return modules


def _frozen(training: Training) -> dict[str, str]:
    """A digest of the weights of each term that are not trained, which are not stored."""
    found = {
        term.name: {n: p for n, p in term.loss.named_parameters() if not p.requires_grad}
        for term in training.objective.terms
    }
    return {name: digest(weights) for name, weights in found.items() if weights}


def _classes(assembly: Assembly) -> dict[str, tuple[str, ...]]:
    """The names of the classes of every category that the run uses."""
    fields: dict[str, Field] = {it: assembly.data.fields[it] for it in assembly.config.used_fields}
    return {name: it.classes for name, it in sorted(fields.items()) if it.classes is not None}
