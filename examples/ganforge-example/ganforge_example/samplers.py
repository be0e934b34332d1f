"""Latents whose distribution has modes, as the data may have."""

from __future__ import annotations

import torch
from torch import Tensor

from ganforge import LatentSampler, Problem

from . import SamplerOptions


class GaussianMixture(LatentSampler):
    """Latents `[n, Z]` from M equally likely Gaussians of deviation 1.

    Mode number i lies at +radius, or -radius where i is odd, on axis i // 2. A continuous generator
    maps latents in one piece to samples in one piece, and so must draw bridges between clusters of
    the data; of latents in several pieces it need not (Ben-Yosef and Weinshall, 2018,
    arXiv:1808.10356).
    """

    def __init__(self, problem: Problem, options: SamplerOptions) -> None:
        super().__init__(problem, options)
        self.size = options.size
        self.num_modes = options.num_modes
        self.radius = options.radius

    def latents(self, n: int, generator: torch.Generator) -> Tensor:
        device = generator.device
        noise = torch.randn(n, self.size, generator=generator, device=device)
        modes = torch.randint(self.num_modes, (n, 1), generator=generator, device=device)
        places = self.radius * (1.0 - 2.0 * (modes % 2))
        return noise.scatter_add_(1, modes // 2, places)
