"""The two perceptrons, conditioned on class labels where a run has classes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from ganforge import Problem

from . import DiscriminatorOptions, GeneratorOptions


class Generator(nn.Module):
    """Latents `[B, Z]` to samples `[B, *sample_shape]`, in [-1, 1] where the output is tanh.

    In a conditional run a learnt vector `[Z]` per class is joined to the latents. It starts as a
    draw from N(0, 1), so that the class is heard as loudly as the latents are; of a one-hot vector
    the first layer would hear one unit among Z. Raises ValueError for a scale beside tanh, whose
    range is that of images as it is.
    """

    def __init__(self, problem: Problem, options: GeneratorOptions) -> None:
        super().__init__()
        self.sample_shape = problem.sample_shape
        self.scale = options.scale
        images = len(problem.sample_shape) == 3
        tanh = options.output == "tanh" or (options.output == "auto" and images)
        if tanh and self.scale != 1:
            raise ValueError(
                f"scale is {self.scale:g}, and the output is tanh, whose range is that of images "
                "already: leave scale at 1, or set output to 'linear'"
            )
        fan_in = math.prod(problem.input_shape)
        self.embedding = None
        if problem.num_classes is not None:
            self.embedding = nn.Embedding(problem.num_classes, fan_in)
            fan_in *= 2
        self.layers = perceptron(
            [fan_in, *options.hidden, math.prod(problem.sample_shape)], options.activation
        )
        if tanh:
            self.layers.append(nn.Tanh())

    def forward(self, inputs: Tensor, *, label: Tensor | None = None) -> Tensor:
        latents = inputs.flatten(1)
        if self.embedding is not None:
            latents = torch.cat([latents, self.embedding(label)], 1)
        samples: Tensor = self.layers(latents)
        if self.scale != 1:
            samples = samples / self.scale
        return samples.view(-1, *self.sample_shape)


class Discriminator(nn.Module):
    """Samples `[B, *sample_shape]` to scores `[B]`.

    In a conditional run the score is w·h + e(y)·h, with h the last hidden features and e(y) a
    learnt vector per class: the projection of Miyato & Koyama, 2018 (arXiv:1802.05637, equation 3).
    """

    def __init__(self, problem: Problem, options: DiscriminatorOptions) -> None:
        super().__init__()
        self.scale = options.scale
        sizes = [math.prod(problem.sample_shape), *options.hidden, 1]
        self.layers = perceptron(sizes, options.activation)
        self.embedding = None
        if problem.num_classes is not None:
            self.embedding = nn.Embedding(problem.num_classes, sizes[-2])
            # As large as the weights of the last layer, to which they are added.
            bound = sizes[-2] ** -0.5
            nn.init.uniform_(self.embedding.weight, -bound, bound)

    def forward(self, samples: Tensor, *, label: Tensor | None = None) -> Tensor:
        features = samples.flatten(1)
        if self.scale != 1:
            features = features * self.scale
        *hidden, last = self.layers
        for layer in hidden:
            features = layer(features)
        scores: Tensor = last(features).squeeze(1)
        if self.embedding is not None:
            scores = scores + (self.embedding(label) * features).sum(1)
        return scores


def perceptron(sizes: Sequence[int], activation: str) -> nn.Sequential:
    """Linear layers of the given sizes with an activation between each two."""
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise(sizes):
        if layers:
            layers.append(nn.LeakyReLU(0.2) if activation == "leaky-relu" else nn.ReLU())
        layers.append(nn.Linear(fan_in, fan_out))
    return nn.Sequential(*layers)
