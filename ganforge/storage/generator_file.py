"""The file of a trained generator: all that is needed to sample from it, and nothing else."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from ganforge.config.run_config import RunConfig
from ganforge.problem import Problem
from ganforge.storage import tensor_file
from ganforge.storage.checkpoint import module_tensors
from ganforge.storage.provenance import record

KIND = "generator"


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
    tensor_file.write(path, KIND, module_tensors("generator", network), document)
