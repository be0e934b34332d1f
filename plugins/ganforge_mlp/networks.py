"""The two perceptrons, conditioned on class labels where a run has classes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from ganforge import Problem
from ganforge.nn import JoinedLatents, Projection

from . import DiscriminatorOptions, GeneratorOptions


class Generator(nn.Module):
    """Latents `[B, Z]` to samples `[B, *sample_shape]`, in [-1, 1] where the output is tanh.

    A learnt vector `[Z]` per class, and a linear map of a vector condition, are joined to the
    latents. Raises ValueError for a scale beside tanh, whose range is that of images as it is.
    """

    def __init__(self, problem: Problem, options: GeneratorOptions) -> None:
        super().__init__()
        self.sample_shape = problem.sample_shape
        self.scale = options.scale
        scaled = problem.sample.scaled
        tanh = options.output == "tanh" or (options.output == "auto" and scaled)
        if tanh and self.scale != 1:
            raise ValueError(
                f"scale is {self.scale:g}, and the output is tanh, whose range is that of images "
                "already: leave scale at 1, or set output to 'linear'"
            )
        size = math.prod(problem.input_shape)
        self.embedding = JoinedLatents(size, problem.num_classes)
        joined = self.embedding.out_features
        self.vectors = JoinedLatents(joined, condition_size=problem.vector_size, size=size)
        sizes = [self.vectors.out_features, *options.hidden, math.prod(problem.sample_shape)]
        self.layers = perceptron(sizes, options.activation)
        if tanh:
            self.layers.append(nn.Tanh())

    def forward(
        self, inputs: Tensor, *, label: Tensor | None = None, vector: Tensor | None = None
    ) -> Tensor:
        latents = inputs.flatten(1)
        for joined, condition in ((self.embedding, label), (self.vectors, vector)):
            if joined.weight is not None:  # a call costs as much as a small layer
                latents = joined(latents, condition)
        samples: Tensor = self.layers(latents)
        if self.scale != 1:
            samples = samples / self.scale
        return samples.view(-1, *self.sample_shape)


class Discriminator(nn.Module):
    """Samples `[B, *sample_shape]` to scores `[B]`.

    With conditions the score is w·h + e(y)·h, with h the last hidden features and e(y) a learnt
    vector per class, or a linear map of a vector condition: the projection of Miyato & Koyama, 2018
    (arXiv:1802.05637, equation 3).
    """

    def __init__(self, problem: Problem, options: DiscriminatorOptions) -> None:
        super().__init__()
        self.scale = options.scale
        size = math.prod(problem.sample_shape)
        self.fourier: FourierFeatures | None = None
        if options.fourier_features:
            self.fourier = FourierFeatures(
                size, options.fourier_features, options.fourier_bandwidth
            )
            size = self.fourier.out_features
        sizes = [size, *options.hidden, 1]
        self.layers = perceptron(sizes, options.activation)
        self.embedding = Projection(sizes[-2], problem.num_classes)
        self.vectors = Projection(sizes[-2], condition_size=problem.vector_size)

    def forward(
        self, samples: Tensor, *, label: Tensor | None = None, vector: Tensor | None = None
    ) -> Tensor:
        features = samples.flatten(1)
        if self.scale != 1:
            features = features * self.scale
        if self.fourier is not None:
            features = self.fourier(features)
        *hidden, last = self.layers
        for layer in hidden:
            features = layer(features)
        scores: Tensor = last(features).squeeze(1)
        for projection, condition in ((self.embedding, label), (self.vectors, vector)):
            if projection.weight is not None:
                scores = scores + projection(features, condition)
        return scores


class FourierFeatures(nn.Module):
    """Vectors `[B, D]` beside their random Fourier features `[B, D + 2N]`.

    The sine and the cosine of N fixed projections, drawn from a normal distribution whose standard
    deviation is the bandwidth, in radians per unit of the vectors. With them a perceptron learns
    what is much smaller than its input's range (Tancik et al., 2020, arXiv:2006.10739).
    """

    projections: Tensor

    def __init__(self, size: int, number: int, bandwidth: float) -> None:
        super().__init__()
        self.out_features = size + 2 * number
        self.register_buffer("projections", bandwidth * torch.randn(size, number))

    def forward(self, vectors: Tensor) -> Tensor:
        phases = vectors @ self.projections
        return torch.cat([vectors, phases.sin(), phases.cos()], dim=1)


def perceptron(sizes: Sequence[int], activation: str) -> nn.Sequential:
    """Linear layers of the given sizes with an activation between each two."""
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise(sizes):
        if layers:
            layers.append(nn.LeakyReLU(0.2) if activation == "leaky-relu" else nn.ReLU())
        layers.append(nn.Linear(fan_in, fan_out))
    return nn.Sequential(*layers)
