"""The file of a trained generator: all that is needed to sample from it, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from ganforge.config.run_config import RunConfig
from ganforge.problem import Fit, Problem
from ganforge.storage import tensor_file
from ganforge.storage.checkpoint import module_tensors
from ganforge.storage.provenance import record
from ganforge.storage.stored_format import stored_field
from ganforge.storage.tensor_header import GENERATOR

_FIT = "fit/"  # before the names of the tensors of a fit


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
    fit = problem.fit or Fit()
    document = {
        "generator": record(config.generator),
        "sampler": record(config.sampler),
        "sample_format": record(config.format),
        "problem": {
            "sample": asdict(problem.sample),
            "sample_shape": problem.sample_shape,
            "input_shape": problem.input_shape,
            "num_classes": problem.num_classes,
        },
        "fit": None if problem.fit is None else dict(fit.facts),
        "classes": None if problem.num_classes is None else classes,
    }
    tensors = {f"{_FIT}{name}": tensor for name, tensor in fit.tensors.items()}
    tensor_file.write(
        path, GENERATOR, {**module_tensors("generator", network), **tensors}, document
    )


def split_fit(
    tensors: Mapping[str, Tensor], document: Mapping[str, Any]
) -> tuple[dict[str, Tensor], Fit | None]:
    """The tensors of the network, and the fit, where there is one."""
    network = {name: it for name, it in tensors.items() if not name.startswith(_FIT)}
    facts = document.get("fit")
    if facts is None:
        return network, None
    fitted = {it.removeprefix(_FIT): tensors[it] for it in tensors if it.startswith(_FIT)}
    return network, Fit(facts=dict(facts), tensors=fitted)


def stored_problem(document: Mapping[str, Any], fit: Fit | None) -> Problem:
    """The problem that a generator was trained for.

    Raises KeyError, TypeError or ValueError where the document is incomplete.
    """
    stored = document["problem"]
    num_classes = stored["num_classes"]
    return Problem(
        sample=stored_field(document),
        input_shape=tuple(int(side) for side in stored["input_shape"]),
        num_classes=None if num_classes is None else int(num_classes),
        fit=fit,
    )
