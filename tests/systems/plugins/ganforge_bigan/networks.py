"""The perceptrons of BiGAN (section 4.1 and appendix C.1 of the paper)."""

from math import prod

import torch
from torch import nn

SLOPE = 0.2


class Both(nn.Module):
    """Latents `[B, Z]` to samples `[B, *sample_shape]`, and `encode` the other way.

    Samples that have a range end in tanh; others are in the units of the data.
    """

    def __init__(self, problem, options):
        super().__init__()
        self.sample_shape = problem.sample_shape
        latents, size, hidden = prod(problem.input_shape), prod(self.sample_shape), options.hidden
        self.generator = nn.Sequential(
            nn.Linear(latents, hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden, bias=False),
            nn.BatchNorm1d(hidden),
            nn.ReLU(),
            nn.Linear(hidden, size),
            nn.Tanh() if problem.sample.scaled else nn.Identity(),
        )
        self.encoder = nn.Sequential(*two_layers(size, hidden), nn.Linear(hidden, latents))

    def forward(self, inputs):
        return self.generator(inputs).view(-1, *self.sample_shape)

    def encode(self, samples):
        return self.encoder(samples.flatten(1))


class Joint(nn.Module):
    """Samples `[B, *sample_shape]` and codes `[B, Z]` to scores `[B]`."""

    def __init__(self, problem, options):
        super().__init__()
        size = prod(problem.sample_shape) + problem.vector_size
        self.layers = nn.Sequential(*two_layers(size, options.hidden), nn.Linear(options.hidden, 1))

    def forward(self, samples, *, vector):
        return self.layers(torch.cat([samples.flatten(1), vector], 1))[:, 0]


def two_layers(size, hidden):
    return [
        nn.Linear(size, hidden),
        nn.LeakyReLU(SLOPE),
        nn.Linear(hidden, hidden, bias=False),
        nn.BatchNorm1d(hidden),
        nn.LeakyReLU(SLOPE),
    ]
