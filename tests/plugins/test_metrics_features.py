"""Distances of features against what they are by definition, and in closed form."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from ganforge import DataError, NoOptions, Problem
from ganforge_metrics import KernelOptions, ManifoldOptions
from ganforge_metrics.frechet import (
    ClassFrechetDistance,
    FrechetDistance,
    Gaussian,
    frechet_distance,
    gaussian_of,
)
from ganforge_metrics.kernel_distance import KernelDistance, kernel_distance, subsets
from ganforge_metrics.manifolds import Manifolds, prdc
from ganforge_metrics.neighbours import squared_nearest

from .measured import Looked, correlated, gaussian

PROBLEM = Problem(sample_shape=(2,), input_shape=(2,))


def fid(real: Tensor, fake: Tensor) -> float:
    found = FrechetDistance(PROBLEM, NoOptions()).measure(Looked(real=real, fake=fake))
    assert list(found) == ["fid"]
    return found["fid"]


def by_general_eigenvalues(real: Tensor, fake: Tensor) -> float:
    """The distance as it is usually computed: eigenvalues of C1 C2, which is not symmetric."""
    real, fake = real.double(), fake.double()
    one, other = real.T.cov(), fake.T.cov()
    root = torch.linalg.eigvals(one @ other).sqrt().real.sum()
    gap = (real.mean(0) - fake.mean(0)).square().sum()
    return (gap + one.trace() + other.trace() - 2 * root).item()


@pytest.mark.parametrize(("num", "num_fake", "dimension"), [(400, 300, 16), (900, 900, 64)])
def test_the_frechet_distance_by_symmetric_eigenvalues_is_that_by_general_ones(
    num, num_fake, dimension
):
    real, fake = correlated(num, dimension, 0), correlated(num_fake, dimension, 1, mean=0.3)
    assert fid(real, fake) == pytest.approx(by_general_eigenvalues(real, fake), rel=1e-6)


def test_the_frechet_distance_of_fewer_samples_than_dimensions():
    real, fake = correlated(40, 64, 0), correlated(30, 64, 1)
    # tr (C1 C2)^½ is the sum of the singular values of X1 X2ᵀ over both roots of N - 1.
    one, other = (it.double() - it.double().mean(0) for it in (real, fake))
    root = torch.linalg.svdvals(one @ other.T).sum() / math.sqrt(39 * 29)
    gap = (real.double().mean(0) - fake.double().mean(0)).square().sum()
    traces = one.square().sum() / 39 + other.square().sum() / 29
    assert fid(real, fake) == pytest.approx((gap + traces - 2 * root).item(), rel=1e-6)


def test_the_frechet_distance_in_closed_form():
    # Of covariances that commute it is the sum of (s1 - s2)² along the axes, and |m1 - m2|².
    one = Gaussian(mean=torch.zeros(3).double(), covariance=torch.eye(3).double() * 4, num=100)
    stds = torch.tensor([1.0, 2.0, 5.0]).double()
    mean = torch.tensor([3.0, 0.0, 4.0]).double()
    other = Gaussian(mean=mean, covariance=torch.diag(stds**2), num=100)
    assert frechet_distance(one, other) == pytest.approx(25 + 1 + 0 + 9)
    assert frechet_distance(other, one) == pytest.approx(35)
    assert frechet_distance(one, one) == pytest.approx(0, abs=1e-9)


def test_statistics_come_in_parts_and_keep_their_digits():
    # In float32, or as E[x²] - E[x]², nothing of this spread would be left.
    features = 1e4 + 1e-2 * gaussian(9000, 5, 0).double()
    whole = gaussian_of(features)
    parts = gaussian_of(features.split(701))
    assert whole.num == parts.num == 9000
    torch.testing.assert_close(whole.covariance, features.T.cov(), rtol=1e-6, atol=1e-12)
    torch.testing.assert_close(parts.covariance, whole.covariance, rtol=1e-6, atol=1e-12)
    torch.testing.assert_close(parts.mean, features.mean(0), rtol=1e-12, atol=0)


def test_a_single_sample_has_no_covariance():
    with pytest.raises(DataError, match="a covariance needs two samples or more, and there are 1"):
        fid(gaussian(9, 2, 0), gaussian(1, 2, 1))


def test_each_class_has_a_distance_of_its_own():
    real, fake = correlated(300, 4, 0), correlated(300, 4, 1)
    labels, fake_labels = torch.arange(300) % 3, torch.arange(300) % 3
    fake[fake_labels == 2] += 5
    metric = ClassFrechetDistance(PROBLEM, NoOptions())
    found = metric.measure(Looked(real=real, fake=fake, labels=labels, fake_labels=fake_labels))
    alone = [fid(real[labels == k], fake[fake_labels == k]) for k in range(3)]
    assert found == {
        "mean": pytest.approx(sum(alone) / 3),
        "worst": pytest.approx(alone[2]),
        "class-0": pytest.approx(alone[0]),
        "class-1": pytest.approx(alone[1]),
        "class-2": pytest.approx(alone[2]),
    }
    fake_labels[fake_labels == 1] = 0
    found = metric.measure(Looked(real=real, fake=fake, labels=labels, fake_labels=fake_labels))
    assert [*found] == ["mean", "worst", "class-0", "class-2"]


def test_many_classes_are_not_listed():
    labels = torch.arange(400) % 101
    features = gaussian(400, 2, 0)
    looked = Looked(real=features, fake=features, labels=labels, fake_labels=labels)
    assert [*ClassFrechetDistance(PROBLEM, NoOptions()).measure(looked)] == ["mean", "worst"]


def plain_kernel_distance(one: Tensor, other: Tensor) -> float:
    """Gretton et al., 2012, eq. 3, pair by pair."""

    def mean(a, b, apart):
        values = [
            (float(x @ y) / len(x) + 1) ** 3
            for i, x in enumerate(a)
            for j, y in enumerate(b)
            if not (apart and i == j)
        ]
        return sum(values) / len(values)

    one, other = one.double(), other.double()
    return mean(one, one, True) + mean(other, other, True) - 2 * mean(one, other, False)


def test_the_kernel_distance_is_the_sum_over_pairs():
    one, other = gaussian(13, 6, 0), gaussian(9, 6, 1, mean=0.5)
    assert kernel_distance(one, other) == pytest.approx(plain_kernel_distance(one, other))


def kid(real: Tensor, fake: Tensor, **options) -> dict[str, float]:
    looked = Looked(real=real, fake=fake)
    return dict(KernelDistance(PROBLEM, KernelOptions(**options)).measure(looked))


def test_the_kernel_distance_is_unbiased_at_any_number_and_the_frechet_distance_is_not():
    pairs = [(gaussian(60, 8, seed), gaussian(60, 8, 100 + seed)) for seed in range(60)]
    found = torch.tensor([kernel_distance(*pair) for pair in pairs])
    assert abs(found.mean().item()) < 4 * found.std().item() / math.sqrt(60)
    assert min(fid(*pair) for pair in pairs) > 0.4


def test_subsets_are_the_same_each_time_and_without_repetition():
    first, again = ([*subsets(50, 40, 20, 3)] for _ in range(2))
    for (a, b), (c, d) in zip(first, again, strict=True):
        assert torch.equal(a, c)
        assert torch.equal(b, d)
        assert len(a.unique()) == len(b.unique()) == 20
        assert int(a.max()) < 50
        assert int(b.max()) < 40
    assert not torch.equal(first[0][0], first[1][0])


def test_the_mean_and_the_spread_are_over_subsets():
    real, fake = gaussian(300, 4, 0), gaussian(200, 4, 1, mean=0.3)
    values = torch.tensor([kernel_distance(real[a], fake[b]) for a, b in subsets(300, 200, 120, 7)])
    assert kid(real, fake, subsets=7, subset_size=120) == {
        "mean": pytest.approx(values.mean().item()),
        "std": pytest.approx(values.std(correction=0).item()),
    }
    # With fewer samples than a subset takes there is a spread all the same.
    few = kid(real, fake, subsets=7, subset_size=1000)
    halves = torch.tensor([kernel_distance(real[a], fake[b]) for a, b in subsets(300, 200, 100, 7)])
    assert few["std"] == pytest.approx(halves.std(correction=0).item())
    with pytest.raises(DataError, match="'kid' needs 4 samples or more, and there are 3"):
        kid(real, fake[:3])


def plain_prdc(real: Tensor, fake: Tensor, k: int, density_k: int) -> dict[str, float]:
    """The four by their definitions, from all pairs at once."""
    real, fake = real.double(), fake.double()

    def distances(a, b):
        return (a[:, None] - b).norm(dim=2)

    def radii(features, number):
        return distances(features, features).sort(dim=1).values[:, number]  # 0 is the point itself

    across = distances(real, fake)
    within = across < radii(real, density_k)[:, None]
    return {
        "precision": (across <= radii(real, k)[:, None]).any(0).double().mean().item(),
        "recall": (across <= radii(fake, k)).any(1).double().mean().item(),
        "density": within.double().sum().item() / (density_k * len(fake)),
        "coverage": within.any(1).double().mean().item(),
    }


@settings(deadline=None, max_examples=60)
@given(
    num=st.integers(8, 60),
    num_fake=st.integers(8, 60),
    dimension=st.integers(1, 6),
    shift=st.floats(0, 3),
    k=st.integers(1, 7),
    density_k=st.integers(1, 7),
    seed=st.integers(0, 99),
)
def test_the_four_are_those_of_all_pairs(num, num_fake, dimension, shift, k, density_k, seed):
    real, fake = gaussian(num, dimension, seed), gaussian(num_fake, dimension, 100 + seed, shift)
    assert prdc(real, fake, k, density_k) == pytest.approx(plain_prdc(real, fake, k, density_k))


def test_tiles_give_what_the_whole_gives(monkeypatch):
    real, fake = correlated(500, 24, 0), correlated(333, 24, 1)
    expected = plain_prdc(real, fake, 3, 5)
    assert 0.2 < expected["precision"] < 1
    monkeypatch.setattr("ganforge_metrics.neighbours._ROWS", 64)
    monkeypatch.setattr("ganforge_metrics.neighbours._COLUMNS", 100)
    assert prdc(real, fake, 3, 5) == expected
    distances = (real[:, None].double() - real.double()).norm(dim=2).sort(dim=1).values
    apart = squared_nearest(real, real, 4, itself=False).sqrt()
    torch.testing.assert_close(apart, distances[:, 1:5])
    torch.testing.assert_close(
        squared_nearest(real, real, 4).sqrt(), distances[:, :4], atol=1e-6, rtol=0
    )


def test_copies_of_real_samples_have_a_density_of_one_in_any_order():
    real = gaussian(200, 3, 0)
    for seed in range(3):
        order = torch.randperm(200, generator=torch.Generator().manual_seed(seed))
        assert prdc(real, real[order], 3, 5) == {
            "precision": 1.0,
            "recall": 1.0,
            "density": 1.0,
            "coverage": 1.0,
        }


def test_a_narrow_generator_is_precise_and_a_wide_one_has_recall():
    real = gaussian(500, 2, 0)
    narrow = prdc(real, gaussian(500, 2, 1, std=0.1), 3, 5)
    wide = prdc(real, gaussian(500, 2, 2, std=5.0), 3, 5)
    assert narrow["precision"] > 0.95
    assert narrow["recall"] < 0.1
    assert narrow["coverage"] < 0.2
    assert narrow["density"] > 0.9
    assert wide["precision"] < 0.4
    assert wide["recall"] > 0.8
    assert wide["density"] < 0.4


def test_more_neighbours_than_samples_are_refused():
    metric = Manifolds(PROBLEM, ManifoldOptions())
    with pytest.raises(DataError, match="with 5 neighbours needs more than 5 samples, and there"):
        metric.measure(Looked(real=gaussian(9, 2, 0), fake=gaussian(5, 2, 0)))
