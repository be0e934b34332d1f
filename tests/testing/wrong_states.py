"""Networks whose weights and buffers are not what, or where, they should be."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ganforge import Problem

from .wrong_networks import NUM_FEATURES, Discriminator, Generator


class SharedByAll(Generator):
    """Every build has the layer of the class."""

    shared = nn.Linear(NUM_FEATURES, NUM_FEATURES)

    def __init__(self, problem: Problem, options: object) -> None:
        super().__init__(problem, options)
        self.layer = self.shared

    def features(self, inputs: Tensor) -> Tensor:
        return self.layer(super().features(inputs))


class SeededHalfWay(Generator):
    def __init__(self, problem: Problem, options: object) -> None:
        super().__init__(problem, options)
        torch.manual_seed(42)
        nn.init.orthogonal_(self.first.weight)


class ParameterInAList(Generator):
    def __init__(self, problem: Problem, options: object) -> None:
        super().__init__(problem, options)
        self.scales = [[nn.Parameter(torch.ones(NUM_FEATURES))]]

    def features(self, inputs: Tensor) -> Tensor:
        return super().features(inputs) * self.scales[0][0]


class DoubleBuffer(Generator):
    def __init__(self, problem: Problem, options: object) -> None:
        super().__init__(problem, options)
        self.register_buffer("scale", torch.full((NUM_FEATURES,), 0.5, dtype=torch.float64))

    def features(self, inputs: Tensor) -> Tensor:
        return super().features(inputs) * self.scale.float()


class MeanInSecret(Generator):
    """A running mean in a plain attribute, which it subtracts."""

    def __init__(self, problem: Problem, options: object) -> None:
        super().__init__(problem, options)
        self.mean = 0.0

    def features(self, inputs: Tensor) -> Tensor:
        features = super().features(inputs)
        if self.training:
            self.mean = 0.9 * self.mean + 0.1 * features.detach().mean(0)
        return features - self.mean


class MeanThatMovesInEvaluation(Generator):
    def __init__(self, problem: Problem, options: object) -> None:
        super().__init__(problem, options)
        self.register_buffer("mean", torch.zeros(NUM_FEATURES))

    def features(self, inputs: Tensor) -> Tensor:
        features = super().features(inputs)
        self.mean.lerp_(features.detach().mean(0), 0.1)
        return features


class ClampsItsWeights(Discriminator):
    """As the clipping of Arjovsky et al. (2017), in the wrong place."""

    def features(self, samples: Tensor) -> Tensor:
        self.first.weight.data.clamp_(-0.01, 0.01)
        return super().features(samples)


class SetsItsOwnMode(Generator):
    def __init__(self, problem: Problem, options: object) -> None:
        super().__init__(problem, options)
        self.norm = nn.BatchNorm1d(NUM_FEATURES)

    def features(self, inputs: Tensor) -> Tensor:
        return self.norm.eval()(super().features(inputs))


class UnsavedNoise(Generator):
    def __init__(self, problem: Problem, options: object) -> None:
        super().__init__(problem, options)
        self.register_buffer("noise", torch.randn(NUM_FEATURES), persistent=False)

    def features(self, inputs: Tensor) -> Tensor:
        return super().features(inputs) + self.noise


class TenClasses(Generator):
    def __init__(self, problem: Problem, options: object) -> None:
        super().__init__(problem, options)
        if self.label is not None:
            self.label = nn.Embedding(10, NUM_FEATURES)


class ClampedLabels(Generator):
    def embedded(self, label: Tensor) -> Tensor:
        return super().embedded(label.clamp(0, self.problem.num_classes - 1))


class CachesTheLabels(Generator):
    """It looks the classes up once."""

    def __init__(self, problem: Problem, options: object) -> None:
        super().__init__(problem, options)
        self.cache: Any = None

    def embedded(self, label: Tensor) -> Tensor:
        if self.cache is None or len(self.cache) != len(label):
            self.cache = super().embedded(label)
        return self.cache
