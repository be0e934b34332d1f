"""The kernel distance of features: unbiased, with a spread (Bińkowski et al., 2018)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from ganforge import DataError, Evaluation, Metric, Problem

from . import KernelOptions


class KernelDistance(Metric):
    """KID: the squared maximum mean discrepancy of features under a cubic kernel.

    `mean` and `std` are over subsets, the same each time. It is unbiased whatever the number of
    samples, so it is the one to report where there are few; around a perfect generator it can be
    negative. Where there are no more samples than one subset takes, subsets are half as large as
    the smaller set, so that there is still a spread.
    """

    def __init__(self, problem: Problem, options: KernelOptions) -> None:
        self.num_subsets = options.subsets
        self.subset_size = options.subset_size

    def measure(self, evaluation: Evaluation) -> Mapping[str, float]:
        real, fake = evaluation.real_features.features, evaluation.fake_features.features
        fewest = min(len(real), len(fake))
        if fewest < 4:
            raise DataError(
                f"the metric 'kid' needs 4 samples or more, and there are {fewest}; raise "
                "evaluation.num_samples"
            )
        size = self.subset_size if self.subset_size < fewest else fewest // 2
        drawn = subsets(len(real), len(fake), size, self.num_subsets)
        found = torch.tensor([kernel_distance(real[a], fake[b]) for a, b in drawn])
        return {"mean": found.mean().item(), "std": found.std(correction=0).item()}


def subsets(num: int, num_other: int, size: int, count: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Pairs of `size` row numbers each, without repetition within one; the same each time."""
    generator = torch.Generator().manual_seed(0)
    for _ in range(count):
        yield (
            torch.randperm(num, generator=generator)[:size],
            torch.randperm(num_other, generator=generator)[:size],
        )


def kernel_distance(one: Tensor, other: Tensor) -> float:
    """MMD² of features `[m, D]` and `[n, D]`, without bias (Gretton et al., 2012, eq. 3).

    Under `k(x, y) = (x·y / D + 1)³` (Bińkowski et al., 2018, "Demystifying MMD GANs").
    """
    one, other = one.double(), other.double()
    return (_mean_apart(one) + _mean_apart(other) - 2 * _kernel(one, other).mean()).item()


def _kernel(one: Tensor, other: Tensor) -> Tensor:
    return (one @ other.T / one.shape[1] + 1) ** 3


def _mean_apart(features: Tensor) -> Tensor:
    """The mean kernel of two different rows."""
    kernel, num = _kernel(features, features), len(features)
    return (kernel.sum() - kernel.trace()) / (num * (num - 1))
