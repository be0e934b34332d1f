"""Discriminator-driven latent sampling (Che et al., 2020, arXiv:2003.06060)."""

from __future__ import annotations

import torch
from torch import Tensor

from ganforge import Inputs, Pair, Problem, Refined, Refinement

from . import LangevinOptions


class Langevin(Refinement):
    """Langevin dynamics in the latent space of the energy E(z) = -log p(z) - d(G(z)).

    z <- z - (epsilon / 2) grad E(z) + sqrt(epsilon) n with n from N(0, I) (equations 5 and 6):
    where d is right, the samples of what z comes to are distributed as the data. Nothing is
    rejected, so that steps that are too large leave another distribution.
    """

    def __init__(self, problem: Problem, options: LangevinOptions) -> None:
        super().__init__(problem, options)
        self.options: LangevinOptions = options

    def refine(self, pair: Pair, inputs: Inputs) -> Refined:
        step_size = self.options.step_size
        values = inputs.values
        for _ in range(self.options.steps):
            noise = pair.normal_like(values)
            values = values + 0.5 * step_size * self._slope(pair, values, inputs)
            values = values + step_size**0.5 * noise
        return Refined(inputs=Inputs(values.detach(), **inputs.others))

    def _slope(self, pair: Pair, values: Tensor, inputs: Inputs) -> Tensor:
        """The gradient of log p(z) + d(G(z))."""
        with torch.enable_grad():
            moved = values.detach().requires_grad_()
            at = Inputs(moved, **inputs.others)
            (slope,) = torch.autograd.grad((pair.log_density(at) + pair.log_ratio(at)).sum(), moved)
        return slope
