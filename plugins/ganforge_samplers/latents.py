"""Samplers whose latents are independent and identically distributed."""

from __future__ import annotations

import torch
from torch import Tensor

from ganforge import LatentSampler, Problem

from . import LatentOptions


class _Independent(LatentSampler):
    def __init__(self, problem: Problem, options: LatentOptions) -> None:
        super().__init__(problem)
        self.size = options.size


class Normal(_Independent):
    """Each latent from N(0, 1)."""

    def latents(self, n: int, generator: torch.Generator) -> Tensor:
        return torch.randn(n, self.size, generator=generator, device=generator.device)


class Uniform(_Independent):
    """Each latent uniform in [-1, 1)."""

    def latents(self, n: int, generator: torch.Generator) -> Tensor:
        unit = torch.rand(n, self.size, generator=generator, device=generator.device)
        return unit.mul_(2).sub_(1)
