"""The metrics against arithmetic: known divergences, known mixtures, known failures."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import ganforge_metrics
from ganforge import DataError, Mixture, NoOptions, Problem
from ganforge.contracts import Dataset
from ganforge_distributions.mixtures import grid, ring
from ganforge_distributions.options import GridOptions, RingOptions
from ganforge_metrics import KLOptions, ModesOptions
from ganforge_metrics.divergence import KullbackLeibler, divergence, kth_distances
from ganforge_metrics.modes import Modes
from ganforge_metrics.moments import Moments
from ganforge_metrics.reconstruction import MeanAbsoluteError

VECTORS = Problem(sample_shape=(2,), input_shape=(2,))
RING, GRID = ring(VECTORS, RingOptions()), grid(VECTORS, GridOptions())


@dataclass
class Samples:
    """An evaluation of tensors that are there."""

    real: Tensor
    fake: Tensor
    reconstruction: Tensor | None = None
    dataset: Dataset = field(default_factory=Dataset)


def measured_kl(real, fake, k=5):
    return KullbackLeibler(VECTORS, KLOptions(k=k)).measure(Samples(real, fake))


def measured_modes(dataset, fake, **options):
    samples = Samples(torch.empty(0, 2), fake, dataset=dataset)
    return Modes(VECTORS, ModesOptions(**options)).measure(samples)


def draw(dataset, n, seed=0):
    return dataset.draw(n, torch.Generator().manual_seed(seed)).samples


def gaussian(n, dimension, seed, mean=0.0, std=1.0):
    generator = torch.Generator().manual_seed(seed)
    return mean + std * torch.randn(n, dimension, generator=generator)


def test_every_metric_gives_plain_numbers_under_short_names():
    built = {
        "mae": MeanAbsoluteError(VECTORS, NoOptions()),
        "moments": Moments(VECTORS, NoOptions()),
        "kl": KullbackLeibler(VECTORS, KLOptions()),
        "modes": Modes(VECTORS, ModesOptions()),
    }
    real, fake = draw(RING, 50), draw(RING, 50, seed=1)
    samples = Samples(real, fake, reconstruction=fake, dataset=RING)
    keys = {name: list(metric.measure(samples)) for name, metric in built.items()}
    assert keys == {
        "mae": ["mae"],
        "moments": ["mean_distance", "covariance_error"],
        "kl": ["forward", "reverse"],
        "modes": ["modes", "strict_modes", "high_quality", "kl", "std_ratio", "smallest_share"],
    }
    for metric in built.values():
        assert {type(value) for value in metric.measure(samples).values()} == {float}
    assert {spec.name for spec in ganforge_metrics.ganforge_metrics()} >= {*keys}


@pytest.mark.parametrize(("shape", "error"), [((1, 4, 4), 0.25), ((3, 2, 6), 0.25), ((5,), 0.5)])
def test_mae_halves_the_differences_of_images_alone(shape, error):
    real = torch.full((3, *shape), 0.25)
    made = torch.full((3, *shape), 0.75)
    metric = MeanAbsoluteError(Problem(sample_shape=shape, input_shape=(2,)), NoOptions())
    assert metric.measure(Samples(real, real, reconstruction=made)) == {"mae": error}
    assert metric.measure(Samples(real, made, reconstruction=real)) == {"mae": 0.0}


def test_moments_of_numbers():
    real, fake = torch.tensor([[1.0], [3.0]]), torch.tensor([[0.0], [0.0], [3.0]])
    metric = Moments(Problem(sample_shape=(1,), input_shape=(2,)), NoOptions())
    assert metric.measure(Samples(real, fake)) == {
        "mean": 1.0,
        "std": pytest.approx(math.sqrt(2)),
        "real_mean": 2.0,
        "real_std": 1.0,
    }


def test_moments_of_vectors():
    real = torch.tensor([[1.0, 2.0], [-1.0, 2.0], [1.0, -2.0], [-1.0, -2.0]])  # diag(1, 4)
    metric = Moments(VECTORS, NoOptions())
    found = metric.measure(Samples(real, real + torch.tensor([3.0, 4.0])))
    assert found == {
        "mean_distance": pytest.approx(5),
        "covariance_error": pytest.approx(0, abs=1e-6),
    }
    assert metric.measure(Samples(real, 2 * real))["covariance_error"] == pytest.approx(3)
    collapsed = torch.zeros(4, 2)
    assert metric.measure(Samples(real, collapsed))["covariance_error"] == pytest.approx(1)
    # Without any spread in the real samples the number is large, and a number.
    assert math.isfinite(metric.measure(Samples(collapsed, collapsed))["covariance_error"])


@settings(deadline=None)
@given(
    points=st.integers(1, 30),
    others=st.integers(4, 30),
    dimension=st.integers(1, 3),
    k=st.integers(1, 4),
    seed=st.integers(0, 99),
)
def test_neighbours_are_those_of_a_full_sort(points, others, dimension, k, seed):
    generator = torch.Generator().manual_seed(seed)
    a = torch.randn(points, dimension, generator=generator)
    b = torch.randn(others, dimension, generator=generator)
    expected = (a[:, None] - b).norm(dim=2).sort(dim=1).values[:, k - 1]
    torch.testing.assert_close(kth_distances(a, b, k), expected)


def test_neighbours_in_chunks_are_those_of_the_whole(monkeypatch):
    points, others = gaussian(200, 2, 0), gaussian(150, 2, 1)
    whole = kth_distances(points, others, 5)
    monkeypatch.setattr("ganforge_metrics.divergence._CHUNK", 1000)
    assert torch.equal(kth_distances(points, others, 5), whole)


def test_the_estimate_is_the_formula_of_the_paper():
    p, q = torch.tensor([[0.0], [1.0], [4.0]]), torch.tensor([[0.5], [3.0]])
    # k = 1: rho = 1, 1, 3; nu = 0.5, 0.5, 1; N = 3, M = 2
    expected = (math.log(0.5) + math.log(0.5) + math.log(1 / 3)) / 3 + math.log(2 / 2)
    assert divergence(p, q, 1, 1e-7) == pytest.approx(expected)
    # k = 2: rho = 4, 3, 4; nu = 3, 2, 3.5
    expected = (math.log(3 / 4) + math.log(2 / 3) + math.log(3.5 / 4)) / 3
    assert divergence(p, q, 2, 1e-7) == pytest.approx(expected)
    # In two dimensions, with as many zeros beside, twice the logarithms of the same distances.
    flat_p, flat_q = (torch.cat([it, torch.zeros_like(it)], dim=1) for it in (p, q))
    assert divergence(flat_p, flat_q, 2, 1e-7) == pytest.approx(2 * expected)


def exact_kl(dimension, mean, std, other_mean, other_std):
    """Between Gaussians with the same mean and deviation along every axis."""
    ratio = std / other_std
    shift = (mean - other_mean) / other_std
    return dimension * (0.5 * (ratio**2 + shift**2 - 1) - math.log(ratio))


def estimates(n, m, dimension, mean=0.0, std=1.0, seeds=6):
    """Of KL(N(0, 1) || N(mean, std²)) from n and m samples, `[seeds]`."""
    return torch.tensor(
        [
            divergence(
                gaussian(n, dimension, seed), gaussian(m, dimension, 100 + seed, mean, std), 5, 1e-7
            )
            for seed in range(seeds)
        ]
    )


# The bounds are four standard errors of a mean of six: one estimate varies by up to 0.06.
@pytest.mark.parametrize("dimension", [1, 2])
@pytest.mark.parametrize(
    ("mean", "std", "bound"),
    [(0.0, 1.0, 0.03), (0.5, 1.0, 0.05), (-1.0, 1.2, 0.06), (0.0, 1.5, 0.05), (0.3, 2.0, 0.05)],
)
def test_kl_of_gaussians_is_known(dimension, mean, std, bound):
    expected = exact_kl(dimension, 0.0, 1.0, mean, std)
    found = estimates(1500, 1500, dimension, mean, std)
    assert found.mean().item() == pytest.approx(expected, abs=bound)
    assert found.std().item() < 0.1


def test_sets_of_unequal_size_need_their_correction():
    # Without it, log(1/3) or log(3) would be missing.
    assert estimates(500, 1500, 1).mean().item() == pytest.approx(0, abs=0.06)
    assert estimates(1500, 500, 1).mean().item() == pytest.approx(0, abs=0.06)


def test_wide_tails_fall_short_and_less_so_with_more_samples():
    expected = exact_kl(2, 0.0, 1.0, 0.0, 0.6)
    few, many = estimates(250, 250, 2, std=0.6).mean(), estimates(3000, 3000, 2, std=0.6).mean()
    assert 0.1 * expected < few < many < expected


def test_both_directions_are_told_apart():
    real, fake = gaussian(2000, 1, 0), gaussian(2000, 1, 1, std=2.0)
    found = measured_kl(real, fake)
    assert found["forward"] == pytest.approx(exact_kl(1, 0.0, 1.0, 0.0, 2.0), abs=0.1)
    assert found["reverse"] > found["forward"] + 0.1
    backwards = measured_kl(fake, real)
    assert backwards["forward"] == pytest.approx(found["reverse"], abs=1e-3)


def test_kl_does_not_depend_on_the_unit():
    real, fake = draw(RING, 500), draw(RING, 500, seed=1)
    near, far = measured_kl(real, fake), measured_kl(1e-3 * real, 1e-3 * fake)
    assert near["forward"] == pytest.approx(far["forward"], abs=1e-3)
    assert near["reverse"] == pytest.approx(far["reverse"], abs=1e-3)


@pytest.mark.parametrize("point", [0.0, 0.7])
def test_kl_of_a_collapsed_generator_is_large_and_finite(point):
    found = measured_kl(draw(RING, 300), torch.full((300, 2), point))
    assert 5 < found["forward"] < 100
    assert 5 < found["reverse"] < 100
    nothing = measured_kl(torch.zeros(9, 2), torch.zeros(9, 2))
    assert nothing == {"forward": pytest.approx(math.log(9 / 8)), "reverse": nothing["forward"]}


def test_kl_says_how_many_samples_it_needs():
    message = "'kl' with k = 5 needs more than 5 samples, and there are 5"
    with pytest.raises(DataError, match=message):
        measured_kl(torch.randn(9, 2), torch.randn(5, 2))


@pytest.mark.parametrize(("dataset", "num"), [(RING, 8), (GRID, 25)])
def test_real_samples_score_as_arithmetic_says(dataset, num):
    n = 2500
    for seed in range(3):
        found = measured_modes(dataset, draw(dataset, n, seed))
        share = 1 - math.exp(-4.5)
        assert found["high_quality"] == pytest.approx(share, abs=4 * 0.105 / math.sqrt(n))
        assert found["modes"] == found["strict_modes"] == num
        assert found["kl"] == pytest.approx((num - 1) / (2 * n), rel=1.5)
        assert found["std_ratio"] == pytest.approx(1, abs=0.05)
        assert found["smallest_share"] > 1 - 4 * math.sqrt(num / n)


def test_points_on_one_mean_are_all_of_high_quality_and_collapsed():
    found = measured_modes(RING, RING.mixture.means[:1].repeat(500, 1))
    assert found == {
        "modes": 1.0,
        "strict_modes": 1.0,
        "high_quality": 1.0,
        "kl": pytest.approx(math.log(8)),
        "std_ratio": pytest.approx(0, abs=1e-4),
        "smallest_share": 0.0,
    }


def test_a_wide_cloud_has_modes_and_no_quality():
    found = measured_modes(GRID, gaussian(2500, 2, 0, std=3.0))
    assert found["modes"] >= 12
    assert found["strict_modes"] <= 3
    assert found["high_quality"] < 0.05


def test_samples_spread_evenly_have_half_the_threshold_as_their_std_ratio():
    found = measured_modes(RING, 4 * torch.rand(2_000_000, 2) - 2)
    assert found["std_ratio"] == pytest.approx(1.5, rel=0.1)


def test_samples_far_from_everything():
    found = measured_modes(RING, gaussian(100, 2, 0, mean=50.0, std=0.01))
    assert found == {
        "modes": 0.0,
        "strict_modes": 0.0,
        "high_quality": 0.0,
        "kl": pytest.approx(math.log(8)),
        "std_ratio": 0.0,
        "smallest_share": 0.0,
    }


def test_a_mode_that_is_missing_and_one_that_is_rare():
    samples = draw(RING, 20_000)
    mode = (samples[:, None] - RING.mixture.means).norm(dim=2).argmin(dim=1)
    rare = (mode == 1) & (torch.arange(len(samples)) % 10 > 0)
    found = measured_modes(RING, samples[(mode != 0) & ~rare])
    assert found["modes"] == 7
    assert found["strict_modes"] == 6
    assert found["smallest_share"] == 0
    shares = torch.tensor([0.1] + [1.0] * 6) / 6.1
    assert found["kl"] == pytest.approx((shares * (8 * shares).log()).sum().item(), abs=0.01)


def mixture_of(weights, means, stds):
    dataset = Dataset()
    dataset.mixture = Mixture(
        weights=torch.tensor(weights), means=torch.tensor(means), stds=torch.tensor(stds)
    )
    return dataset


def test_modes_are_weighed_and_distances_are_in_their_deviations():
    dataset = mixture_of([0.25, 0.75], [[0.0, 0.0], [4.0, 0.0]], [0.1, 1.0])
    # The fourth is nearer to the first mean, and is the wide mode's; the last is no-one's.
    points = [[0.0, 0.1], [4.0, 1.0], [4.0, -1.0], [1.5, 0.0], [0.0, 9.0]]
    found = measured_modes(dataset, torch.tensor(points))
    assert found["high_quality"] == pytest.approx(4 / 5)
    assert found["smallest_share"] == pytest.approx(1 / (0.25 * 5))  # against 3 / (0.75 * 5)
    assert found["kl"] == pytest.approx(0, abs=1e-6)
    assert measured_modes(dataset, torch.tensor(points), threshold=2.0)["high_quality"] == 0.6


@pytest.mark.parametrize("scale", [0.25, 0.5, 0.8])
def test_the_std_ratio_is_the_scale_of_the_modes(scale):
    means = GRID.mixture.means.repeat(200, 1)
    samples = means + scale * gaussian(len(means), 2, 0, std=0.05)
    assert measured_modes(GRID, samples)["std_ratio"] == pytest.approx(scale, rel=0.03)


@settings(max_examples=50, deadline=None)
@given(
    num=st.integers(1, 40),
    spread=st.floats(0, 3, allow_subnormal=False),
    seed=st.integers(0, 99),
    share=st.floats(0.01, 1.0),
)
def test_the_numbers_agree_with_each_other(num, spread, seed, share):
    found = measured_modes(RING, gaussian(num, 2, seed, std=spread), share=share)
    assert all(math.isfinite(value) for value in found.values())
    assert 0 <= found["strict_modes"] <= found["modes"] <= min(8, num)
    assert 0 <= found["high_quality"] <= 1
    assert -1e-9 <= found["kl"] <= math.log(8) + 1e-6
    assert found["smallest_share"] <= 1
    assert (found["strict_modes"] == 8) == (found["smallest_share"] >= share)
