"""Residual generator and discriminator for square images whose side is a power of two."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import relu
from torch.nn.utils.parametrizations import spectral_norm

from ganforge import Problem

from . import DiscriminatorOptions, GeneratorOptions
from .blocks import ClassNorm, DownBlock, UpBlock, conv

SEED_SIZE = 4  # the side of the coarsest grid


class Generator(nn.Module):
    """Latents `[B, Z]` to images `[B, C, H, W]` in [-1, 1].

    In a conditional run the classes enter by the normalisation of every block.
    """

    def __init__(self, problem: Problem, options: GeneratorOptions) -> None:
        super().__init__()
        channels, size, _ = problem.sample_shape
        widths = pyramid(size, options.width, options.max_width)[::-1]
        self.project = nn.Linear(problem.input_shape[0], SEED_SIZE**2 * widths[0])
        self.blocks = nn.ModuleList(
            UpBlock(fan_in, fan_out, problem.num_classes) for fan_in, fan_out in pairwise(widths)
        )
        self.norm = ClassNorm(widths[-1], problem.num_classes)
        self.to_image = conv(widths[-1], channels, 3)

    def forward(self, inputs: Tensor, *, label: Tensor | None = None) -> Tensor:
        # Unflattened with the channels last, so that the permuted view has that memory format.
        rows: Tensor = self.project(inputs)
        features = rows.view(len(rows), SEED_SIZE, SEED_SIZE, -1).permute(0, 3, 1, 2)
        for block in self.blocks:
            features = block(features, label)
        return torch.tanh(self.to_image(relu(self.norm(features, label))))


class Discriminator(nn.Module):
    """Images `[B, C, H, W]` to scores `[B]`.

    In a conditional run e(y)·h is added to the score, with h the features summed over the grid and
    e(y) a learnt vector per class (Miyato & Koyama, 2018, arXiv:1802.05637, equation 3).
    """

    def __init__(self, problem: Problem, options: DiscriminatorOptions) -> None:
        super().__init__()
        channels, size, _ = problem.sample_shape
        spectral = options.spectral_norm
        widths = pyramid(size, options.width, options.max_width)
        sides = [channels, *widths[1:]]
        blocks = [
            DownBlock(fan_in, fan_out, halve=True, first=number == 0, spectral=spectral)
            for number, (fan_in, fan_out) in enumerate(pairwise(sides))
        ]
        last = widths[-1]
        blocks.append(DownBlock(last, last, halve=False, first=False, spectral=spectral))
        self.blocks = nn.Sequential(*blocks)
        self.score: nn.Module = nn.Linear(last, 1)
        self.embedding: nn.Module | None = None
        if problem.num_classes is not None:
            self.embedding = nn.Embedding(problem.num_classes, last)
            # As large as the weights of the last layer, to which they are added.
            nn.init.uniform_(self.embedding.weight, -(last**-0.5), last**-0.5)
        if spectral:
            self.score = spectral_norm(self.score)
            if self.embedding is not None:
                self.embedding = spectral_norm(self.embedding)

    def forward(self, samples: Tensor, *, label: Tensor | None = None) -> Tensor:
        features = relu(self.blocks(samples)).sum((2, 3))
        scores: Tensor = self.score(features).squeeze(1)
        if self.embedding is not None:
            scores = scores + (self.embedding(label) * features).sum(1)
        return scores


def pyramid(size: int, width: int, max_width: int) -> list[int]:
    """Channels at each resolution from the image down to 4x4: width, 2 width, ..., max_width."""
    num_halvings = (size // SEED_SIZE).bit_length() - 1
    return [min(width * 2**level, max_width) for level in range(num_halvings + 1)]
