"""The penalties on the discriminator's gradient, at critics whose gradient is known."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from ganforge import Batch, Draw, Inputs, Problem, Progress, Schedule, Step
from ganforge.plugin.discovery import discover
from tests.engine.steps import BEGINNING, make_step, make_update

PROBLEM = Problem(sample_shape=(2,), input_shape=(3,))
REGISTRY = discover(third_party=False, environ={}).registry
PENALTIES = ("r1", "r2", "gradient-penalty")

REAL = torch.tensor([[1.0, 2.0], [0.0, -3.0]])
FAKE = torch.tensor([[0.5, 0.0], [2.0, -1.0]])


def build(name, **values):
    component = REGISTRY.find("loss", name)
    return component.build(PROBLEM, component.spec.options(**values))


def value_of(
    name,
    critic,
    real=REAL,
    fake=FAKE,
    labels=None,
    fake_labels=None,
    progress=BEGINNING,
    **values,
):
    """The penalty in an update of the discriminator, in the engine's own step."""
    step = make_step(
        "discriminator",
        Batch(real, labels),
        Inputs(fake, fake_labels),
        Echo(),
        critic,
        differentiable=True,
        progress=progress,
    )
    return build(name, **values).discriminator_loss(step)


@pytest.mark.parametrize(
    ("name", "option"), [("r1", "gamma"), ("r2", "gamma"), ("gradient-penalty", "coefficient")]
)
def test_the_weight_of_a_penalty_may_follow_a_schedule(name, option):
    """Halfway from 3 to 1 a penalty is that of weight 2."""
    critic = Quadratic(2.0)
    halfway = Progress(step=5, num_steps=10, images=40)
    torch.manual_seed(0)
    moving = value_of(name, critic, progress=halfway, **{option: Schedule(from_=3.0, to=1.0)})
    torch.manual_seed(0)
    assert torch.equal(moving, value_of(name, critic, **{option: 2.0}))


class Echo(nn.Module):
    """A generator of what it is given."""

    def forward(self, inputs: Tensor, label: Tensor | None = None) -> Tensor:
        return inputs


class Quadratic(nn.Module):
    """a |x|^2 / 2, whose gradient is a x."""

    def __init__(self, steepness: float = 1.0) -> None:
        super().__init__()
        self.steepness = nn.Parameter(torch.tensor(steepness))

    def forward(self, samples: Tensor) -> Tensor:
        return self.steepness * samples.flatten(1).square().sum(1) / 2


class Linear(nn.Module):
    """w . x + b, whose gradient is w everywhere."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight)
        self.bias = nn.Parameter(torch.tensor(0.5))

    def forward(self, samples: Tensor) -> Tensor:
        return (samples * self.weight).flatten(1).sum(1) + self.bias


class Recorder(Quadratic):
    """Keeps what it is shown."""

    def forward(self, samples: Tensor, label: Tensor | None = None) -> Tensor:
        self.shown, self.shown_labels = samples.detach(), label
        return super().forward(samples)


@pytest.mark.parametrize("name", PENALTIES)
def test_specs_say_what_the_engine_has_to_provide(name):
    spec = REGISTRY.find("loss", name).spec
    assert spec.trains == ("discriminator",)
    assert spec.double_backward
    assert spec.needs_discriminator
    assert build(name).generator_loss(None) is None


@pytest.mark.parametrize("gamma", [1.0, 0.5, 0.0])
def test_zero_centred_penalties_by_hand(gamma):
    # Squared norms at real samples: 5 and 9; at fake samples: 0.25 and 5. The gradient is 3 x.
    r1 = value_of("r1", Quadratic(3.0), gamma=gamma)
    r2 = value_of("r2", Quadratic(3.0), gamma=gamma)
    assert r1.shape == r2.shape == ()
    assert r1.item() == pytest.approx(gamma / 2 * 9 * 7)
    assert r2.item() == pytest.approx(gamma / 2 * 9 * 2.625)


def test_zero_centred_penalties_reach_the_weights():
    critic = Quadratic(3.0)
    (slope,) = torch.autograd.grad(value_of("r1", critic, gamma=2.0), critic.parameters())
    assert slope.item() == pytest.approx(2 * 3 * 7)  # of a^2 times the mean of 5 and 9


@pytest.mark.parametrize("shape", [(2,), (3, 4, 5)])
def test_zero_centred_penalties_of_a_linear_critic_are_the_same_everywhere(shape):
    torch.manual_seed(0)
    critic = Linear(torch.randn(shape))
    real, fake = torch.randn(2, 6, *shape)
    expected = critic.weight.square().sum().item() / 2
    assert value_of("r1", critic, real, fake).item() == pytest.approx(expected, rel=1e-5)
    assert value_of("r2", critic, real, fake).item() == pytest.approx(expected, rel=1e-5)


def test_zero_centred_penalties_of_patch_scores_are_those_of_their_sum():
    class Patches(Linear):
        def forward(self, samples):
            return (samples * self.weight)[:, 0]

    weight = torch.arange(1.0, 5.0).view(1, 2, 2)
    value = value_of("r1", Patches(weight), *torch.randn(2, 3, 1, 2, 2))
    assert value.item() == pytest.approx((1 + 4 + 9 + 16) / 2)


@pytest.mark.parametrize(
    ("length", "two_sided", "expected"),
    [(3.0, True, 40.0), (0.25, True, 5.625), (3.0, False, 40.0), (0.25, False, 0.0)],
)
@pytest.mark.parametrize("shape", [(2,), (3, 4, 5)])
def test_gradient_penalty_of_a_linear_critic(length, two_sided, expected, shape):
    torch.manual_seed(0)
    direction = torch.randn(shape)
    critic = Linear(direction * (length / direction.norm()))
    real, fake = torch.randn(2, 6, *shape)
    value = value_of("gradient-penalty", critic, real, fake, two_sided=two_sided)
    assert value.shape == ()
    assert value.item() == pytest.approx(expected, rel=1e-5)


def test_gradient_penalty_has_a_coefficient_and_a_target():
    critic = Linear(torch.tensor([3.0, 4.0]))
    value = value_of("gradient-penalty", critic, coefficient=0.5, target=3.0)
    assert value.item() == pytest.approx(0.5 * (5 - 3) ** 2)
    # The slope is that of 0.5 (|w| - 3)^2 : 2 w / |w|.
    slope, _ = torch.autograd.grad(value, list(critic.parameters()), allow_unused=True)
    assert slope.tolist() == pytest.approx([2 * 3 / 5, 2 * 4 / 5])


@settings(max_examples=25, deadline=None)
@given(
    batch=st.integers(min_value=1, max_value=7),
    shape=st.sampled_from([(1,), (5,), (1, 2, 3), (3, 4, 4)]),
    seed=st.integers(min_value=0, max_value=2**31),
)
def test_gradient_penalty_looks_between_each_real_sample_and_its_fake(batch, shape, seed):
    torch.manual_seed(seed)
    real, fake = torch.randn(2, batch, *shape, dtype=torch.float64)
    critic = Recorder()
    value = value_of("gradient-penalty", critic, real, fake)
    assert critic.shown.shape == real.shape
    way, gone = (fake - real).flatten(1), (critic.shown - real).flatten(1)
    weights = (gone * way).sum(1) / way.square().sum(1)
    assert ((weights >= -1e-9) & (weights <= 1 + 1e-9)).all()
    torch.testing.assert_close(gone, weights[:, None] * way)  # one weight for all its numbers
    norms = critic.shown.flatten(1).norm(dim=1)
    torch.testing.assert_close(value, 10 * (norms - 1).square().mean())


def test_gradient_penalty_draws_a_weight_per_sample_uniformly_by_the_global_seed():
    real, fake = torch.zeros(4000, 1), torch.ones(4000, 1)
    critic = Recorder()
    torch.manual_seed(5)
    first = value_of("gradient-penalty", critic, real, fake)
    weights = critic.shown[:, 0]
    assert len(weights.unique()) > 3900
    assert weights.mean().item() == pytest.approx(0.5, abs=0.02)
    assert weights.var().item() == pytest.approx(1 / 12, abs=0.005)
    second = value_of("gradient-penalty", critic, real, fake)
    torch.manual_seed(5)
    assert torch.equal(value_of("gradient-penalty", critic, real, fake), first)
    assert not torch.equal(first, second)


def test_gradient_penalty_shows_the_labels_of_the_real_samples():
    critic = Recorder()
    labels, fake_labels = torch.tensor([1, 0]), torch.tensor([2, 2])
    value_of("gradient-penalty", critic, labels=labels, fake_labels=fake_labels)
    assert torch.equal(critic.shown_labels, labels)


@pytest.mark.parametrize("name", PENALTIES)
def test_penalties_are_those_of_what_is_judged(name):
    class Codes(Step):
        """A step in which the inputs are real, and codes of the samples fake."""

        def make_real(self):
            return self.inputs

        def make_fake(self):
            return 2 * self.samples[:, :1]

    codes, inputs = 2 * REAL[:, :1], torch.tensor([[5.0], [7.0]])
    critic = Recorder()
    update = make_update("discriminator", Echo(), critic, differentiable=True)
    step = Codes(update, Draw(Batch(REAL), Inputs(inputs)))
    value = build(name).discriminator_loss(step)
    expected = {
        "r1": (25 + 49) / 4,
        "r2": (4 + 0) / 4,
        "gradient-penalty": 10 * (critic.shown - 1).square().mean().item(),
    }
    assert value.item() == pytest.approx(expected[name])
    if name == "gradient-penalty":
        assert ((critic.shown >= codes) & (critic.shown <= inputs)).all()


@pytest.mark.parametrize("name", PENALTIES)
@pytest.mark.parametrize("two_sided", [True, False])
def test_a_constant_critic_has_a_finite_slope(name, two_sided):
    critic = Linear(torch.zeros(2))
    options = {"two_sided": two_sided, "target": 1.5} if name == "gradient-penalty" else {}
    value = value_of(name, critic, **options)
    missing = 10 * 1.5**2 if options and two_sided else 0.0
    assert value.item() == pytest.approx(missing, rel=1e-5)
    (slope,) = torch.autograd.grad(value, [critic.weight])
    assert slope.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("name", PENALTIES)
@pytest.mark.parametrize("shape", [(2,), (3, 4, 4)])
def test_gradients_reach_all_weights_that_shape_the_gradient(name, shape):
    torch.manual_seed(1)
    critic = nn.Sequential(
        nn.Flatten(), nn.Linear(math.prod(shape), 8), nn.Tanh(), nn.Linear(8, 1), nn.Flatten(0)
    )
    value = value_of(name, critic, *torch.randn(2, 5, *shape))
    *slopes, last_bias = torch.autograd.grad(value, list(critic.parameters()), allow_unused=True)
    assert all(slope.isfinite().all() and slope.abs().max() > 0 for slope in slopes)
    assert last_bias is None or last_bias.item() == 0  # a constant has no part in it


@pytest.mark.parametrize("name", PENALTIES)
def test_penalties_are_means_over_the_batch(name):
    critic = Linear(torch.tensor([3.0, 4.0])) if name == "gradient-penalty" else Quadratic()
    once = value_of(name, critic)
    twice = value_of(name, critic, torch.cat([REAL, REAL]), torch.cat([FAKE, FAKE]))
    torch.testing.assert_close(twice, once)
