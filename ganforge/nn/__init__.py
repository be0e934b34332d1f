"""Building blocks of networks, for plugins to build on. Importing this imports torch."""

from __future__ import annotations

from .conditions import ConditionVectors, JoinedLatents, LabelEmbedding, OneHot
from .projection import Projection, ProjectionScore

__all__ = [
    "ConditionVectors",
    "JoinedLatents",
    "LabelEmbedding",
    "OneHot",
    "Projection",
    "ProjectionScore",
]
