"""ganforge: a plugin-based, extensible GAN toolkit.

This is the public API: for programs that train and use GANs, and for plugin authors. Importing it
does not import torch; what needs torch is loaded when it is first named.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .errors import (
    CheckpointError,
    ConfigError,
    DataError,
    DeviceError,
    DivergenceError,
    GanforgeError,
    NonFiniteError,
    PluginError,
    RunDirectoryError,
    UsageError,
)
from .plugin.fields import Field, natural_order
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
    RefinementSpec,
    SamplerSpec,
)
from .problem import Fit, Problem

if TYPE_CHECKING:
    from .api.adversary import Adversary
    from .api.components import list_components
    from .api.datasets import dataset
    from .api.evaluation import evaluate
    from .api.generator import Generator, load
    from .api.networks import build_network
    from .api.runs import Run, open_run
    from .api.training import TrainingResult, train
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
        FileRecord,
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
        Pair,
        Parts,
        Refined,
        Refinement,
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

#: name -> its module, for what programs use; the other names that load late are contracts
_API = {
    "Adversary": "adversary",
    "Generator": "generator",
    "Run": "runs",
    "TrainingResult": "training",
    "build_network": "networks",
    "dataset": "datasets",
    "evaluate": "evaluation",
    "list_components": "components",
    "load": "generator",
    "open_run": "runs",
    "train": "training",
}

__all__ = [
    "ANY_SHAPES",
    "Adversary",
    "Augmentation",
    "AugmentationSpec",
    "Batch",
    "Callback",
    "CallbackSpec",
    "CheckpointError",
    "Column",
    "ConfigError",
    "DataError",
    "DatasetSpec",
    "DeviceError",
    "DiscriminatorSpec",
    "DivergenceError",
    "Draw",
    "Drawn",
    "EndlessDataset",
    "Evaluation",
    "Extracted",
    "FeatureExtractor",
    "FeaturesSpec",
    "Field",
    "FileRecord",
    "Fit",
    "Format",
    "FormatSpec",
    "Game",
    "GameSpec",
    "GanforgeError",
    "Generator",
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
    "NonFiniteError",
    "Observed",
    "OptimizerSpec",
    "Pair",
    "Parts",
    "PluginError",
    "PointShapes",
    "Problem",
    "Progress",
    "RecipeSpec",
    "Refined",
    "Refinement",
    "RefinementSpec",
    "Run",
    "RunDirectoryError",
    "Sampler",
    "SamplerSpec",
    "Schedule",
    "ScoreLoss",
    "Scores",
    "SequenceShapes",
    "Step",
    "TrainingResult",
    "Update",
    "UsageError",
    "VectorShapes",
    "VideoShapes",
    "VoxelShapes",
    "__version__",
    "averaged",
    "build_network",
    "columns_of",
    "count_line",
    "dataset",
    "evaluate",
    "hookimpl",
    "input_gradients",
    "list_components",
    "load",
    "mean_score",
    "natural_order",
    "open_run",
    "option",
    "train",
]


def __getattr__(name: str) -> Any:
    if name in _API:
        return getattr(import_module(f".api.{_API[name]}", __name__), name)
    if name in __all__:
        return getattr(import_module(".contracts", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
