"""Samplers whose latents are independent of real samples."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ganforge import Batch, Inputs, LatentSampler, Problem

from . import LatentOptions, TruncatedNormalOptions

BELOW_ONE = 1 - 2**-24  # the largest float32 below 1: erfinv(1) is infinite


class _Independent(LatentSampler):
    def __init__(self, problem: Problem, options: LatentOptions) -> None:
        super().__init__(problem)
        self.size = options.size

    def _uniform(self, n: int, generator: torch.Generator) -> Tensor:
        """Independent numbers `[n, Z]` in [0, 1)."""
        return torch.rand(n, self.size, generator=generator, device=generator.device)


class Normal(_Independent):
    """Each latent from N(0, 1)."""

    def latents(self, n: int, generator: torch.Generator) -> Tensor:
        return torch.randn(n, self.size, generator=generator, device=generator.device)

    def log_density(self, inputs: Tensor) -> Tensor:
        return -0.5 * inputs.square().sum(1)

    def truncated(self, threshold: float) -> TruncatedNormal:
        options = TruncatedNormalOptions(size=self.size, threshold=threshold)
        return TruncatedNormal(self.problem, options)


class TruncatedNormal(_Independent):
    """Each latent from N(0, 1), given that it lies within the threshold.

    The inverse of the distribution function turns one uniform number into one latent, where drawing
    again what is too large (Brock et al., 2019, arXiv:1809.11096, section 3.1) takes an unknown
    number of draws.
    """

    def __init__(self, problem: Problem, options: TruncatedNormalOptions) -> None:
        super().__init__(problem, options)
        self.threshold = options.threshold

    def latents(self, n: int, generator: torch.Generator) -> Tensor:
        # P(|z| <= threshold) = erf(threshold / sqrt 2), and z = sqrt 2 erfinv(u) for u within it.
        within = min(math.erf(self.threshold / math.sqrt(2)), BELOW_ONE)
        spread = self._uniform(n, generator).mul_(2).sub_(1).mul_(within)
        latents = torch.erfinv(spread).mul_(math.sqrt(2))
        return latents.clamp_(-self.threshold, self.threshold)  # rounding may go beyond it

    def truncated(self, threshold: float) -> TruncatedNormal:
        options = TruncatedNormalOptions(size=self.size, threshold=min(threshold, self.threshold))
        return TruncatedNormal(self.problem, options)


class Uniform(_Independent):
    """Each latent uniform in [-1, 1)."""

    bound = 1.0

    def latents(self, n: int, generator: torch.Generator) -> Tensor:
        latents = self._uniform(n, generator).mul_(2).sub_(1)
        return latents if self.bound == 1.0 else latents.mul_(self.bound)

    def truncated(self, threshold: float) -> Uniform:
        narrower = Uniform(self.problem, LatentOptions(size=self.size))
        narrower.bound = min(threshold, self.bound)
        return narrower


class Spherical(Normal):
    """Latents of length sqrt(Z) in every direction alike: where nearly all of N(0, I) lies."""

    def latents(self, n: int, generator: torch.Generator) -> Tensor:
        directions = torch.nn.functional.normalize(super().latents(n, generator), dim=1)
        return directions.mul_(math.sqrt(self.size))

    def log_density(self, inputs: Tensor) -> Tensor:
        raise ValueError("latents on a sphere have no density in the space around it")

    def truncated(self, threshold: float) -> TruncatedNormal:
        raise ValueError("latents on a sphere all have one length")


class ClassBalanced(_Independent):
    """N(0, 1) latents; among n labels every class is n / K times there, give or take less than one.

    The labels are independent of those of the real batch.
    """

    def __init__(self, problem: Problem, options: LatentOptions) -> None:
        super().__init__(problem, options)
        self.distribution: Normal | TruncatedNormal = Normal(problem, options)

    def latents(self, n: int, generator: torch.Generator) -> Tensor:
        return self.distribution.latents(n, generator)

    def sample(self, n: int, *, generator: torch.Generator, real: Batch | None = None) -> Inputs:
        latents = self.latents(n, generator)
        num_classes, device = self.problem.num_classes, generator.device
        assert num_classes is not None, "the spec reads labels"
        # Which classes get one more than the others is drawn, and so is the order.
        classes = torch.randperm(num_classes, generator=generator, device=device)
        order = torch.randperm(n, generator=generator, device=device)
        return Inputs(latents, classes[order % num_classes])

    def log_density(self, inputs: Tensor) -> Tensor:
        return self.distribution.log_density(inputs)

    def truncated(self, threshold: float) -> ClassBalanced:
        narrower = ClassBalanced(self.problem, LatentOptions(size=self.size))
        narrower.distribution = self.distribution.truncated(threshold)
        return narrower
