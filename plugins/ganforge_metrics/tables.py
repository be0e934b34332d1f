"""The columns of a table, one by one and two by two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import torch
from torch import Tensor

from ganforge import Column, Evaluation, Metric, NoOptions, Problem, columns_of

_BINS = 10  # that a column of numbers is cut into beside one of categories
_CHUNK = 1024  # columns of numbers whose correlations are compared at a time


class Columns(Metric):
    """Distances of the columns of generated rows from those of real ones, from 0 to 1.

    - `columns`: the mean distance of a column's distributions: for numbers the Kolmogorov-Smirnov
      statistic, for categories the total variation distance;
    - `worst_column`: the largest of them;
    - `pairs`: the mean distance over pairs of columns: half the difference of their correlations
      for numbers; where one is a category, the total variation distance of their contingency
      tables, numbers being cut at the deciles of real ones.

    One minus `columns` is what SDMetrics (DataCebo, 2023) calls column shapes, one minus `pairs`
    its column pair trends, but for bins, which are of equal width there. Rows that are copied from
    the real ones score best: look at `memorisation` too. Vectors without columns have one for each
    number.
    """

    def __init__(self, problem: Problem, options: NoOptions) -> None:
        self.columns = columns_of(problem)
        self.fit = problem.fit

    def measure(self, evaluation: Evaluation) -> Mapping[str, float]:
        real, fake = self._decoded(evaluation.real), self._decoded(evaluation.fake)
        distances = [
            ks_statistic(a, b) if column.values is None else _shares_apart(a, b, len(column.values))
            for column, a, b in zip(self.columns, real, fake, strict=True)
        ]
        found = {"columns": sum(distances) / len(distances), "worst_column": max(distances)}
        if len(self.columns) > 1:
            found["pairs"] = _pairs(self.columns, real, fake)
        return found

    def _decoded(self, samples: Tensor) -> list[Tensor]:
        restored = samples if self.fit is None else self.fit.restore(samples)
        return [column.decoded(samples, restored) for column in self.columns]


def ks_statistic(one: Tensor, other: Tensor) -> float:
    """The largest difference of the two distribution functions of numbers `[N]` and `[M]`."""
    one, other = one.sort().values, other.sort().values
    everything = torch.cat([one, other])
    shares = [
        torch.searchsorted(it, everything, right=True).double() / len(it) for it in (one, other)
    ]
    return float((shares[0] - shares[1]).abs().max())


def _shares_apart(one: Tensor, other: Tensor, num: int) -> float:
    """The total variation distance of the shares of `num` values."""
    shares = [it.bincount(minlength=num).double() / len(it) for it in (one, other)]
    return float((shares[0] - shares[1]).abs().sum() / 2)


def _pairs(columns: Sequence[Column], real: Sequence[Tensor], fake: Sequence[Tensor]) -> float:
    numeric = [number for number, column in enumerate(columns) if column.values is None]
    total = _correlations_apart([real[it] for it in numeric], [fake[it] for it in numeric])
    cut = [_binned(columns[it], real[it], fake[it]) for it in range(len(columns))]
    for a, b in combinations(range(len(columns)), 2):
        if columns[a].values is None and columns[b].values is None:
            continue
        (real_a, fake_a, num_a), (real_b, fake_b, num_b) = cut[a], cut[b]
        total += _shares_apart(real_a * num_b + real_b, fake_a * num_b + fake_b, num_a * num_b)
    return total / (len(columns) * (len(columns) - 1) / 2)


def _correlations_apart(real: Sequence[Tensor], fake: Sequence[Tensor]) -> float:
    """The sum over pairs of half the difference of correlations; 0 where a column is constant."""
    if len(real) < 2:
        return 0.0
    one, other = _standardised(torch.stack([*real])), _standardised(torch.stack([*fake]))
    total = torch.zeros((), dtype=torch.float64, device=one.device)
    for a, b in zip(torch.split(one, _CHUNK), torch.split(other, _CHUNK), strict=True):
        difference = (a @ one.T / one.shape[1] - b @ other.T / other.shape[1]).abs()
        total += difference.sum() / 2
    # Of the diagonal nothing is left where both columns vary, or neither.
    constant = (one.square().sum(1) > 0) != (other.square().sum(1) > 0)
    return float((total - constant.sum() / 2) / 2)


def _standardised(columns: Tensor) -> Tensor:
    centred = columns - columns.mean(1, keepdim=True)
    scale = centred.square().mean(1, keepdim=True).sqrt()
    # What rounding leaves of a constant column is no spread.
    least = 1e-12 * columns.abs().amax(1, keepdim=True)
    return torch.where(scale > least, centred / scale.clamp_min(torch.finfo(scale.dtype).tiny), 0.0)


def _binned(column: Column, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor, int]:
    """Two columns as numbers of categories, and how many there are."""
    if column.values is not None:
        return real, fake, len(column.values)
    places = torch.linspace(0, 1, _BINS + 1, dtype=torch.float64, device=real.device)[1:-1]
    ordered = real.sort().values
    edges = ordered[(places * (len(ordered) - 1)).round().long()]
    return torch.bucketize(real, edges), torch.bucketize(fake, edges), _BINS
