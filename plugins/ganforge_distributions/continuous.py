"""Distributions that are not mixtures of Gaussians."""

from __future__ import annotations

import math

import torch

from ganforge import Batch, EndlessDataset, Problem

from .options import SwissRollOptions, UniformOptions

_SCALE = 7.5  # brings the roll to about unit variance, as in the authors' code


class Uniform(EndlessDataset):
    """Every number uniform in [low, high)."""

    def __init__(self, problem: Problem, options: UniformOptions) -> None:
        self.options = options

    def draw(self, n: int, generator: torch.Generator) -> Batch:
        low, high = self.options.low, self.options.high
        unit = torch.rand(n, self.options.dimension, generator=generator, device=generator.device)
        return Batch(unit.mul_(high - low).add_(low), None)

    def describe(self) -> str:
        return f"endless samples, uniform between {self.options.low:g} and {self.options.high:g}"


class SwissRoll(EndlessDataset):
    """The spiral of Gulrajani et al., 2017 (arXiv:1704.00028, figure 1).

    x = (t cos t + noise e1) / 7.5 and y = (t sin t + noise e2) / 7.5, with t uniform in
    [1.5π, 4.5π) and e1, e2 from N(0, 1): one and a half turns, within ±2 or so.
    """

    def __init__(self, problem: Problem, options: SwissRollOptions) -> None:
        self.noise = options.noise

    def draw(self, n: int, generator: torch.Generator) -> Batch:
        device = generator.device
        unit = torch.rand(n, 1, generator=generator, device=device)
        angle = 1.5 * math.pi * (1 + 2 * unit)
        roll = torch.cat([angle * angle.cos(), angle * angle.sin()], dim=1)
        noise = torch.randn(n, 2, generator=generator, device=device)
        return Batch((roll + self.noise * noise) / _SCALE, None)

    def describe(self) -> str:
        return "endless samples of a Swiss roll"
