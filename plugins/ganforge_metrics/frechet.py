"""The Fréchet distance of features: of Gaussians with their means and covariances."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ganforge import DataError, Evaluation, Metric, NoOptions, Problem

_CHUNK = 4096  # rows in double precision at a time
_MAX_LISTED = 100  # classes whose own distances are given


@dataclass(frozen=True, kw_only=True)
class Gaussian:
    """Statistics of N features: `mean` `[D]` and `covariance` `[D, D]` in float64, divisor N - 1.

    They are all that the distance needs, so a reference set can be kept as one of these.
    """

    mean: Tensor
    covariance: Tensor
    num: int


class RunningGaussian:
    """Gathers a `Gaussian` from features that come in parts, in memory that does not grow."""

    def __init__(self) -> None:
        self._num = 0

    def add(self, features: Tensor) -> None:
        """Take in features `[n, D]` of any floating type."""
        for rows in torch.split(features, _CHUNK):
            chunk = rows.double()
            if not self._num:
                # Squares are summed around a point near the mean, or their digits would cancel.
                self._origin = chunk.mean(0)
                self._sum = torch.zeros_like(self._origin)
                self._squares = chunk.new_zeros(chunk.shape[1], chunk.shape[1])
            chunk = chunk - self._origin
            self._num += len(chunk)
            self._sum += chunk.sum(0)
            self._squares.addmm_(chunk.T, chunk)

    def gaussian(self) -> Gaussian:
        """The statistics so far. Raises DataError where there are fewer than two rows."""
        if self._num < 2:
            raise DataError(
                f"a covariance needs two samples or more, and there are {self._num}; raise "
                "evaluation.num_samples"
            )
        shift = self._sum / self._num
        centred = self._squares - self._num * torch.outer(shift, shift)
        return Gaussian(
            mean=self._origin + shift, covariance=centred / (self._num - 1), num=self._num
        )


def gaussian_of(parts: Tensor | Iterable[Tensor]) -> Gaussian:
    """The statistics of features `[N, D]`, or of such parts one after the other."""
    running = RunningGaussian()
    for part in [parts] if isinstance(parts, Tensor) else parts:
        running.add(part)
    return running.gaussian()


def frechet_distance(one: Gaussian, other: Gaussian) -> float:
    """`|m1 - m2|² + tr(C1 + C2 - 2 (C1 C2)^½)`, the Fréchet distance of two Gaussians.

    The source is Dowson and Landau (1982), and for features Heusel et al. (2017, eq. 6).

    With C1 = L Lᵀ the eigenvalues of C1 C2 are those of Lᵀ C2 L, which is symmetric: no square root
    of a matrix is needed, and none of its imaginary parts. There are no more of them than the
    smaller set has rows less one; what rounding makes of the rest is left out.
    """
    rank = min(len(one.mean), one.num - 1, other.num - 1)
    factor = _factor(one.covariance)
    values = torch.linalg.eigvalsh(factor.T @ other.covariance @ factor)
    root = values[-rank:].clamp_min(0).sqrt().sum()
    spread = one.covariance.trace() + other.covariance.trace() - 2 * root
    distance = (one.mean - other.mean).square().sum() + spread
    return max(0.0, float(distance))  # of equal sets it is zero but for rounding


def _factor(covariance: Tensor) -> Tensor:
    """A matrix L with L Lᵀ equal to the covariance, which may be singular."""
    factor: Tensor
    factor, failed = torch.linalg.cholesky_ex(covariance)
    if failed:
        values, vectors = torch.linalg.eigh(covariance)
        factor = vectors * values.clamp_min(0).sqrt()
    return factor


class FrechetDistance(Metric):
    """`fid`: the Fréchet distance of the features of real and of generated samples.

    It is the FID of papers where the extractor is `inception`, with 50,000 samples of a generator
    against the whole training set. It falls with the number of samples: compare equal numbers.
    """

    def __init__(self, problem: Problem, options: NoOptions) -> None:
        pass

    def measure(self, evaluation: Evaluation) -> Mapping[str, float]:
        real = gaussian_of(evaluation.real_features.features)
        return {"fid": frechet_distance(real, gaussian_of(evaluation.fake_features.features))}


class ClassFrechetDistance(Metric):
    """The Fréchet distance of each class: samples generated for it against real ones of it.

    `mean` is the intra-FID of Miyato and Koyama (2018, "cGANs with projection discriminator"),
    `worst` the largest, and `class-3` that of the class with this number, where there are not more
    than a hundred. A class with fewer than two samples on either side is left out.
    """

    def __init__(self, problem: Problem, options: NoOptions) -> None:
        pass

    def measure(self, evaluation: Evaluation) -> Mapping[str, float]:
        real = _by_class(evaluation.real_features.features, evaluation.labels)
        fake = _by_class(evaluation.fake_features.features, evaluation.fake_labels)
        common = sorted(real.keys() & fake.keys())
        if not common:
            raise DataError(
                "the metric 'class-fid' needs a class with two real and two generated samples; "
                "raise evaluation.num_samples"
            )
        found = {
            number: frechet_distance(gaussian_of(real[number]), gaussian_of(fake[number]))
            for number in common
        }
        listed = found.items() if common[-1] < _MAX_LISTED else ()
        return {
            "mean": sum(found.values()) / len(found),
            "worst": max(found.values()),
            **{f"class-{number}": value for number, value in listed},
        }


def _by_class(features: Tensor, labels: Tensor | None) -> dict[int, Tensor]:
    """The features of each class that has two or more, by its number."""
    assert labels is not None  # the spec says that they are needed
    labels = labels.to(features.device)
    counts: Sequence[int] = labels.bincount().tolist()
    return {number: features[labels == number] for number, count in enumerate(counts) if count > 1}
