"""Building blocks of networks, for plugins to build on. Importing this imports torch."""

from __future__ import annotations

from .attention import SelfAttention
from .conditions import ConditionVectors, JoinedLatents, LabelEmbedding, OneHot
from .equalized import EqualizedConv2d, EqualizedLinear
from .minibatch import MinibatchStd
from .modulated import ModulatedConv2d
from .normalisation import (
    AdaptiveInstanceNorm2d,
    ConditionalBatchNorm2d,
    ConditionalNorm,
    PixelNorm,
)
from .projection import Projection, ProjectionScore
from .resampling import Blur, Downsample2d, Upsample2d, upfirdn2d
from .residual import ResidualDown, ResidualUp
from .spectral import SpectralNorm, spectral_norm
from .to_image import PatchesToImage, ToImage

__all__ = [
    "AdaptiveInstanceNorm2d",
    "Blur",
    "ConditionVectors",
    "ConditionalBatchNorm2d",
    "ConditionalNorm",
    "Downsample2d",
    "EqualizedConv2d",
    "EqualizedLinear",
    "JoinedLatents",
    "LabelEmbedding",
    "MinibatchStd",
    "ModulatedConv2d",
    "OneHot",
    "PatchesToImage",
    "PixelNorm",
    "Projection",
    "ProjectionScore",
    "ResidualDown",
    "ResidualUp",
    "SelfAttention",
    "SpectralNorm",
    "ToImage",
    "Upsample2d",
    "spectral_norm",
    "upfirdn2d",
]
