"""Random numbers for the samples of a batch, which stand in for "no change" with a probability."""

from __future__ import annotations

import torch
from torch import Tensor


class Draws:
    """Draws `[B]` float32 for `num` samples, in the order in which they are asked for.

    How many numbers are drawn does not depend on their values. `p`, a scalar on the device, is the
    probability of each transform.
    """

    def __init__(self, num: int, generator: torch.Generator, p: Tensor) -> None:
        self.num = num
        self.generator = generator
        self.p = p

    def uniform(self, low: float, high: float) -> Tensor:
        """Uniform in [low, high)."""
        numbers = torch.rand(self.num, generator=self.generator, device=self.generator.device)
        return low + (high - low) * numbers

    def normal(self, std: float) -> Tensor:
        """From N(0, std^2)."""
        return std * torch.randn(self.num, generator=self.generator, device=self.generator.device)

    def factor(self, octaves: float) -> Tensor:
        """Log-normal about 1: 2 to the power of a number from N(0, octaves^2)."""
        return self.normal(octaves).exp2()

    def integer(self, num: int) -> Tensor:
        """One of 0, ..., num - 1."""
        return self.uniform(0, num).floor()

    def chosen(self, p: Tensor | None = None) -> Tensor:
        """The samples that a transform is applied to, bool: each with probability `p`."""
        return self.uniform(0, 1) < (self.p if p is None else p)

    def sometimes(self, values: Tensor, neutral: float) -> Tensor:
        """`values` for the samples that are chosen, and for the others what changes nothing."""
        return torch.where(self.chosen(), values, neutral)
