"""The networks of stage I (sections 3.2 and 3.4 of the paper), for sides of 2^n pixels."""

from math import log2

import torch
from torch import nn

BASE = 4  # pixels of a side, where the features are coarsest


def num_doublings(problem):
    return int(log2(problem.sample_shape[-1] // BASE))


class Generator(nn.Module):
    """Latents `[B, Z]` and embeddings `[B, V]` to images `[B, C, H, H]`.

    A code c = mean + exp(log_variance / 2) * noise of the embedding, all `[B, code]`, is joined to
    the latents. Outside of training the code is its mean, so that a sample follows from its input.
    """

    def __init__(self, problem, options):
        super().__init__()
        channels, doublings = problem.sample_shape[0], num_doublings(problem)
        width = options.width << doublings
        self.moments = nn.Linear(problem.vector_size, 2 * options.code)
        layers = [
            nn.Linear(problem.input_shape[0] + options.code, width * BASE**2, bias=False),
            nn.Unflatten(1, (width, BASE, BASE)),
            nn.BatchNorm2d(width),
            nn.ReLU(),
        ]
        for _ in range(doublings):
            layers += [
                nn.Upsample(scale_factor=2),
                nn.Conv2d(width, width // 2, 3, padding=1, bias=False),
                nn.BatchNorm2d(width // 2),
                nn.ReLU(),
            ]
            width //= 2
        self.layers = nn.Sequential(*layers, nn.Conv2d(width, channels, 3, padding=1), nn.Tanh())

    def forward(self, inputs, *, vector):
        return self.trace(inputs, vector=vector)[0]

    def trace(self, inputs, *, vector):
        mean, log_variance = self.moments(vector).chunk(2, dim=1)
        code = mean
        if self.training:
            code = mean + (log_variance / 2).exp() * torch.randn_like(mean)
        samples = self.layers(torch.cat([inputs, code], 1))
        return samples, {"mean": mean, "log_variance": log_variance}


class Discriminator(nn.Module):
    """Images `[B, C, H, H]` and embeddings `[B, V]` to scores `[B]`."""

    def __init__(self, problem, options):
        super().__init__()
        width = options.width
        layers = [
            nn.Conv2d(problem.sample_shape[0], width, 4, stride=2, padding=1),
            nn.LeakyReLU(0.2),
        ]
        for _ in range(num_doublings(problem) - 1):
            layers += [
                nn.Conv2d(width, 2 * width, 4, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(2 * width),
                nn.LeakyReLU(0.2),
            ]
            width *= 2
        self.layers = nn.Sequential(*layers)
        self.compress = nn.Sequential(
            nn.Linear(problem.vector_size, options.code), nn.LeakyReLU(0.2)
        )
        self.score = nn.Sequential(
            nn.Conv2d(width + options.code, width, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, 1, BASE),
        )

    def forward(self, samples, *, vector):
        features = self.layers(samples)
        # The caption at every place.
        code = self.compress(vector)[:, :, None, None].expand(-1, -1, BASE, BASE)
        return self.score(torch.cat([features, code], 1)).flatten()
