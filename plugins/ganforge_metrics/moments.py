"""The first two moments of the samples."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from ganforge import Evaluation, Metric, NoOptions, Problem


class Moments(Metric):
    """Means and spreads, whose divisor is N.

    Of single numbers: `mean`, `std`, `real_mean` and `real_std`. Of vectors: `mean_distance`, the
    Euclidean distance of the two means, and `covariance_error`, the Frobenius norm of the
    difference of the covariance matrices over that of the real one.
    """

    def __init__(self, problem: Problem, options: NoOptions) -> None:
        pass

    def measure(self, evaluation: Evaluation) -> Mapping[str, float]:
        real, fake = evaluation.real, evaluation.fake
        if real.shape[1] == 1:
            return {
                "mean": fake.mean().item(),
                "std": fake.std(correction=0).item(),
                "real_mean": real.mean().item(),
                "real_std": real.std(correction=0).item(),
            }
        target = _covariance(real)
        difference = (_covariance(fake) - target).norm()
        # A real set of one point has no spread to compare with.
        scale = target.norm().clamp_min(torch.finfo(target.dtype).tiny)
        return {
            "mean_distance": (fake.mean(0) - real.mean(0)).norm().item(),
            "covariance_error": (difference / scale).item(),
        }


def _covariance(samples: Tensor) -> Tensor:
    """`[D, D]` of samples `[N, D]`."""
    centred = samples - samples.mean(0)
    return centred.T @ centred / len(samples)
