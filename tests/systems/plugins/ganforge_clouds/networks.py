"""The networks of r-GAN, and its latents (Achlioptas et al., 2018, section 4 and appendix)."""

from itertools import pairwise
from math import prod

import torch
from torch import nn

from ganforge import LatentSampler


class NarrowNormal(LatentSampler):
    """Latents `[n, Z]` from N(0, std^2)."""

    def __init__(self, problem, options):
        super().__init__(problem, options)

    def latents(self, n, generator):
        shape = (n, self.options.size)
        return self.options.std * torch.randn(shape, generator=generator, device=generator.device)


def perceptron(sizes, activation):
    """Linear layers of these sizes, with an activation after each but the last."""
    layers = []
    for size, following in pairwise(sizes):
        layers += [nn.Linear(size, following), activation]
    return nn.Sequential(*layers[:-1])


class Generator(nn.Module):
    """Latents `[B, Z]` to points `[B, N, C]`."""

    def __init__(self, problem, options):
        super().__init__()
        sizes = [*problem.input_shape, *options.hidden, prod(problem.sample_shape)]
        self.layers = perceptron(sizes, nn.ReLU())
        self.layers.append(nn.Unflatten(1, problem.sample_shape))
        if problem.sample.scaled:
            self.layers.append(nn.Tanh())

    def forward(self, inputs):
        return self.layers(inputs)


class Discriminator(nn.Module):
    """Points `[B, N, C]` in any order to scores `[B]`."""

    def __init__(self, problem, options):
        super().__init__()
        activation = nn.LeakyReLU(0.2)
        sizes = [problem.sample_shape[1], *options.point]
        self.point = perceptron(sizes, activation).append(activation)
        self.cloud = perceptron([sizes[-1], *options.cloud, 1], activation)

    def forward(self, samples):
        return self.cloud(self.point(samples).amax(1)).squeeze(1)
