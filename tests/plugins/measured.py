"""What metrics are shown in tests: an evaluation of tensors that are there."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from ganforge import Extracted
from ganforge.contracts import Dataset


@dataclass(kw_only=True)
class Looked:
    """An evaluation by features; or by logits, which are then their features too."""

    real: Tensor = field(default_factory=lambda: torch.empty(0, 1))
    fake: Tensor = field(default_factory=lambda: torch.empty(0, 1))
    training: Tensor = field(default_factory=lambda: torch.empty(0, 1))
    labels: Tensor | None = None
    fake_labels: Tensor | None = None
    dataset: Dataset = field(default_factory=Dataset)

    @property
    def real_features(self) -> Extracted:
        return Extracted(self.real, self.real)

    @property
    def fake_features(self) -> Extracted:
        return Extracted(self.fake, self.fake)

    @property
    def training_features(self) -> Extracted:
        return Extracted(self.training, self.training)


def gaussian(n: int, dimension: int, seed: int, mean: float = 0.0, std: float = 1.0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return mean + std * torch.randn(n, dimension, generator=generator)


def correlated(n: int, dimension: int, seed: int, mean: float = 0.0) -> Tensor:
    """Gaussian features whose covariance has eigenvalues of many sizes, like those of networks."""
    shared, own = gaussian(dimension, dimension, 1000), gaussian(dimension, dimension, 1001 + seed)
    mixing = (shared + 0.2 * own) * torch.logspace(0, -3, dimension)
    return gaussian(n, dimension, seed) @ mixing.T + mean
