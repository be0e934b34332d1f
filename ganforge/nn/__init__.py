"""Building blocks of networks, for plugins to build on. Importing this imports torch."""

from __future__ import annotations

from .conditions import ConditionVectors, JoinedLatents, LabelEmbedding, OneHot
from .projection import Projection, ProjectionScore
from .spectral import SpectralNorm, spectral_norm
from .to_image import PatchesToImage, ToImage

__all__ = [
    "ConditionVectors",
    "JoinedLatents",
    "LabelEmbedding",
    "OneHot",
    "PatchesToImage",
    "Projection",
    "ProjectionScore",
    "SpectralNorm",
    "ToImage",
    "spectral_norm",
]
