"""Sets of shapes, compared by the distance of any two: which lies nearest to which."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

#: distances `[N, M]` of samples `[N, ...]` from others `[M, ...]`
Distances = Callable[[Tensor, Tensor], Tensor]


def few(samples: Tensor, num: int) -> Tensor:
    """At most so many of the samples, the same ones each time."""
    if len(samples) <= num:
        return samples
    order = torch.randperm(len(samples), generator=torch.Generator().manual_seed(0))
    return samples[order[:num].to(samples.device)]


def matched(real: Tensor, fake: Tensor, distances: Distances) -> dict[str, float]:
    """Minimum matching distance, coverage and 1-nearest-neighbour accuracy of equally many samples.

    - `mmd`: the mean distance of a real sample from the nearest generated one;
    - `coverage`: the share of real samples that are the nearest of some generated one
      (both of Achlioptas et al., 2018, "Learning representations and generative models for 3D
      point clouds");
    - `nearest_accuracy`: the share of samples whose nearest other one is of their own kind
      (Lopez-Paz and Oquab, 2017; Yang et al., 2019, "PointFlow"): .5 where the kinds cannot
      be told apart, 1 where they can, less where generated samples sit on real ones.
    """
    num = min(len(real), len(fake))
    real, fake = real[:num], fake[:num]
    across = distances(real, fake)
    apart = torch.eye(num, dtype=torch.bool, device=across.device)
    own = [distances(it, it).masked_fill(apart, torch.inf).amin(1) for it in (real, fake)]
    nearest = [across.amin(1), across.amin(0)]
    alike = [(mine <= other).double().mean() for mine, other in zip(own, nearest, strict=True)]
    return {
        "mmd": float(nearest[0].double().mean()),
        "coverage": int((across.argmin(0).bincount() > 0).sum()) / num,
        "nearest_accuracy": float((alike[0] + alike[1]) / 2),
    }
