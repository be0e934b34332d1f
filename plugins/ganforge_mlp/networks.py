"""The two perceptrons."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from ganforge import Problem

from . import DiscriminatorOptions, GeneratorOptions


class Generator(nn.Module):
    """Latents `[B, Z]` to samples `[B, *sample_shape]`, in [-1, 1] for images."""

    def __init__(self, problem: Problem, options: GeneratorOptions) -> None:
        super().__init__()
        self.sample_shape = problem.sample_shape
        sizes = [math.prod(problem.input_shape), *options.hidden, math.prod(problem.sample_shape)]
        self.layers = perceptron(sizes, options.activation)
        images = len(problem.sample_shape) == 3
        if options.output == "tanh" or (options.output == "auto" and images):
            self.layers.append(nn.Tanh())

    def forward(self, inputs: Tensor) -> Tensor:
        samples: Tensor = self.layers(inputs.flatten(1))
        return samples.view(-1, *self.sample_shape)


class Discriminator(nn.Module):
    """Samples `[B, *sample_shape]` to scores `[B]`."""

    def __init__(self, problem: Problem, options: DiscriminatorOptions) -> None:
        super().__init__()
        self.layers = perceptron(
            [math.prod(problem.sample_shape), *options.hidden, 1], options.activation
        )

    def forward(self, samples: Tensor) -> Tensor:
        scores: Tensor = self.layers(samples.flatten(1))
        return scores.squeeze(1)


def perceptron(sizes: Sequence[int], activation: str) -> nn.Sequential:
    """Linear layers of the given sizes with an activation between each two."""
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise(sizes):
        if layers:
            layers.append(nn.LeakyReLU(0.2) if activation == "leaky-relu" else nn.ReLU())
        layers.append(nn.Linear(fan_in, fan_out))
    return nn.Sequential(*layers)
