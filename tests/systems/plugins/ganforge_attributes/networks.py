"""Residual networks that are told a vector, for sides of 2^n pixels."""

from itertools import pairwise
from math import log2

import torch
from torch import nn

from ganforge.nn import ConditionalBatchNorm2d, ProjectionScore, ResidualDown, ResidualUp

BASE = 4  # pixels of a side, before the first block


def num_blocks(problem):
    return int(log2(problem.sample_shape[-1] // BASE))


class Generator(nn.Module):
    """Latents `[B, Z]` and vectors `[B, V]` to images `[B, C, H, H]`."""

    def __init__(self, problem, options):
        super().__init__()
        blocks, size = num_blocks(problem), problem.vector_size
        self.width = options.width * 2**blocks
        self.first = nn.Linear(problem.input_shape[0], self.width * BASE**2)
        widths = [self.width >> it for it in range(blocks + 1)]
        self.blocks = nn.ModuleList(
            ResidualUp(wide, narrow, condition_size=size) for wide, narrow in pairwise(widths)
        )
        self.norm = ConditionalBatchNorm2d(options.width, condition_size=size)
        self.last = nn.Conv2d(options.width, problem.sample_shape[0], 3, padding=1)

    def forward(self, inputs, *, vector):
        features = self.first(inputs).view(-1, self.width, BASE, BASE)
        for block in self.blocks:
            features = block(features, vector)
        return self.last(self.norm(features, vector).relu()).tanh()


class Discriminator(nn.Module):
    """Images `[B, C, H, H]` and vectors `[B, V]` to scores `[B]`."""

    def __init__(self, problem, options):
        super().__init__()
        channels, blocks = problem.sample_shape[0], num_blocks(problem)
        widths = [channels, *(options.width << it for it in range(1, blocks + 1))]
        self.blocks = nn.Sequential(
            *(
                ResidualDown(narrow, wide, first=place == 0)
                for place, (narrow, wide) in enumerate(pairwise(widths))
            )
        )
        self.score = ProjectionScore(widths[-1], condition_size=problem.vector_size)

    def forward(self, samples, *, vector):
        return self.score(torch.relu(self.blocks(samples)).sum((2, 3)), vector)
