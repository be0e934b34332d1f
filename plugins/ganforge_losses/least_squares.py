"""Least squares (Mao et al., 2017, arXiv:1611.04076, equation 9)."""

from __future__ import annotations

from torch import Tensor

from ganforge import NoOptions, Problem, ScoreLoss


class LeastSquares(ScoreLoss):
    """Half the mean squared distance of scores from 1 for real and 0 for fake samples."""

    def __init__(self, problem: Problem, options: NoOptions) -> None:
        super().__init__()

    def discriminator(self, real_scores: Tensor, fake_scores: Tensor) -> Tensor:
        return 0.5 * ((real_scores - 1).square().mean() + fake_scores.square().mean())

    def generator(self, fake_scores: Tensor) -> Tensor:
        return 0.5 * (fake_scores - 1).square().mean()
