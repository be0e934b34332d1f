"""ganforge: a plugin-based, extensible GAN toolkit.

This is the public API for plugin authors. Importing it does not import torch; the contracts, which
need torch, are loaded when they are first named.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ganforge.plugin.hookspecs import hookimpl
from ganforge.plugin.options import NoOptions, option
from ganforge.plugin.schedule import Progress
from ganforge.plugin.shapes import ImageShapes
from ganforge.plugin.specs import (
    AugmentationSpec,
    CallbackSpec,
    DatasetSpec,
    DiscriminatorSpec,
    GeneratorSpec,
    LossSpec,
    MetricSpec,
    RecipeSpec,
    SamplerSpec,
)

from .errors import DataError, GanforgeError
from .problem import Problem

if TYPE_CHECKING:
    from .contracts import (
        Augmentation,
        Batch,
        Callback,
        EndlessDataset,
        Evaluation,
        InMemoryDataset,
        Inputs,
        LatentSampler,
        Loss,
        MapDataset,
        Metric,
        Mixture,
        Observed,
        Sampler,
        ScoreLoss,
        Step,
        count_line,
        input_gradients,
    )

__version__ = "0.1.0"

__all__ = [
    "Augmentation",
    "AugmentationSpec",
    "Batch",
    "Callback",
    "CallbackSpec",
    "DataError",
    "DatasetSpec",
    "DiscriminatorSpec",
    "EndlessDataset",
    "Evaluation",
    "GanforgeError",
    "GeneratorSpec",
    "ImageShapes",
    "InMemoryDataset",
    "Inputs",
    "LatentSampler",
    "Loss",
    "LossSpec",
    "MapDataset",
    "Metric",
    "MetricSpec",
    "Mixture",
    "NoOptions",
    "Observed",
    "Problem",
    "Progress",
    "RecipeSpec",
    "Sampler",
    "SamplerSpec",
    "ScoreLoss",
    "Step",
    "__version__",
    "count_line",
    "hookimpl",
    "input_gradients",
    "option",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module(".contracts", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
