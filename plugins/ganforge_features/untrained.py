"""Features of networks with random weights."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ganforge import Extracted, FeatureExtractor, Problem

from . import RandomOptions
from .layers import CONVOLUTION, POOLED, POOLING, widths

WIDTH = 32
SLOPE = 0.2  # of the leaky rectifier


def build(problem: Problem, options: RandomOptions) -> FeatureExtractor:
    """The untrained network for samples of this kind."""
    match problem.sample.kind:
        case "vector":
            return RandomPerceptron(problem, options)
        case "points":
            return RandomPoints(problem, options)
        case _:
            return RandomConvolutions(problem, options)


class _Random(FeatureExtractor):
    """A network whose weights are drawn from a seed, and never trained.

    The idea is that of the random embeddings of Naeem et al. (2020, arXiv:2002.09797), which see
    differences that a network trained on photographs is blind to in data that are none.
    """

    def __init__(self, problem: Problem, options: RandomOptions) -> None:
        super().__init__(problem, options)
        self.convention = f"random weights, seed {options.seed}"
        self.size = options.size
        self._generator = torch.Generator().manual_seed(options.seed)

    def _drawn(self, layer: nn.Module) -> nn.Module:
        """A layer with weights from N(0, 2 / fan-in) (He et al., 2015), without offsets."""
        weight = layer.weight
        assert isinstance(weight, Tensor)
        spread = math.sqrt(2 / weight[0].numel())
        with torch.no_grad():
            weight.copy_(torch.randn(weight.shape, generator=self._generator) * spread)
        return layer

    def _linear(self, inputs: int, outputs: int) -> nn.Module:
        return self._drawn(nn.Linear(inputs, outputs, bias=False))


class RandomConvolutions(_Random):
    """Convolutions with a stride, down to a side of 8, and a projection of what they give."""

    def __init__(self, problem: Problem, options: RandomOptions) -> None:
        super().__init__(problem, options)
        channels, *sides = problem.sample_shape
        convolution, pooling = CONVOLUTION[len(sides)], POOLING[len(sides)]
        layers: list[nn.Module] = []
        for width in widths(problem.sample_shape, WIDTH):
            layers.append(
                self._drawn(convolution(channels, width, 3, stride=2, padding=1, bias=False))
            )
            layers.append(nn.LeakyReLU(SLOPE))
            channels = width
        self.body = nn.Sequential(*layers, pooling(POOLED), nn.Flatten())
        self.head = self._linear(channels * POOLED ** len(sides), self.size)

    def extract(self, samples: Tensor) -> Extracted:
        return Extracted(self.head(self.body(samples)))


class RandomPerceptron(_Random):
    """Two layers over the numbers of a vector."""

    def __init__(self, problem: Problem, options: RandomOptions) -> None:
        super().__init__(problem, options)
        (inputs,) = problem.sample_shape
        self.body = self._linear(inputs, 4 * self.size)
        self.head = self._linear(4 * self.size, self.size)

    def extract(self, samples: Tensor) -> Extracted:
        return Extracted(self.head(nn.functional.leaky_relu(self.body(samples), SLOPE)))


class RandomPoints(_Random):
    """Two layers over each point, and the largest and the mean of what they give of all points.

    So the order of points does not count (Qi et al., 2017, arXiv:1612.00593).
    """

    def __init__(self, problem: Problem, options: RandomOptions) -> None:
        super().__init__(problem, options)
        _, channels = problem.sample_shape
        self.body = self._linear(channels, 4 * self.size)
        self.inner = self._linear(4 * self.size, 4 * self.size)
        self.head = self._linear(8 * self.size, self.size)
        # A sum of one coordinate tells little of where points are: offsets let it.
        offsets = torch.randn(4 * self.size, generator=self._generator)
        self.register_buffer("offsets", offsets)

    def extract(self, samples: Tensor) -> Extracted:
        offsets = self.offsets
        assert isinstance(offsets, Tensor)
        points = nn.functional.leaky_relu(self.body(samples) + offsets, SLOPE)
        points = nn.functional.leaky_relu(self.inner(points), SLOPE)
        return Extracted(self.head(torch.cat([points.amax(1), points.mean(1)], dim=1)))
