"""Variational f-GANs (Nowozin et al., 2016, arXiv:1606.00709).

The discriminator's score v is turned into a variational function t = g_f(v) (table 6), and D
maximises E_real[t] - E_fake[f*(t)] (equation 4), whose supremum is the divergence of the data from
the generator. G minimises it: in the variational form -E_fake[f*(t)], in the alternative form
(section 3.2) -E_fake[t].

Exponentials go on as straight lines above `STEEPEST`, so that every score has a finite loss. That
changes the supremum only where one density is more than exp(STEEPEST) times the other.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor
from torch.nn.functional import softplus

from ganforge import Problem, ScoreLoss

from . import DivergenceOptions

STEEPEST = 20.0  # exp beyond it is replaced by its tangent there


class Divergence(ScoreLoss, ABC):
    """An f-divergence, as the two functions of the score that define its variational form."""

    def __init__(self, problem: Problem, options: DivergenceOptions) -> None:
        super().__init__()
        self.alternative = options.generator == "alternative"

    @abstractmethod
    def variational(self, scores: Tensor) -> Tensor:
        """g_f(v)."""

    @abstractmethod
    def conjugate(self, scores: Tensor) -> Tensor:
        """f*(g_f(v))."""

    def discriminator(self, real_scores: Tensor, fake_scores: Tensor) -> Tensor:
        return self.conjugate(fake_scores).mean() - self.variational(real_scores).mean()

    def generator(self, fake_scores: Tensor) -> Tensor:
        if self.alternative:
            return -self.variational(fake_scores).mean()
        return -self.conjugate(fake_scores).mean()


class KullbackLeibler(Divergence):
    """KL(data || generator): g(v) = v, f*(t) = exp(t - 1)."""

    def variational(self, scores: Tensor) -> Tensor:
        return scores

    def conjugate(self, scores: Tensor) -> Tensor:
        return steady_exp(scores - 1)


class ReverseKullbackLeibler(Divergence):
    """KL(generator || data): g(v) = -exp(-v), f*(t) = -1 - log(-t)."""

    def variational(self, scores: Tensor) -> Tensor:
        return -steady_exp(-scores)

    def conjugate(self, scores: Tensor) -> Tensor:
        return scores - 1


class Pearson(Divergence):
    """Pearson's chi-squared, the integral of (p - q)^2 / q for data p and generator q.

    g(v) = v, f*(t) = t^2 / 4 + t.
    """

    def variational(self, scores: Tensor) -> Tensor:
        return scores

    def conjugate(self, scores: Tensor) -> Tensor:
        return scores.square() / 4 + scores


class JensenShannon(Divergence):
    """Twice the Jensen-Shannon divergence: g(v) = log 2 - log(1 + exp(-v)), f*(t) = -log(2 - e^t).

    That is the original value function with a constant added.
    """

    def variational(self, scores: Tensor) -> Tensor:
        return math.log(2) - softplus(-scores)

    def conjugate(self, scores: Tensor) -> Tensor:
        return softplus(scores) - math.log(2)


def steady_exp(values: Tensor) -> Tensor:
    """exp, and above `STEEPEST` its tangent: convex, with a continuous slope, and finite."""
    # Not clamp, whose slope just where it begins to clamp can be 0, and no score may lose its pull.
    steep = values > STEEPEST
    exponential = torch.exp(torch.where(steep, STEEPEST, values))
    return exponential * torch.where(steep, values - (STEEPEST - 1), 1.0)
