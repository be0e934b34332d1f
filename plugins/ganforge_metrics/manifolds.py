"""Precision, recall, density and coverage: what real and generated samples have in common."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from ganforge import DataError, Evaluation, Metric, Problem

from . import ManifoldOptions
from .neighbours import spread, squared_nearest, squared_tiles

_TIE = 1e-12  # of the squared size of features: what rounding makes of equal distances


class Manifolds(Metric):
    """Shares of generated samples that look real, and of real ones that are generated.

    `precision` and `recall` are those of Kynkäänniemi et al. (2019, "Improved precision and recall
    metric"), `density` and `coverage` those of Naeem et al. (2020, "Reliable fidelity and diversity
    metrics"). A sample is covered by another where it lies no further
    away than that one's k-th neighbour of its own kind. One real outlier with its large radius
    makes many samples precise; density counts how often each is covered (1 for real samples, more
    where samples crowd in dense places), and coverage asks for real samples alone.

    Precision and recall move with the number of samples: compare equal numbers.
    """

    def __init__(self, problem: Problem, options: ManifoldOptions) -> None:
        self.k = options.k
        self.density_k = options.density_k

    def measure(self, evaluation: Evaluation) -> Mapping[str, float]:
        real, fake = evaluation.real_features.features, evaluation.fake_features.features
        fewest, k = min(len(real), len(fake)), max(self.k, self.density_k)
        if fewest <= k:
            raise DataError(
                f"the metric 'prdc' with {k} neighbours needs more than {k} samples, and there "
                f"are {fewest}; raise evaluation.num_samples"
            )
        return prdc(real, fake, self.k, self.density_k)


def prdc(real: Tensor, fake: Tensor, k: int, density_k: int) -> dict[str, float]:
    """The four of features `[N, D]` and `[M, D]`; k neighbours for the first two, `density_k`
    for the others."""
    tie = _TIE * spread(real)
    around_real = squared_nearest(real, real, max(k, density_k), itself=False)
    # A sample on the edge is within for the first two, and without for the others: their authors'.
    real_radius = around_real[:, k - 1, None] + tie
    fake_radius = squared_nearest(fake, fake, k, itself=False)[:, k - 1] + tie
    narrow = around_real[:, density_k - 1, None] - tie
    precise = torch.zeros(len(fake), dtype=torch.bool)
    recalled = torch.zeros(len(real), dtype=torch.bool)
    closest = torch.full((len(real),), torch.inf, dtype=torch.float64)
    within = 0
    for rows, columns, tile in squared_tiles(real, fake):
        precise[columns] |= (tile <= real_radius[rows]).any(0)
        recalled[rows] |= (tile <= fake_radius[columns]).any(1)
        closest[rows] = torch.minimum(closest[rows], tile.amin(1))
        within += int(torch.count_nonzero(tile < narrow[rows]))
    return {
        "precision": precise.double().mean().item(),
        "recall": recalled.double().mean().item(),
        "density": within / (density_k * len(fake)),
        "coverage": (closest < narrow[:, 0]).double().mean().item(),
    }
