"""The hinge loss (Lim and Ye, 2017, arXiv:1705.02894; Miyato et al., 2018, arXiv:1802.05957)."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import relu

from ganforge import NoOptions, Problem, ScoreLoss


class Hinge(ScoreLoss):
    """D wants real scores above 1 and fake scores below -1; G wants fake scores high."""

    def __init__(self, problem: Problem, options: NoOptions) -> None:
        super().__init__()

    def discriminator(self, real_scores: Tensor, fake_scores: Tensor) -> Tensor:
        return relu(1 - real_scores).mean() + relu(1 + fake_scores).mean()

    def generator(self, fake_scores: Tensor) -> Tensor:
        return -fake_scores.mean()
