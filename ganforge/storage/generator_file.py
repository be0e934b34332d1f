"""The file of a trained generator: all that is needed to sample from it, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from torch import Tensor

from ganforge.config.run_config import RunConfig
from ganforge.plugin.fields import LABEL, SAMPLE, Field
from ganforge.plugin.schedule import Progress
from ganforge.problem import Fit, Problem
from ganforge.storage.provenance import record
from ganforge.storage.stored_format import stored_field

FIT = "fit/"


def description(
    config: RunConfig, problem: Problem, progress: Progress | None = None
) -> dict[str, Any]:
    """All that says what a generator is, beside its tensors, as JSON.

    `progress` is what a network that follows it was told last.
    """
    return {
        "generator": record(config.generator),
        "sampler": record(config.sampler),
        "game": record(config.game),
        "sample_format": record(config.format),
        "problem": problem_record(problem),
        "progress": None if progress is None else asdict(progress),
        # What 0.1 read of a conditional generator.
        "classes": _classes(problem),
    }


def fit_tensors(problem: Problem) -> dict[str, Tensor]:
    """The tensors of what was learnt from the data, under their names in a file."""
    if problem.fit is None:
        return {}
    return {f"{FIT}{name}": value for name, value in problem.fit.tensors.items()}


def read_progress(document: Mapping[str, Any]) -> Progress | None:
    """The progress that a network was told last; None where no network follows progress.

    Raises TypeError for a document that is not one.
    """
    stored = document.get("progress")
    return None if stored is None else Progress(**stored)


def _classes(problem: Problem) -> tuple[str, ...] | None:
    label = problem.conditions.get(LABEL)
    return None if label is None else label.classes


def problem_record(problem: Problem) -> dict[str, Any]:
    """A problem as JSON; the tensors of its fit stand apart."""
    return {
        "sample_shape": problem.sample_shape,
        "input_shape": problem.input_shape,
        "num_classes": problem.num_classes,
        "sample": asdict(problem.sample),
        "conditions": {name: asdict(field) for name, field in problem.conditions.items()},
        "parts": problem.parts,
        "fit": None if problem.fit is None else dict(problem.fit.facts),
    }


def read_problem(document: Mapping[str, Any], tensors: dict[str, Tensor]) -> Problem:
    """The problem of a file; the tensors of its fit are taken out of `tensors`.

    Raises KeyError, TypeError or ValueError for a document that is not one.
    """
    stored = document["problem"]
    fit_tensors = {
        name.removeprefix(FIT): tensors.pop(name)
        for name in [name for name in tensors if name.startswith(FIT)]
    }
    input_shape = _shape(stored["input_shape"])
    if SAMPLE not in stored:  # written by 0.1
        classes = stored["num_classes"]
        conditions = {}
        if classes is not None:
            names = document.get("classes") or range(int(classes))
            conditions[LABEL] = Field(kind="category", classes=tuple(map(str, names)))
            if len(conditions[LABEL].classes or ()) != classes:
                raise ValueError(f"{len(names)} names for {classes} classes")
        shape = _shape(stored["sample_shape"])
        return Problem(sample_shape=shape, input_shape=input_shape, conditions=conditions)
    facts = stored["fit"]
    return Problem(
        sample=stored_field(stored[SAMPLE]),
        input_shape=input_shape,
        conditions={str(name): stored_field(it) for name, it in stored["conditions"].items()},
        parts={str(name): (int(a), int(b)) for name, (a, b) in stored["parts"].items()},
        fit=None if facts is None else Fit(facts=facts, tensors=fit_tensors),
    )


def _shape(stored: Any) -> tuple[int, ...]:
    return tuple(int(side) for side in stored)
