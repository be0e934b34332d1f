"""The contracts between the engine and the components that a plugin builds.

Notation: `B` batch, `N` data set size, `Z` latent size, `C H W` image, `D` vector size, `K`
classes. Samples are float32 wherever a network or a loss sees them; images, and whatever has a
declared range, are in [-1, 1] there.

A **generator** is an `nn.Module` whose `forward(inputs [B, *input_shape])` gives samples
`[B, *sample_shape]`; a **discriminator** gives samples `[B, *sample_shape]` unbounded scores `[B]`,
patch scores `[B, ...]` or a list of scores where its spec says so. What a network is told besides
reaches it by keyword: `forward(inputs, *, label=None, image=None)`, a label being int64 `[B]` in
[0, K). A network whose spec `gives` more has a method `trace` with the arguments of `forward` that
returns `(output, {name: tensor or list})`. The other kinds derive from the classes below.

The engine owns time, device and gradient: no component calls `backward`, moves itself to a device
or draws from a random state other than the generator that it is given.
"""

from __future__ import annotations

from ganforge.plugin.schedule import Progress

from .augmentations import Augmentation
from .batches import Batch, Inputs
from .callbacks import Callback
from .columns import Column, columns_of
from .datasets import (
    Dataset,
    EndlessDataset,
    FileRecord,
    InMemoryDataset,
    MapDataset,
    Mixture,
    count_line,
)
from .features import Extracted, FeatureExtractor
from .formats import Drawn, Format, Parts
from .games import Draw, Game, MakeNetwork
from .losses import Loss, ScoreLoss, averaged
from .metrics import Evaluation, Metric
from .refinements import Pair, Refined, Refinement
from .samplers import LatentSampler, Sampler
from .step import Observed, Scores, Step, Trace, Update, input_gradients, mean_score

__all__ = [
    "Augmentation",
    "Batch",
    "Callback",
    "Column",
    "Dataset",
    "Draw",
    "Drawn",
    "EndlessDataset",
    "Evaluation",
    "Extracted",
    "FeatureExtractor",
    "FileRecord",
    "Format",
    "Game",
    "InMemoryDataset",
    "Inputs",
    "LatentSampler",
    "Loss",
    "MakeNetwork",
    "MapDataset",
    "Metric",
    "Mixture",
    "Observed",
    "Pair",
    "Parts",
    "Progress",
    "Refined",
    "Refinement",
    "Sampler",
    "ScoreLoss",
    "Scores",
    "Step",
    "Trace",
    "Update",
    "averaged",
    "columns_of",
    "count_line",
    "input_gradients",
    "mean_score",
]
