"""ganforge: a plugin-based, extensible GAN toolkit.

This is the public API for plugin authors. Importing it does not import torch; the contracts, which
need torch, are loaded when they are first named.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ganforge.plugin.fields import Field
from ganforge.plugin.hookspecs import hookimpl
from ganforge.plugin.options import NoOptions, option
from ganforge.plugin.shapes import ImageShapes
from ganforge.plugin.specs import (
    CallbackSpec,
    DatasetSpec,
    DiscriminatorSpec,
    FormatSpec,
    GeneratorSpec,
    LossSpec,
    MetricSpec,
    RecipeSpec,
    SamplerSpec,
)

from .errors import DataError, GanforgeError
from .problem import Fit, Problem

if TYPE_CHECKING:
    from .contracts import (
        Batch,
        Callback,
        Drawn,
        EndlessDataset,
        Evaluation,
        Format,
        InMemoryDataset,
        Inputs,
        LatentSampler,
        Loss,
        MapDataset,
        Metric,
        Mixture,
        Sampler,
        ScoreLoss,
        Step,
        count_line,
        input_gradients,
    )

__version__ = "0.1.0"

__all__ = [
    "Batch",
    "Callback",
    "CallbackSpec",
    "DataError",
    "DatasetSpec",
    "DiscriminatorSpec",
    "Drawn",
    "EndlessDataset",
    "Evaluation",
    "Field",
    "Fit",
    "Format",
    "FormatSpec",
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
    "Problem",
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
