"""The Wasserstein loss (Arjovsky et al., 2017, arXiv:1701.07875, algorithm 1)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ganforge import Problem, ScoreLoss

from . import WassersteinOptions


class Wasserstein(ScoreLoss):
    """The critic maximises the difference of its mean scores; its weights stay in a box."""

    def __init__(self, problem: Problem, options: WassersteinOptions) -> None:
        super().__init__()
        self.clip = options.clip

    def discriminator(self, real_scores: Tensor, fake_scores: Tensor) -> Tensor:
        return fake_scores.mean() - real_scores.mean()

    def generator(self, fake_scores: Tensor) -> Tensor:
        return -fake_scores.mean()

    def constrain_discriminator(self, discriminator: nn.Module) -> None:
        if self.clip:
            parameters: list[Tensor] = list(discriminator.parameters())
            torch._foreach_clamp_min_(parameters, -self.clip)
            torch._foreach_clamp_max_(parameters, self.clip)
