"""Calibration of a discriminator: its scores as log density ratios, by logistic regression."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

NUM_NEWTON = 50
RIDGE = 1e-3  # on the slope of standardised scores: keeps it finite where they separate the sides


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """d(x) = slope * score + intercept, the logit of a sample to be real among as many of G's.

    `diagnostic` is Dawid's statistic on samples that it was not fitted to (Turner et al., 2019,
    equation 6): standard normal where d is right.
    """

    slope: float
    intercept: float
    diagnostic: float

    def __call__(self, scores: Tensor) -> Tensor:
        return scores * self.slope + self.intercept


def calibrate(real: Tensor, fake: Tensor) -> Calibration:
    """Calibrate scores `[M]` of real samples against those `[N]` of generated ones.

    Fitted to every other one of either; the others are for the diagnostic. Sides of different sizes
    count alike.
    """
    slope, intercept = _fit(real[::2], fake[::2])
    odds = [(it[1::2].double() * slope + intercept).cpu() for it in (real, fake)]
    size = min(len(it) for it in odds)
    chances = torch.cat([it[:size] for it in odds]).sigmoid()
    truth = torch.cat([torch.ones(size), torch.zeros(size)]).double()
    spread = (chances * (1 - chances)).sum().sqrt()
    diagnostic = ((truth - chances).sum() / spread.clamp(min=1e-12)).item()
    return Calibration(slope=slope, intercept=intercept, diagnostic=diagnostic)


def _fit(real: Tensor, fake: Tensor) -> tuple[float, float]:
    """Slope and intercept of the logistic regression, by Newton's method in double precision."""
    scores = torch.cat([real, fake]).double().cpu()
    truth = torch.cat([torch.ones(len(real)), torch.zeros(len(fake))]).double()
    weights = torch.where(truth == 1, 0.5 / len(real), 0.5 / len(fake))
    centre, scale = scores.mean(), scores.std().clamp(min=1e-12)
    design = torch.stack([(scores - centre) / scale, torch.ones_like(scores)], 1)
    penalty = torch.diag(torch.tensor([RIDGE, 0.0]).double())
    found = torch.zeros(2).double()
    for _ in range(NUM_NEWTON):
        chances = (design @ found).sigmoid()
        gradient = design.T @ (weights * (truth - chances)) - penalty @ found
        curvature = (design.T * (weights * chances * (1 - chances))) @ design + penalty
        step = torch.linalg.solve(curvature + 1e-12 * torch.eye(2).double(), gradient)
        # A full step of Newton's method may leave the basin where the sides are far apart.
        found = found + step * min(1.0, 5.0 / step.norm().clamp(min=1e-12).item())
        if step.norm() < 1e-10:
            break
    slope = (found[0] / scale).item()
    return slope, (found[1] - found[0] * centre / scale).item()
