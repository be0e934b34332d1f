"""Coverage of the modes of a Gaussian mixture by the samples: how many, and how well."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from ganforge import Evaluation, Metric, Mixture, Problem

from . import ModesOptions


class Modes(Metric):
    """The protocol of VEEGAN (Srivastava et al., 2017) and PacGAN (Lin et al., 2018), and more.

    A sample belongs to the mode whose mean is nearest, in that mode's standard deviations, and is
    of high quality where it lies within `threshold` of them. The papers report, from 2,500 samples:

    - `modes`: the number of modes with at least one high-quality sample;
    - `high_quality`: the share of samples that are of high quality, 0.989 for real samples in the
      plane;
    - `kl`: the divergence in nats of the modes' shares of high-quality samples from their weights.
      Without any such sample it is the most that it can be, -log of the smallest weight.

    Each can be had cheaply: a wide cloud hits most modes, points on one mean are all of high
    quality. So there are beside them:

    - `strict_modes`: the number of modes with at least `share` of the high-quality samples that are
      due to them, which are weight * N;
    - `smallest_share`: the high-quality samples of the mode that has fewest, over those due to it;
    - `std_ratio`: the standard deviation per axis of a mode's high-quality samples over the mode's
      own: the median over the modes that have two of them, 0 where none has. Real samples have .98
      in the plane, less is collapse, and samples spread evenly have half the threshold.
    """

    def __init__(self, problem: Problem, options: ModesOptions) -> None:
        self.threshold = options.threshold
        self.share = options.share

    def measure(self, evaluation: Evaluation) -> Mapping[str, float]:
        mixture, fake = evaluation.dataset.mixture, evaluation.fake
        assert mixture is not None  # the spec says that it is needed
        distances, modes = _nearest(fake, mixture)
        within = distances < self.threshold
        good = modes[within]
        weights = mixture.weights.cpu().double()
        counts = good.bincount(minlength=len(weights)).cpu().double()
        shares = counts / (weights * len(fake))
        ratios = _std_ratios(fake[within], good, mixture).cpu()
        ratios = ratios[ratios.isfinite()]
        return {
            "modes": float((counts > 0).sum()),
            "strict_modes": float((shares >= self.share).sum()),
            "high_quality": len(good) / len(fake),
            "kl": _divergence(counts, weights),
            "std_ratio": ratios.quantile(0.5).item() if len(ratios) else 0.0,
            "smallest_share": shares.min().item(),
        }


def _nearest(samples: Tensor, mixture: Mixture) -> tuple[Tensor, Tensor]:
    """The Mahalanobis distance `[N]` from the nearest mode, and its number, int64 `[N]`."""
    means, stds = mixture.means.to(samples.device), mixture.stds.to(samples.device)
    # By way of a matrix product, distances of a hundredth would be lost to rounding.
    distances = torch.cdist(samples, means, compute_mode="donot_use_mm_for_euclid_dist")
    nearest = (distances / stds).min(dim=1)
    return nearest.values, nearest.indices


def _std_ratios(samples: Tensor, modes: Tensor, mixture: Mixture) -> Tensor:
    """For each mode, the standard deviation per axis of its samples over its own.

    It is NaN for a mode with fewer than two samples.
    """
    zeros = torch.zeros_like(mixture.means, device=samples.device)
    counts = modes.bincount(minlength=len(zeros))[:, None]
    means = zeros.index_add(0, modes, samples) / counts
    squares = zeros.index_add(0, modes, (samples - means[modes]).square())
    variances = (squares / (counts - 1)).mean(dim=1)
    return variances.sqrt() / mixture.stds.to(samples.device)


def _divergence(counts: Tensor, weights: Tensor) -> float:
    if not counts.any():
        return -math.log(weights.min())
    shares = counts / counts.sum()
    return float(torch.special.xlogy(shares, shares / weights).sum())
