"""Building blocks of networks, for plugins to build on. Importing this imports torch."""

from __future__ import annotations

from .conditions import ConditionVectors, JoinedLatents, LabelEmbedding, OneHot
from .equalized import EqualizedConv2d, EqualizedLinear
from .normalisation import (
    AdaptiveInstanceNorm2d,
    ConditionalBatchNorm2d,
    ConditionalNorm,
    PixelNorm,
)
from .projection import Projection, ProjectionScore
from .spectral import SpectralNorm, spectral_norm
from .to_image import PatchesToImage, ToImage

__all__ = [
    "AdaptiveInstanceNorm2d",
    "ConditionVectors",
    "ConditionalBatchNorm2d",
    "ConditionalNorm",
    "EqualizedConv2d",
    "EqualizedLinear",
    "JoinedLatents",
    "LabelEmbedding",
    "OneHot",
    "PatchesToImage",
    "PixelNorm",
    "Projection",
    "ProjectionScore",
    "SpectralNorm",
    "ToImage",
    "spectral_norm",
]
