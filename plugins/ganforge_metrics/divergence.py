"""The Kullback-Leibler divergence, estimated from distances to nearest neighbours."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from ganforge import DataError, Evaluation, Metric, Problem

from . import KLOptions

_CHUNK = 4_000_000  # distances in memory at a time


class KullbackLeibler(Metric):
    """`forward` estimates KL(real || generated), `reverse` KL(generated || real), in nats.

    Forward grows where the generator leaves something out, reverse where it adds something. Where
    the distributions agree, either varies around zero, by 0.02 or so with 2,500 samples, and can be
    negative. Where one has much wider tails than the other, the divergence from it falls short,
    less so with more samples or a smaller k. Meant for one or two dimensions: in many, the bias
    is larger than what is to be measured.

    Raises DataError where there are not more than k samples.
    """

    def __init__(self, problem: Problem, options: KLOptions) -> None:
        self.k = options.k

    def measure(self, evaluation: Evaluation) -> Mapping[str, float]:
        real, fake = evaluation.real, evaluation.fake
        fewest = min(len(real), len(fake))
        if fewest <= self.k:
            raise DataError(
                f"the metric 'kl' with k = {self.k} needs more than {self.k} samples, and there "
                f"are {fewest}; lower metric.kl.k, or raise evaluation.num_samples"
            )
        # Numbers of this size are not told apart by float32, so no smaller distance means anything.
        resolution = torch.finfo(real.dtype).eps * real.abs().max().item()
        return {
            "forward": divergence(real, fake, self.k, resolution),
            "reverse": divergence(fake, real, self.k, resolution),
        }


def divergence(of: Tensor, other: Tensor, k: int, resolution: float) -> float:
    """The estimate of KL(p || q) from samples `of` p, `[N, D]`, and of the `other`, q, `[M, D]`.

    D/N * sum_i log(nu_i / rho_i) + log(M / (N - 1)), where rho_i is the distance of sample i from
    its k-th neighbour among the others of its kind, and nu_i from its k-th among those of q (Wang,
    Kulkarni and Verdú, 2009, "Divergence estimation for multidimensional densities via
    k-nearest-neighbor distances"). Distances are taken to be at least `resolution`: among copies of
    one sample they are zero, and a generator that gives nothing else scores large but finite.
    """
    least = max(resolution, torch.finfo(of.dtype).tiny)
    within = kth_distances(of, of, k + 1).clamp_min(least)  # the first is the sample itself
    across = kth_distances(of, other, k).clamp_min(least)
    ratio = (across.log() - within.log()).mean().item()
    return of.shape[1] * ratio + math.log(len(other) / (len(of) - 1))


def kth_distances(points: Tensor, others: Tensor, k: int) -> Tensor:
    """The distance `[N]` of each point from the k-th nearest of the others `[M, D]`."""
    rows = max(1, _CHUNK // len(others))
    return torch.cat(
        [
            # By way of a matrix product, small distances would be lost to rounding.
            torch.cdist(chunk, others, compute_mode="donot_use_mm_for_euclid_dist")
            .topk(k, dim=1, largest=False)
            .values.amax(dim=1)
            for chunk in torch.split(points, rows)
        ]
    )
