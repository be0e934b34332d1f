"""The f-divergences: their variational forms reach the divergences that they are named for."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ganforge import Problem
from ganforge.plugin.discovery import discover

PROBLEM = Problem(sample_shape=(2,), input_shape=(3,))
REGISTRY = discover(third_party=False, environ={}).registry
NAMES = ("kl", "reverse-kl", "pearson", "jensen-shannon")
every_divergence = pytest.mark.parametrize("name", NAMES)

P = torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=torch.float64)  # the data
Q = torch.tensor([0.4, 0.35, 0.05, 0.2], dtype=torch.float64)  # the generator
# How often each of the four points is in a batch of 20 that is spread just as P and Q are.
REAL_POINTS = torch.arange(4).repeat_interleave((20 * P).round().long())
FAKE_POINTS = torch.arange(4).repeat_interleave((20 * Q).round().long())


def divergence(name, p, q):
    middle = (p + q) / 2
    return {
        "kl": (p * (p / q).log()).sum(),
        "reverse-kl": (q * (q / p).log()).sum(),
        "pearson": ((p - q).square() / q).sum(),
        "jensen-shannon": (p * (p / middle).log()).sum() + (q * (q / middle).log()).sum(),
    }[name]


def best_scores(name, p, q):
    """The v where t = g(v) is f'(p / q) (Nowozin et al., 2016, equation 5)."""
    ratio = p / q
    return {
        "kl": 1 + ratio.log(),
        "reverse-kl": ratio.log(),
        "pearson": 2 * (ratio - 1),
        "jensen-shannon": ratio.log(),
    }[name]


def build(name, **values):
    component = REGISTRY.find("loss", name)
    return component.build(PROBLEM, component.spec.options(**values))


def discriminator_loss(name, real_scores, fake_scores):
    step = SimpleNamespace(real_scores=real_scores, fake_scores=fake_scores)
    return build(name).discriminator_loss(step)


def generator_loss(name, fake_scores, generator="variational"):
    step = SimpleNamespace(fake_scores=fake_scores)
    return build(name, generator=generator).generator_loss(step)


def parts(name, scores):
    """g(v) and f*(g(v)) of each score, as the generator's two losses show them."""
    t = torch.stack([-generator_loss(name, score, "alternative") for score in scores[:, None]])
    conjugate = torch.stack([-generator_loss(name, score) for score in scores[:, None]])
    return t, conjugate


@every_divergence
def test_the_best_discriminator_s_loss_is_minus_the_divergence(name):
    scores = best_scores(name, P, Q)
    expected = divergence(name, P, Q).item()
    assert expected > 0.1
    loss = discriminator_loss(name, scores[REAL_POINTS], scores[FAKE_POINTS])
    assert loss.item() == pytest.approx(-expected, abs=1e-12)
    t, conjugate = parts(name, scores)
    assert (P @ t - Q @ conjugate).item() == pytest.approx(expected, abs=1e-12)


@every_divergence
def test_optimisation_finds_the_best_discriminator(name):
    scores = torch.zeros(4, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [scores],
        max_iter=200,
        tolerance_grad=1e-10,
        tolerance_change=0,
        line_search_fn="strong_wolfe",
    )

    def closure():
        optimizer.zero_grad()
        loss = discriminator_loss(name, scores[REAL_POINTS], scores[FAKE_POINTS])
        loss.backward()
        return loss

    optimizer.step(closure)
    assert closure().item() == pytest.approx(-divergence(name, P, Q).item(), abs=1e-9)
    torch.testing.assert_close(scores.detach(), best_scores(name, P, Q), atol=1e-4, rtol=0)


@every_divergence
@settings(deadline=None)
@given(st.lists(st.floats(min_value=-6, max_value=6), min_size=4, max_size=4))
def test_no_discriminator_finds_more_than_the_divergence(name, scores):
    scores = torch.tensor(scores, dtype=torch.float64)
    loss = discriminator_loss(name, scores[REAL_POINTS], scores[FAKE_POINTS])
    assert -loss.item() <= divergence(name, P, Q).item() + 1e-9


@every_divergence
def test_equal_distributions_have_no_divergence(name):
    scores = best_scores(name, P, P)
    assert discriminator_loss(name, scores, scores).item() == pytest.approx(0, abs=1e-12)


@every_divergence
def test_the_variational_generator_minimises_what_the_discriminator_maximises(name):
    torch.manual_seed(0)
    real = torch.randn(6, dtype=torch.float64)
    fake = torch.randn(6, dtype=torch.float64, requires_grad=True)
    (by_discriminator,) = torch.autograd.grad(discriminator_loss(name, real, fake), fake)
    (by_generator,) = torch.autograd.grad(generator_loss(name, fake), fake)
    torch.testing.assert_close(by_generator, -by_discriminator)


@pytest.mark.parametrize(
    ("name", "variational", "alternative"),
    [
        ("kl", -math.exp(0.5 - 1), -0.5),
        ("reverse-kl", 1 - 0.5, math.exp(-0.5)),
        ("pearson", -(0.25 / 4 + 0.5), -0.5),
        (
            "jensen-shannon",
            math.log(2) - math.log1p(math.exp(0.5)),
            math.log1p(math.exp(-0.5)) - math.log(2),
        ),
    ],
)
def test_the_generator_s_two_objectives_at_one_score(name, variational, alternative):
    score = torch.tensor([0.5], dtype=torch.float64)
    assert generator_loss(name, score).item() == pytest.approx(variational)
    assert generator_loss(name, score, "alternative").item() == pytest.approx(alternative)
    default = REGISTRY.find("loss", name).spec.options()
    assert default.generator == "variational"


def test_conjugates_are_those_of_their_t():
    scores = torch.linspace(-3, 3, 13, dtype=torch.float64)
    for name, conjugate_of in (
        ("kl", lambda t: (t - 1).exp()),
        ("reverse-kl", lambda t: -1 - (-t).log()),
        ("pearson", lambda t: t.square() / 4 + t),
        ("jensen-shannon", lambda t: -(2 - t.exp()).log()),
    ):
        t, conjugate = parts(name, scores)
        torch.testing.assert_close(conjugate, conjugate_of(t))


def test_jensen_shannon_is_the_original_value_function_and_a_constant():
    real, fake = torch.tensor([[2.0, -1.0, 0.5], [-3.0, 0.25, 1.0]], dtype=torch.float64)
    step = SimpleNamespace(real_scores=real, fake_scores=fake)
    minimax = build("minimax").discriminator_loss(step)
    shifted = discriminator_loss("jensen-shannon", real, fake)
    assert shifted.item() == pytest.approx(minimax.item() - 2 * math.log(2))


@pytest.mark.parametrize(
    ("name", "generator", "joint", "direction"),
    [("kl", "variational", 21.0, 1), ("reverse-kl", "alternative", -20.0, -1)],
)
class TestExponentialsGoOnAsStraightLines:
    """-G's loss for KL is exp(v - 1), G's alternative loss for reverse KL exp(-v): up to e^20."""

    def curve(self, name, generator, scores):
        """The exponential at each score, and its slope in the direction in which it grows."""
        scores = scores.clone().requires_grad_()
        sign = 1 if generator == "alternative" else -1
        total = sign * generator_loss(name, scores, generator) * len(scores)
        values = torch.stack(
            [sign * generator_loss(name, score, generator) for score in scores[:, None]]
        )
        (slopes,) = torch.autograd.grad(total, scores)
        return values.detach(), slopes

    def test_it_is_the_exponential_before(self, name, generator, joint, direction):
        way = torch.linspace(-30, 0, 31, dtype=torch.float64)
        values, slopes = self.curve(name, generator, joint + direction * way)
        torch.testing.assert_close(values, (20 + way).exp())
        torch.testing.assert_close(direction * slopes, (20 + way).exp())

    def test_it_is_the_tangent_after(self, name, generator, joint, direction):
        way = torch.tensor([0.0, 1e-3, 1.0, 100.0, 1e4], dtype=torch.float64)
        values, slopes = self.curve(name, generator, joint + direction * way)
        torch.testing.assert_close(values, math.exp(20) * (1 + way))
        torch.testing.assert_close(direction * slopes, torch.full_like(way, math.exp(20)))

    @pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
    def test_the_slope_does_not_break_where_they_meet(
        self, name, generator, joint, direction, dtype
    ):
        # Both dtypes have this very number.
        _, slopes = self.curve(name, generator, torch.tensor([joint], dtype=dtype))
        assert direction * slopes.item() == pytest.approx(math.exp(20), rel=0.01)

    def test_it_is_convex(self, name, generator, joint, direction):
        scores = joint + direction * torch.linspace(-5, 5, 201, dtype=torch.float64)
        values, slopes = self.curve(name, generator, scores)
        assert (values[2:] - 2 * values[1:-1] + values[:-2] >= -1e-6 * values[1:-1]).all()
        assert ((direction * slopes).diff() >= 0).all()
