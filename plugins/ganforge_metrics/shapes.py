"""Point clouds by their Chamfer distance, and volumes by what they fill in common."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from ganforge import DataError, Evaluation, Metric, Problem

from . import CloudOptions, VolumeOptions
from .matching import few, matched


class Clouds(Metric):
    """`mmd`, `coverage` and `nearest_accuracy` of clouds under the Chamfer distance: see `matched`.

    `nearest_accuracy` is the one to go by (Yang et al., 2019): the others are good, too, where a
    generator makes averages of clouds. Papers take all of 2,048 points and all of a test set; here
    it is some of them, of equal numbers on both sides, the same each time.
    """

    def __init__(self, problem: Problem, options: CloudOptions) -> None:
        self.num, self.num_points = options.clouds, options.points

    def measure(self, evaluation: Evaluation) -> Mapping[str, float]:
        real, fake = _pair(evaluation, self.num, "clouds")
        real, fake = (few(it.movedim(1, 0), self.num_points).movedim(0, 1) for it in (real, fake))
        return matched(real, fake, chamfer_distances)


class Volumes(Metric):
    """Filling of generated volumes, beside real ones. A cell is full above the middle.

    - `jsd`: the Jensen-Shannon divergence, in nats, of where cells are full on the whole
      (Achlioptas et al., 2018), from 0 to .69;
    - `filled`: the difference of the mean share of full cells;
    - `mmd`, `coverage`, `nearest_accuracy`: see `matched`, under one minus intersection over union.
    """

    def __init__(self, problem: Problem, options: VolumeOptions) -> None:
        self.num = options.volumes
        self.scaled = problem.sample.scaled

    def measure(self, evaluation: Evaluation) -> Mapping[str, float]:
        real = evaluation.real
        middle = 0.0 if self.scaled else float(real.min() + real.max()) / 2
        shares = [(it > middle).double().mean(0).flatten() for it in (real, evaluation.fake)]
        pair = _pair(evaluation, self.num, "volumes")
        some, others = ((it > middle).flatten(1).float() for it in pair)
        return {
            "jsd": _jensen_shannon(*shares),
            "filled": float((shares[0].mean() - shares[1].mean()).abs()),
            **matched(some, others, jaccard_distances),
        }


def _pair(evaluation: Evaluation, num: int, what: str) -> tuple[Tensor, Tensor]:
    """Some real and generated samples, at most `num` of each."""
    real, fake = evaluation.real, evaluation.fake
    if min(len(real), len(fake)) < 2:
        raise DataError(
            f"two {what} or more are needed to compare them; raise evaluation.num_samples"
        )
    return few(real, num), few(fake, num)


def chamfer_distances(clouds: Tensor, others: Tensor) -> Tensor:
    """`[N, M]` of clouds `[N, P, C]` and `[M, Q, C]`: mean squared distances of nearest points.

    From each point of one cloud to the nearest of the other, and back, added up.
    """
    found = []
    for cloud in clouds:
        # By way of a matrix product, small distances would be lost to rounding.
        squares = torch.cdist(
            cloud[None], others, compute_mode="donot_use_mm_for_euclid_dist"
        ).square()
        found.append(squares.amin(2).mean(1) + squares.amin(1).mean(1))
    return torch.stack(found)


def jaccard_distances(volumes: Tensor, others: Tensor) -> Tensor:
    """`[N, M]` of volumes `[N, V]` and `[M, V]` of zeros and ones: 1 - intersection / union."""
    common = volumes @ others.T
    union = volumes.sum(1, keepdim=True) + others.sum(1) - common
    return torch.where(union > 0, 1 - common / union.clamp_min(1), 0.0)  # two empty ones are equal


def _jensen_shannon(one: Tensor, other: Tensor) -> float:
    """Of non-negative weights `[V]`; one without any weight is taken for an even one."""
    shares = [
        it / it.sum() if it.sum() > 0 else torch.full_like(it, 1 / len(it)) for it in (one, other)
    ]
    middle = (shares[0] + shares[1]) / 2
    parts = [torch.special.xlogy(it, it / middle.clamp_min(1e-300)).sum() / 2 for it in shares]
    return max(0.0, float(parts[0] + parts[1]))
