"""Mixtures of Gaussians in one dimension, by expectation and maximisation."""

from dataclasses import dataclass
from math import log, pi

import torch
from torch import Tensor

NUM_SAMPLES = 4000  # of a column that it is fitted to
NUM_ROUNDS = 200
NARROWEST = 1e-3  # standard deviation of a mode, as a share of the column's


@dataclass(frozen=True, kw_only=True)
class Modes:
    """Weights, means and standard deviations `[M]`, float64."""

    weights: Tensor
    means: Tensor
    stds: Tensor

    def log_joint(self, values):
        """log p(x, k) of values `[N]`, `[N, M]`."""
        distances = (values[:, None] - self.means) / self.stds
        return self.weights.log() - self.stds.log() - (distances.square() + log(2 * pi)) / 2


def fitted(values, most):
    """The mixture of values `[N]` with the lowest Bayesian information criterion, of 1 to `most`.

    Xu et al. have a variational mixture of ten modes, most of which it makes vanish; with the
    criterion of Schwarz (1978) the number is chosen, to the same end.
    """
    values = values.double().sort().values
    values = values[:: max(1, len(values) // NUM_SAMPLES)]
    found = [maximised(values, num) for num in range(1, most + 1)]
    scores = [
        (3 * num - 1) * log(len(values)) - 2 * float(modes.log_joint(values).logsumexp(1).sum())
        for num, modes in enumerate(found, 1)
    ]
    return found[scores.index(min(scores))]


def maximised(values, num):
    """A mixture of `num` modes of sorted values `[N]`, begun at quantiles."""
    std = float(values.std(correction=0)) or 1.0
    # Values are rounded, and a mode that is a single one of them would be no mode.
    gaps = values.unique().diff()
    narrowest = max(NARROWEST * std, float(gaps.min()) if len(gaps) else 0.0)
    places = (torch.arange(num) + 0.5) / num * len(values)
    means = values[places.long()].clone()
    modes = Modes(
        weights=torch.full_like(means, 1 / num),
        means=means,
        stds=torch.full_like(means, std / num),
    )
    before = float("-inf")
    for _ in range(NUM_ROUNDS):
        joint = modes.log_joint(values)
        total = joint.logsumexp(1, keepdim=True)
        likelihood = float(total.mean())
        if likelihood - before < 1e-6:
            break
        before = likelihood
        shares = (joint - total).exp()
        sizes = shares.sum(0).clamp_min(1e-6)
        means = (shares * values[:, None]).sum(0) / sizes
        spread = (shares * (values[:, None] - means).square()).sum(0) / sizes
        modes = Modes(
            weights=sizes / sizes.sum(),
            means=means,
            stds=spread.sqrt().clamp_min(narrowest),
        )
    return modes
