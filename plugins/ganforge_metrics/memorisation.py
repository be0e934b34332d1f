"""Copies among generated samples: of training samples, or of each other."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ganforge import DataError, Evaluation, Metric, Problem

from . import MemorisationOptions
from .neighbours import nearest, nearest_of_its_kind, spread

_FEWEST = 20  # real samples, for a quantile of theirs to mean something
_RESOLUTION = 1e-6  # of the size of features: nearer than this, float32 tells none apart


class Memorisation(Metric):
    """Nearness of generated samples to those trained on, beside real ones held out of training.

    For a sample s let `ρ(s)` be its distance from the nearest training sample over that from the
    nearest held-out one (but itself). How crowded the place of a sample is has little to do with
    it, for training and held-out samples come of one distribution.

    - `nn_ratio`: the median of ρ over generated samples, over that of the held-out ones: 1 where
      nothing is memorised, towards 0 where all is;
    - `copies`: the share of generated samples whose ρ is lower than all but the lowest hundredth of
      the held-out samples' (`level`). So real samples have .01, and more is copying;
    - `repeats`: the share whose nearest generated sample is nearer than all but the lowest
      hundredth of the held-out samples have their nearest held-out one, among equal numbers. Real
      samples have .01, and more is collapse.

    No threshold is picked: both are quantiles of real samples. What the extractor does not tell
    apart counts as a copy, so it is to tell apart what matters.
    """

    def __init__(self, problem: Problem, options: MemorisationOptions) -> None:
        self.level = options.level

    def measure(self, evaluation: Evaluation) -> Mapping[str, float]:
        found = neighbourhoods(
            evaluation.fake_features.features,
            evaluation.real_features.features,
            evaluation.training_features.features,
        )
        copied = found.held_out_ratios.quantile(self.level)
        repeated = found.held_out_apart.quantile(self.level)
        return {
            "nn_ratio": (found.ratios.quantile(0.5) / found.held_out_ratios.quantile(0.5)).item(),
            "copies": (found.ratios < copied).double().mean().item(),
            "repeats": (found.apart < repeated).double().mean().item(),
        }


@dataclass(frozen=True, kw_only=True)
class Neighbourhoods:
    """Distances that tell of copies, float64; of N generated and M held-out samples.

    `ratios` `[N]` and `held_out_ratios` `[M]` are ρ; `apart` and `held_out_apart` distances from
    the nearest of the same kind, among as many of both.
    """

    ratios: Tensor
    held_out_ratios: Tensor
    apart: Tensor
    held_out_apart: Tensor


def neighbourhoods(fake: Tensor, held_out: Tensor, training: Tensor) -> Neighbourhoods:
    """Of features `[N, D]`, `[M, D]` and `[L, D]`. Raises DataError for too few of any."""
    for features, name in ((fake, "generated"), (held_out, "held-out"), (training, "training")):
        if len(features) < _FEWEST:
            raise DataError(
                f"the metric 'memorisation' needs {_FEWEST} samples of each kind, and there are "
                f"{len(features)} {name} ones"
            )
    # Where a sample is twice in the data, both distances are zero, and it is nobody's copy.
    least = _RESOLUTION * math.sqrt(spread(held_out)) + torch.finfo(torch.float32).tiny
    within = nearest_of_its_kind(held_out)
    held_out_ratios = (nearest(held_out, training) + least) / (within + least)
    ratios = (nearest(fake, training) + least) / (nearest(fake, held_out) + least)
    apart, held_out_apart = _equally_many(fake, held_out)
    # Where so many real samples are exact repeats that the quantile is zero, others still count.
    return Neighbourhoods(
        ratios=ratios,
        held_out_ratios=held_out_ratios,
        apart=apart,
        held_out_apart=held_out_apart + least,
    )


def _equally_many(fake: Tensor, held_out: Tensor) -> tuple[Tensor, Tensor]:
    """Distances from the nearest of the same kind among as many of each, some where there are more.

    The more there are, the nearer they lie.
    """
    num = min(len(fake), len(held_out))
    generator = torch.Generator().manual_seed(0)
    few = [it[torch.randperm(len(it), generator=generator)[:num]] for it in (fake, held_out)]
    one, other = map(nearest_of_its_kind, few)
    return one, other
