"""The residual networks of SNGAN, for any side that is 2^n times a base of some pixels."""

from itertools import pairwise
from math import log2

import torch
from torch import nn

from ganforge.nn import ProjectionScore, ResidualDown, ResidualUp, spectral_norm

BASE = 4  # pixels of a side, before the first block


def num_blocks(problem):
    return int(log2(problem.sample_shape[-1] // BASE))


class Generator(nn.Module):
    """Latents `[B, Z]` and labels `[B]` to images `[B, C, H, H]`."""

    def __init__(self, problem, options):
        super().__init__()
        blocks, channels = num_blocks(problem), problem.sample_shape[0]
        self.width = options.width * 2**blocks
        self.first = nn.Linear(problem.input_shape[0], self.width * BASE**2)
        widths = [self.width >> it for it in range(blocks + 1)]
        self.blocks = nn.ModuleList(
            ResidualUp(wide, narrow, problem.num_classes) for wide, narrow in pairwise(widths)
        )
        self.last = nn.Sequential(
            nn.BatchNorm2d(options.width),
            nn.ReLU(),
            nn.Conv2d(options.width, channels, 3, padding=1),
            nn.Tanh(),
        )

    def forward(self, inputs, *, label=None):
        features = self.first(inputs).view(-1, self.width, BASE, BASE)
        for block in self.blocks:
            features = block(features, label)
        return self.last(features)


class Discriminator(nn.Module):
    """Images `[B, C, H, H]` and labels `[B]` to scores `[B]`, by projection."""

    def __init__(self, problem, options):
        super().__init__()
        blocks, channels = num_blocks(problem), problem.sample_shape[0]
        widths = [channels, *(options.width << it for it in range(1, blocks + 1))]
        self.blocks = nn.Sequential(
            *(
                ResidualDown(narrow, wide, first=narrow == channels)
                for narrow, wide in pairwise(widths)
            )
        )
        self.score = ProjectionScore(widths[-1], problem.num_classes)
        spectral_norm(self)

    def forward(self, samples, *, label=None):
        features = torch.relu(self.blocks(samples)).sum((2, 3))
        return self.score(features, label)
