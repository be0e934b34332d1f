"""The bundled losses against their formulas, and the samplers against their distributions."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

import ganforge_losses
from ganforge import Problem
from ganforge_losses import BCEOptions, WassersteinOptions
from ganforge_losses.cross_entropy import BinaryCrossEntropy, Minimax, NonSaturating
from ganforge_losses.wasserstein import Wasserstein
from ganforge_samplers import LatentOptions
from ganforge_samplers.latents import Normal, Uniform

PROBLEM = Problem(sample_shape=(2,), input_shape=(3,))
REAL = torch.tensor([2.0, -1.0, 0.5])
FAKE = torch.tensor([-3.0, 0.25, 1.0])


def cross_entropy(scores, label):
    return binary_cross_entropy_with_logits(scores, torch.full_like(scores, label))


def test_non_saturating_is_cross_entropy_on_both_sides():
    loss = NonSaturating(PROBLEM, None)
    expected = cross_entropy(REAL, 1.0) + cross_entropy(FAKE, 0.0)
    torch.testing.assert_close(loss.discriminator(REAL, FAKE), expected)
    torch.testing.assert_close(loss.generator(FAKE), cross_entropy(FAKE, 1.0))


def test_minimax_is_the_value_function():
    loss = Minimax(PROBLEM, None)
    value = torch.sigmoid(REAL).log().mean() + (1 - torch.sigmoid(FAKE)).log().mean()
    torch.testing.assert_close(loss.discriminator(REAL, FAKE), -value)
    torch.testing.assert_close(loss.generator(FAKE), (1 - torch.sigmoid(FAKE)).log().mean())


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_bce_is_halved_and_smooths_real_labels(smoothing):
    loss = BinaryCrossEntropy(PROBLEM, BCEOptions(label_smoothing=smoothing))
    expected = 0.5 * (cross_entropy(REAL, 1.0 - smoothing) + cross_entropy(FAKE, 0.0))
    torch.testing.assert_close(loss.discriminator(REAL, FAKE), expected)
    torch.testing.assert_close(loss.generator(FAKE), cross_entropy(FAKE, 1.0))


def test_wasserstein_is_a_difference_of_means():
    loss = Wasserstein(PROBLEM, WassersteinOptions())
    assert loss.discriminator(REAL, FAKE).item() == pytest.approx(-1.75 / 3 - 0.5)
    assert loss.generator(FAKE).item() == pytest.approx(1.75 / 3)


def test_clipping_can_be_switched_off():
    network = torch.nn.Linear(2, 1)
    torch.nn.init.constant_(network.weight, 3.0)
    with torch.no_grad():
        Wasserstein(PROBLEM, WassersteinOptions(clip=0.0)).constrain_discriminator(network)
        assert network.weight.tolist() == [[3.0, 3.0]]
        Wasserstein(PROBLEM, WassersteinOptions(clip=0.25)).constrain_discriminator(network)
    assert network.weight.tolist() == [[0.25, 0.25]]


@pytest.mark.parametrize("name", ["nonsat", "minimax", "bce", "wasserstein"])
@pytest.mark.parametrize("score", [-1e4, 0.0, 1e4])
def test_losses_stay_finite_and_pull_the_right_way(name, score):
    (spec,) = (spec for spec in ganforge_losses.ganforge_losses() if spec.name == name)
    module, _, attribute = spec.build.partition(":")
    loss = getattr(__import__(module, fromlist=[attribute]), attribute)(PROBLEM, spec.options())
    real = torch.full((4,), score, requires_grad=True)
    fake = torch.full((4,), score, requires_grad=True)
    discriminator = loss.discriminator(real, fake)
    d_real, d_fake = torch.autograd.grad(discriminator, [real, fake])
    generator = loss.generator(fake)
    (g_fake,) = torch.autograd.grad(generator, fake)
    assert math.isfinite(discriminator.item())
    assert math.isfinite(generator.item())
    assert (d_real <= 0).all()
    assert (d_fake >= 0).all()
    assert (g_fake <= 0).all()


def draw(sampler, n, seed):
    return sampler.sample(n, generator=torch.Generator().manual_seed(seed)).values


@pytest.mark.parametrize(
    ("sampler_type", "std", "bound"), [(Normal, 1.0, 6.0), (Uniform, 1 / math.sqrt(3), 1.0)]
)
def test_latents_have_their_distribution_and_follow_the_seed_alone(sampler_type, std, bound):
    sampler = sampler_type(PROBLEM, LatentOptions(size=3))
    state = torch.get_rng_state()
    latents = draw(sampler, 20_000, 0)
    assert torch.equal(state, torch.get_rng_state())
    assert latents.shape == (20_000, 3)
    assert latents.mean().item() == pytest.approx(0, abs=0.02)
    assert latents.std().item() == pytest.approx(std, rel=0.02)
    assert latents.abs().max().item() <= bound
    assert torch.equal(draw(sampler, 20_000, 0), latents)
    assert not torch.equal(draw(sampler, 20_000, 1), latents)
    assert draw(sampler, 0, 0).shape == (0, 3)


def test_labels_are_those_of_the_real_batch_or_uniform():
    from ganforge import Batch

    conditional = Problem(sample_shape=(2,), input_shape=(3,), num_classes=4)
    sampler = Normal(conditional, LatentOptions(size=3))
    labels = torch.tensor([3, 3, 1])
    generator = torch.Generator().manual_seed(0)
    real = Batch(torch.zeros(3, 2), labels)
    assert torch.equal(sampler.sample(3, generator=generator, real=real).labels, labels)
    drawn = sampler.sample(4000, generator=generator).labels
    assert torch.bincount(drawn).min().item() > 900
    assert len(torch.bincount(drawn)) == 4
