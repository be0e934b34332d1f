"""`Metric`, and the `Evaluation` that it measures."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Protocol

from torch import Tensor

from ganforge.problem import Problem

from .datasets import Dataset
from .features import Extracted


class Evaluation(Protocol):
    """A generator and real data, as a metric sees them: N samples of each.

    Real samples are held out of training where the run holds some out. The generator is the
    averaged one, in evaluation mode. Samples are on the device, features on the CPU; everything is
    without gradient, and computed when it is first read, once. Features are extracted of few
    samples at a time, so that a metric that reads nothing else holds no more than these.

    Where the fake side is real data too, a metric gives its floor: what a perfect generator gets.
    """

    @property
    def dataset(self) -> Dataset:
        """The data set of the run."""

    @property
    def real(self) -> Tensor:
        """Real samples `[N, *sample_shape]`, float32."""

    @property
    def conditions(self) -> Mapping[str, Tensor]:
        """The other fields of the real samples that the run uses, by name."""

    @property
    def labels(self) -> Tensor | None:
        """The labels `[N]` of the real samples in a conditional run, else None."""

    @property
    def fake(self) -> Tensor:
        """Generated samples `[N, *sample_shape]`, float32."""

    @property
    def fake_conditions(self) -> Mapping[str, Tensor]:
        """The conditions that the fake samples were generated for, by name."""

    @property
    def fake_labels(self) -> Tensor | None:
        """The labels `[N]` that the fake samples were generated for, else None."""

    @property
    def training(self) -> Tensor:
        """Real samples that were trained on, `[M, *sample_shape]`, float32; none is in `real`."""

    @property
    def training_labels(self) -> Tensor | None:
        """The labels `[M]` of the samples that were trained on, where the run uses labels."""

    @property
    def real_features(self) -> Extracted:
        """Features `[N, D]`, and logits, of `real`."""

    @property
    def fake_features(self) -> Extracted:
        """Features `[N, D]`, and logits, of `fake`."""

    @property
    def training_features(self) -> Extracted:
        """Features `[M, D]`, and logits, of `training`."""

    @property
    def reconstruction(self) -> Tensor:
        """The generator's reconstructions of `real`, `[N, *sample_shape]`, sample by sample."""


class Metric(ABC):
    """A measure of how good the samples are."""

    def __init__(self, problem: Problem | None = None, options: Any = None) -> None:
        self.problem = problem
        self.options = options

    @abstractmethod
    def measure(self, evaluation: Evaluation) -> Mapping[str, float]:
        """Numbers by name. A metric with one number may name it as it likes, its own name best."""
