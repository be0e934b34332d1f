"""The distributions against their formulas: moments, modes, seeds, and options that contradict."""

from __future__ import annotations

import math
from importlib import import_module

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import ganforge_distributions
from ganforge import Field, Problem
from ganforge.plugin.options import parse
from ganforge_distributions.mixtures import GaussianMixture
from ganforge_distributions.options import MixtureOptions, UniformOptions

SPECS = {spec.name: spec for spec in ganforge_distributions.ganforge_datasets()}
MIXTURES = ["normal", "mixture", "ring", "grid"]


def build(name, **options):
    spec = SPECS[name]
    chosen = spec.options(**options)
    problem = Problem(sample=spec.fields(chosen)["sample"], input_shape=(2,))
    module, _, attribute = spec.build.partition(":")
    return getattr(import_module(module), attribute)(problem, chosen)


def draw(dataset, n, seed=0):
    return dataset.draw(n, torch.Generator().manual_seed(seed)).samples


@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize("n", [0, 1, 7])
def test_samples_have_the_shape_that_the_spec_gives_and_no_other_fields(name, n):
    dataset = build(name)
    batch = dataset.draw(n, torch.Generator().manual_seed(0))
    fields = SPECS[name].fields(SPECS[name].options())
    assert list(fields) == ["sample"]
    assert batch.samples.shape == (n, *fields["sample"].shape)
    assert batch.samples.dtype == torch.float32
    assert batch.labels is None
    assert batch.others == {}
    assert dataset.classes is None


def test_the_options_give_the_dimension():
    for name in SPECS:
        options = SPECS[name].options
        if "dimension" in options.__dataclass_fields__:
            means = {"means": (0.0,) * 6} if name == "mixture" else {}
            fields = SPECS[name].fields(options(dimension=3, **means))
            assert fields == {"sample": Field(kind="vector", shape=(3,))}
        else:
            assert SPECS[name].fields(options()) == {"sample": Field(kind="vector", shape=(2,))}


@pytest.mark.parametrize("name", SPECS)
def test_samples_follow_their_generator_alone(name):
    dataset = build(name)
    state = torch.get_rng_state()
    samples = draw(dataset, 50)
    assert torch.equal(state, torch.get_rng_state())
    assert torch.equal(draw(dataset, 50), samples)
    assert not torch.equal(draw(dataset, 50, seed=1), samples)


@pytest.mark.parametrize("name", SPECS)
def test_the_sets_that_are_mixtures_know_their_modes(name):
    mixture = build(name).mixture
    assert SPECS[name].gives == (("mixture",) if name in MIXTURES else ())
    assert (name in MIXTURES) == (mixture is not None)
    if mixture is not None:
        assert mixture.weights.sum().item() == pytest.approx(1)
        assert mixture.stds.shape == mixture.weights.shape == mixture.means.shape[:1]
        assert {it.dtype for it in (mixture.weights, mixture.means, mixture.stds)} == {
            torch.float32
        }


def test_the_ring_and_the_grid_are_those_of_the_papers():
    ring, grid = build("ring").mixture, build("grid").mixture
    assert ring.means.norm(dim=1).tolist() == pytest.approx([1.0] * 8)
    assert ring.means[1].tolist() == pytest.approx([math.sqrt(0.5)] * 2)
    assert ring.stds.tolist() == pytest.approx([0.01] * 8)
    places = [-4.0, -2.0, 0.0, 2.0, 4.0]
    assert grid.means.tolist() == [[x, y] for x in places for y in places]
    assert grid.stds.tolist() == pytest.approx([0.05] * 25)


@pytest.mark.parametrize("name", MIXTURES)
def test_the_modes_have_their_weights_means_and_deviations(name):
    dataset = build(name)
    mixture = dataset.mixture
    samples = draw(dataset, 20_000)
    distances = (samples[:, None] - mixture.means).norm(dim=2)
    assigned = distances.argmin(dim=1)
    shares = torch.bincount(assigned, minlength=len(mixture.weights)) / len(samples)
    torch.testing.assert_close(shares, mixture.weights, atol=0.012, rtol=0)
    for mode, (mean, std) in enumerate(zip(mixture.means, mixture.stds, strict=True)):
        own = samples[assigned == mode]
        torch.testing.assert_close(own.mean(0), mean, atol=0.2 * std.item(), rtol=0)
        torch.testing.assert_close(own.std(0), std.expand(len(mean)), rtol=0.1, atol=0)


def test_a_mixture_that_is_spelt_out():
    dataset = build(
        "mixture", means=(0.0, 0.0, 10.0, 20.0), stds=(0.1, 1.0), weights=(1.0, 3.0), dimension=2
    )
    assert dataset.mixture.weights.tolist() == [0.25, 0.75]
    assert dataset.mixture.means.tolist() == [[0, 0], [10, 20]]
    samples = draw(dataset, 20_000)
    near = samples.norm(dim=1) < 5
    assert near.float().mean().item() == pytest.approx(0.25, abs=0.01)
    assert samples[near].std(0).tolist() == pytest.approx([0.1, 0.1], rel=0.05)
    assert samples[~near].std(0).tolist() == pytest.approx([1.0, 1.0], rel=0.05)
    assert samples[~near].mean(0).tolist() == pytest.approx([10, 20], abs=0.05)


@settings(deadline=None)
@given(weights=st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=12))
def test_weights_of_any_sum_are_shares(weights):
    means, stds = [[float(i)] for i in range(len(weights))], [1e-4] * len(weights)
    weighted = GaussianMixture(means, stds, weights)
    torch.testing.assert_close(weighted.mixture.weights, torch.tensor(weights) / sum(weights))
    equal = GaussianMixture(means, stds).mixture.weights
    assert equal.tolist() == pytest.approx([1 / len(weights)] * len(weights))
    modes = draw(weighted, 100).round()
    assert modes.min() >= 0
    assert modes.max() < len(weights)


def test_normal_and_uniform_have_their_moments():
    normal = draw(build("normal", mean=3.0, std=0.5, dimension=4), 20_000)
    assert normal.mean(0).tolist() == pytest.approx([3.0] * 4, abs=0.02)
    assert normal.std(0).tolist() == pytest.approx([0.5] * 4, rel=0.03)
    uniform = draw(build("uniform", low=2.0, high=5.0, dimension=3), 20_000)
    assert uniform.min() >= 2
    assert uniform.max() <= 5
    assert uniform.mean(0).tolist() == pytest.approx([3.5] * 3, abs=0.03)
    assert uniform.std(0).tolist() == pytest.approx([3 / math.sqrt(12)] * 3, rel=0.02)


def test_the_swiss_roll_without_noise_is_the_spiral():
    samples = 7.5 * draw(build("swiss-roll", noise=0.0), 5000).double()
    radius = samples.norm(dim=1)
    assert radius.min().item() == pytest.approx(1.5 * math.pi, rel=0.01)
    assert radius.max().item() == pytest.approx(4.5 * math.pi, rel=0.01)
    spiral = torch.stack([radius * radius.cos(), radius * radius.sin()], dim=1)
    torch.testing.assert_close(samples, spiral, atol=1e-4, rtol=0)
    # t is uniform, so half of the samples lie within the middle of its range.
    assert (radius < 3 * math.pi).double().mean().item() == pytest.approx(0.5, abs=0.03)
    noisy = 7.5 * draw(build("swiss-roll", noise=0.25), 5000).double()
    assert (noisy - samples).std(0).tolist() == pytest.approx([0.25, 0.25], rel=0.05)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"means": [1.0, 2.0, 3.0], "dimension": 2},
            "means takes dimension = 2 numbers for each mode, and has 3 in all",
        ),
        ({"means": []}, "means takes dimension = 1 numbers for each mode, and has 0 in all"),
        ({"stds": [1.0, 1.0, 1.0]}, "stds takes 1 number or one per mode, which are 2, not 3"),
        ({"weights": [1.0]}, "weights takes one number per mode, which are 2, not 1"),
    ],
)
def test_lengths_that_do_not_fit_are_a_complaint_about_the_configuration(given, message):
    assert parse(MixtureOptions, given) == (None, {"": message})


def test_bounds_in_the_wrong_order_are_a_complaint_about_the_configuration():
    complaints = {"": "low = 1 must lie below high = -1"}
    assert parse(UniformOptions, {"low": 1, "high": -1}) == (None, complaints)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("normal", "endless samples of a Gaussian in 1 dimension"),
        ("ring", "endless samples of a mixture of 8 Gaussians in 2 dimensions"),
        ("uniform", "endless samples, uniform between -1 and 1"),
        ("swiss-roll", "endless samples of a Swiss roll"),
    ],
)
def test_a_set_describes_itself_in_a_line(name, line):
    assert build(name).describe() == line
