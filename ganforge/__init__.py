"""ganforge: a plugin-based, extensible GAN toolkit.

This is the public API for plugin authors. Importing it does not import torch; the contracts, which
need torch, are loaded when they are first named.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .errors import DataError, GanforgeError
from .plugin.fields import Field
from .plugin.hookspecs import hookimpl
from .plugin.options import NoOptions, option
from .plugin.schedule import Progress, Schedule
from .plugin.shapes import (
    ANY_SHAPES,
    ImageShapes,
    PointShapes,
    SequenceShapes,
    VectorShapes,
    VideoShapes,
    VoxelShapes,
)
from .plugin.specs import (
    AugmentationSpec,
    CallbackSpec,
    DatasetSpec,
    DiscriminatorSpec,
    FeaturesSpec,
    FormatSpec,
    GameSpec,
    GeneratorSpec,
    LossSpec,
    MetricSpec,
    OptimizerSpec,
    RecipeSpec,
    SamplerSpec,
)
from .problem import Fit, Problem

if TYPE_CHECKING:
    from .contracts import (
        Augmentation,
        Batch,
        Callback,
        Column,
        Draw,
        Drawn,
        EndlessDataset,
        Evaluation,
        Extracted,
        FeatureExtractor,
        Format,
        Game,
        InMemoryDataset,
        Inputs,
        LatentSampler,
        Loss,
        MakeNetwork,
        MapDataset,
        Metric,
        Mixture,
        Observed,
        Sampler,
        ScoreLoss,
        Scores,
        Step,
        Update,
        averaged,
        columns_of,
        count_line,
        input_gradients,
        mean_score,
    )

__version__ = "0.1.0"

__all__ = [
    "ANY_SHAPES",
    "Augmentation",
    "AugmentationSpec",
    "Batch",
    "Callback",
    "CallbackSpec",
    "Column",
    "DataError",
    "DatasetSpec",
    "DiscriminatorSpec",
    "Draw",
    "Drawn",
    "EndlessDataset",
    "Evaluation",
    "Extracted",
    "FeatureExtractor",
    "FeaturesSpec",
    "Field",
    "Fit",
    "Format",
    "FormatSpec",
    "Game",
    "GameSpec",
    "GanforgeError",
    "GeneratorSpec",
    "ImageShapes",
    "InMemoryDataset",
    "Inputs",
    "LatentSampler",
    "Loss",
    "LossSpec",
    "MakeNetwork",
    "MapDataset",
    "Metric",
    "MetricSpec",
    "Mixture",
    "NoOptions",
    "Observed",
    "OptimizerSpec",
    "PointShapes",
    "Problem",
    "Progress",
    "RecipeSpec",
    "Sampler",
    "SamplerSpec",
    "Schedule",
    "ScoreLoss",
    "Scores",
    "SequenceShapes",
    "Step",
    "Update",
    "VectorShapes",
    "VideoShapes",
    "VoxelShapes",
    "__version__",
    "averaged",
    "columns_of",
    "count_line",
    "hookimpl",
    "input_gradients",
    "mean_score",
    "option",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module(".contracts", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
