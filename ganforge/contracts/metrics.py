"""`Metric`, and the `Evaluation` that it measures."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Protocol

from torch import Tensor

from ganforge.problem import Problem

from .datasets import Dataset


class Evaluation(Protocol):
    """A generator and real data between steps, as a metric sees them: N samples of each.

    Real samples are held out of training where the run holds some out. The generator is the
    averaged one, in evaluation mode. Everything is on the device, without gradient, and computed
    when it is first read, once.
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
