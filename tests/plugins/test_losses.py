"""The bundled adversarial losses and reconstruction errors, against their formulas."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import binary_cross_entropy_with_logits

from ganforge import Problem
from ganforge.plugin.discovery import discover
from ganforge.plugin.specs import LossSpec

PROBLEM = Problem(sample_shape=(2,), input_shape=(3,))
REAL = torch.tensor([2.0, -1.0, 0.5])
FAKE = torch.tensor([-3.0, 0.25, 1.0])

ADVERSARIAL = {
    "nonsat": {},
    "minimax": {},
    "bce": {},
    "bce smoothed": {"label_smoothing": 0.1},
    "bce flipped": {"label_flipping": 0.25, "label_smoothing": 0.1},
    "wasserstein": {},
    "lsgan": {},
    "hinge": {},
    "rpgan": {},
    "kl": {},
    "kl alternative": {"generator": "alternative"},
    "reverse-kl": {},
    "reverse-kl alternative": {"generator": "alternative"},
    "pearson": {},
    "pearson alternative": {"generator": "alternative"},
    "jensen-shannon": {},
    "jensen-shannon alternative": {"generator": "alternative"},
}
every_adversarial = pytest.mark.parametrize("case", ADVERSARIAL)
# The slopes of squares point at their minimum, whose side a score may lie on.
SQUARES = ("lsgan", "pearson")

REGISTRY = discover(third_party=False, environ={}).registry


def build(name, **values):
    component = REGISTRY.find(LossSpec, name)
    return component.build(PROBLEM, component.spec.options(**values))


def of_case(case):
    return build(case.split()[0], **ADVERSARIAL[case])


def values_of(loss, real, fake):
    """The losses of D and of G where the networks give these scores."""
    step = SimpleNamespace(real_scores=real, fake_scores=fake)
    torch.manual_seed(0)
    return loss.discriminator_loss(step), loss.generator_loss(step)


def slopes(loss, real, fake):
    """The derivatives of D's loss by each real and each fake score, and those of G's by fake."""
    real, fake = real.clone().requires_grad_(), fake.clone().requires_grad_()
    discriminator, generator = values_of(loss, real, fake)
    by_real, by_fake = torch.autograd.grad(discriminator, [real, fake])
    (g_by_fake,) = torch.autograd.grad(generator, fake)
    return by_real, by_fake, g_by_fake


def cross_entropy(scores, label):
    return binary_cross_entropy_with_logits(scores, torch.full_like(scores, label))


def test_every_adversarial_loss_is_tried_here():
    specs = [component.spec for component in REGISTRY.of_kind(LossSpec)]
    both = {spec.name for spec in specs if len(spec.trains) == 2}
    assert both == {case.split()[0] for case in ADVERSARIAL}
    assert not any(spec.double_backward for spec in specs if spec.name in both)


@every_adversarial
@pytest.mark.parametrize("shape", [(6,), (6, 3, 2), (1,)])
def test_losses_are_scalars_of_scores_and_of_patch_scores(case, shape):
    torch.manual_seed(1)
    for value in values_of(of_case(case), torch.randn(shape), torch.randn(shape)):
        assert value.shape == ()
        assert value.dtype == torch.float32


@pytest.mark.parametrize("case", [case for case in ADVERSARIAL if "flipped" not in case])
@pytest.mark.parametrize("shape", [(5,), (5, 2, 3)])
def test_losses_are_means_over_the_batch(case, shape):
    torch.manual_seed(2)
    real, fake = torch.randn(shape), torch.randn(shape)
    once = values_of(of_case(case), real, fake)
    twice = values_of(of_case(case), torch.cat([real, real]), torch.cat([fake, fake]))
    flat = values_of(of_case(case), real.flatten(), fake.flatten())
    torch.testing.assert_close(twice, once)
    torch.testing.assert_close(flat, once)


@pytest.mark.parametrize("case", [case for case in ADVERSARIAL if "flipped" not in case])
def test_of_a_list_of_scores_the_loss_is_the_mean_of_the_losses_of_its_elements(case):
    torch.manual_seed(4)
    real, fake = ([torch.randn(5), torch.randn(5, 2, 3), torch.randn(5, 7)] for _ in range(2))
    single = [values_of(of_case(case), *pair) for pair in zip(real, fake, strict=True)]
    for found, each in zip(
        values_of(of_case(case), real, fake), zip(*single, strict=True), strict=True
    ):
        assert found.shape == ()
        torch.testing.assert_close(found, torch.stack(each).mean())


@every_adversarial
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("real_score", [-1e4, 0.0, 1e4])
@pytest.mark.parametrize("fake_score", [-1e4, 0.0, 1e4])
def test_losses_and_their_slopes_stay_finite(case, dtype, real_score, fake_score):
    loss = of_case(case)
    real = torch.full((4,), real_score, dtype=dtype)
    fake = torch.full((4,), fake_score, dtype=dtype)
    for value in values_of(loss, real, fake):
        assert value.dtype == dtype
        assert math.isfinite(value.item())
    for slope in slopes(loss, real, fake):
        assert slope.isfinite().all()


def test_float64_scores_keep_their_digits_where_labels_are_flipped():
    scores = torch.tensor([0.3, -0.7], dtype=torch.float64)
    value, _ = values_of(build("bce", label_flipping=1e-9, label_smoothing=0.1), scores, scores)
    expected = 0.5 * (cross_entropy(scores, 0.9) + cross_entropy(scores, 0.0))
    assert value.item() == pytest.approx(expected.item(), rel=1e-14)


@pytest.mark.parametrize("case", [case for case in ADVERSARIAL if "flipped" not in case])
@settings(max_examples=25, deadline=None)
@given(real=st.floats(min_value=-0.9, max_value=0.9), fake=st.floats(min_value=-0.9, max_value=0.9))
def test_slopes_have_their_sign(case, real, fake):
    by_real, by_fake, g_by_fake = slopes(
        of_case(case), torch.full((2,), real), torch.full((2,), fake)
    )
    assert (by_real < 0).all()
    assert (g_by_fake < 0).all()
    if case == "lsgan":
        assert by_fake.tolist() == pytest.approx([fake / 2] * 2)
    else:
        assert (by_fake > 0).all()


@pytest.mark.parametrize(
    "case", [c for c in ADVERSARIAL if "flipped" not in c and c.split()[0] not in SQUARES]
)
@pytest.mark.parametrize("score", [-1e4, -30.0, 0.0, 30.0, 1e4])
def test_slopes_never_turn(case, score):
    by_real, by_fake, g_by_fake = slopes(
        of_case(case), torch.full((4,), score), torch.full((4,), score)
    )
    # The target of smoothed labels is a probability: scores above its own go down.
    assert (by_real <= 0).all() or case == "bce smoothed"
    assert (by_fake >= 0).all()
    assert (g_by_fake <= 0).all()


def test_non_saturating_is_cross_entropy_on_both_sides():
    discriminator, generator = values_of(build("nonsat"), REAL, FAKE)
    expected = cross_entropy(REAL, 1.0) + cross_entropy(FAKE, 0.0)
    torch.testing.assert_close(discriminator, expected)
    torch.testing.assert_close(generator, cross_entropy(FAKE, 1.0))
    zero = torch.zeros(2)
    for value, factor in zip(values_of(build("nonsat"), zero, zero), (2, 1), strict=True):
        assert value.item() == pytest.approx(factor * math.log(2))


def test_minimax_is_the_value_function():
    discriminator, generator = values_of(build("minimax"), REAL, FAKE)
    value = torch.sigmoid(REAL).log().mean() + (1 - torch.sigmoid(FAKE)).log().mean()
    torch.testing.assert_close(discriminator, -value)
    torch.testing.assert_close(generator, (1 - torch.sigmoid(FAKE)).log().mean())


def test_minimax_saturates_where_the_other_does_not():
    sure = torch.full((1,), -20.0)  # D knows that it is a fake
    *_, saturated = slopes(build("minimax"), sure, sure)
    *_, steep = slopes(build("nonsat"), sure, sure)
    assert saturated.item() == pytest.approx(-math.exp(-20), rel=1e-5)
    assert steep.item() == pytest.approx(-1)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_bce_is_halved_and_smooths_real_labels(smoothing):
    discriminator, generator = values_of(build("bce", label_smoothing=smoothing), REAL, FAKE)
    expected = 0.5 * (cross_entropy(REAL, 1.0 - smoothing) + cross_entropy(FAKE, 0.0))
    torch.testing.assert_close(discriminator, expected)
    torch.testing.assert_close(generator, cross_entropy(FAKE, 1.0))


def test_a_smoothed_target_is_where_the_discriminator_rests():
    # sigmoid(log 9) = 0.9
    by_real, *_ = slopes(build("bce", label_smoothing=0.1), torch.full((1,), math.log(9)), FAKE)
    assert by_real.item() == pytest.approx(0, abs=1e-7)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("flipping", [0.1, 0.4])
def test_flipped_labels_mix_the_two_cross_entropies(smoothing, flipping):
    loss = build("bce", label_flipping=flipping, label_smoothing=smoothing)
    real, fake = REAL.repeat(20_000), FAKE.repeat(20_000)
    discriminator, generator = values_of(loss, real, fake)
    high, keep = 1.0 - smoothing, 1.0 - flipping
    expected = 0.5 * (
        keep * (cross_entropy(REAL, high) + cross_entropy(FAKE, 0.0))
        + flipping * (cross_entropy(REAL, 0.0) + cross_entropy(FAKE, high))
    )
    # Each of 60,000 terms has a standard deviation below 1.5 x 3 / 2.
    assert discriminator.item() == pytest.approx(expected.item(), abs=0.03)
    torch.testing.assert_close(generator, cross_entropy(FAKE, 1.0))  # G is told the truth


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_flipping_turns_whole_samples(smoothing):
    loss = build("bce", label_flipping=0.3, label_smoothing=smoothing)
    by_real, by_fake, _ = slopes(loss, torch.zeros(400, 2, 2), torch.zeros(400, 2, 2))
    # At score 0 the slope is (1/2 - target) / 2 by the number of scores.
    is_real, is_fake = (0.5 - (1 - smoothing)) / 2 / 1600, 0.5 / 2 / 1600
    for slope, true, turned in ((by_real, is_real, is_fake), (by_fake, is_fake, is_real)):
        slope = slope.flatten(1)
        flipped = torch.sign(slope[:, 0]) != math.copysign(1, true)
        expected = torch.where(flipped, turned, true)[:, None].expand_as(slope)
        torch.testing.assert_close(slope, expected)
        assert 0.2 < flipped.float().mean().item() < 0.4


def test_flipping_follows_the_global_seed_and_none_draws_nothing():
    loss = build("bce", label_flipping=0.3)
    step = SimpleNamespace(real_scores=REAL.repeat(50), fake_scores=FAKE.repeat(50))
    torch.manual_seed(7)
    first, second = loss.discriminator_loss(step), loss.discriminator_loss(step)
    torch.manual_seed(7)
    assert torch.equal(loss.discriminator_loss(step), first)
    assert not torch.equal(first, second)

    state = torch.get_rng_state()
    plain = build("bce", label_flipping=0.0).discriminator_loss(step)
    assert torch.equal(plain, build("bce").discriminator_loss(step))
    assert torch.equal(torch.get_rng_state(), state)
    loss.generator_loss(step)
    assert torch.equal(torch.get_rng_state(), state)


def test_wasserstein_is_a_difference_of_means():
    discriminator, generator = values_of(build("wasserstein"), REAL, FAKE)
    assert discriminator.item() == pytest.approx(-1.75 / 3 - 0.5)
    assert generator.item() == pytest.approx(1.75 / 3)


def test_clipping_bounds_every_weight_and_can_be_switched_off():
    network = torch.nn.Linear(2, 1)
    with torch.no_grad():
        network.weight.copy_(torch.tensor([[3.0, -0.125]]))
        network.bias.fill_(-5.0)
        build("wasserstein", clip=0.0).constrain_discriminator(network)
        assert network.weight.tolist() == [[3.0, -0.125]]
        build("wasserstein", clip=0.25).constrain_discriminator(network)
        assert network.weight.tolist() == [[0.25, -0.125]]
        assert network.bias.tolist() == [-0.25]
        build("wasserstein").constrain_discriminator(network)
    assert torch.cat([network.weight[0], network.bias]).tolist() == pytest.approx(
        [0.01, -0.01, -0.01]
    )


def test_least_squares_at_simple_scores():
    discriminator, generator = values_of(build("lsgan"), REAL, FAKE)
    # Distances of real from 1: 1, 2, 0.5; squares of fake: 9, 1/16, 1; of fake from 1: 16, 9/16, 0.
    assert discriminator.item() == pytest.approx(0.5 * (5.25 / 3 + 10.0625 / 3))
    assert generator.item() == pytest.approx(0.5 * 16.5625 / 3)
    at_rest = values_of(build("lsgan"), torch.ones(3), torch.zeros(3))
    assert [value.item() for value in at_rest] == [0.0, 0.5]


def test_hinge_at_simple_scores():
    discriminator, generator = values_of(build("hinge"), REAL, FAKE)
    # Real scores miss 1 by 0, 2 and 0.5; fake scores miss -1 by 0, 1.25 and 2.
    assert discriminator.item() == pytest.approx(2.5 / 3 + 3.25 / 3)
    assert generator.item() == pytest.approx(1.75 / 3)
    by_real, by_fake, _ = slopes(build("hinge"), REAL, FAKE)
    assert by_real.tolist() == pytest.approx([0, -1 / 3, -1 / 3])
    assert by_fake.tolist() == pytest.approx([0, 1 / 3, 1 / 3])


def test_relativistic_pairing_compares_pair_by_pair():
    discriminator, generator = values_of(build("rpgan"), REAL, FAKE)
    gaps = [5.0, -1.25, -0.5]
    assert discriminator.item() == pytest.approx(sum(math.log1p(math.exp(-g)) for g in gaps) / 3)
    assert generator.item() == pytest.approx(sum(math.log1p(math.exp(g)) for g in gaps) / 3)
    moved, _ = values_of(build("rpgan"), REAL + 7, FAKE + 7)  # no score is good by itself
    torch.testing.assert_close(moved, discriminator)
    shuffled, _ = values_of(build("rpgan"), REAL, FAKE.roll(1))
    assert shuffled.item() != pytest.approx(discriminator.item(), abs=1e-3)


def test_reconstruction_errors_by_hand_train_the_generator_alone():
    real = torch.tensor([[0.0, 1.0], [-1.0, 0.5]])
    remade = torch.tensor([[0.5, 1.0], [1.0, 0.0]], requires_grad=True)
    for name, quantity, value, slope in (
        ("mse", "reconstruction", (0.25 + 4 + 0.25) / 4, [[0.25, 0.0], [1.0, -0.25]]),
        ("l1", "reconstruction", (0.5 + 2 + 0.5) / 4, [[0.25, 0.0], [0.25, -0.25]]),
        ("identity", "identity", (0.5 + 2 + 0.5) / 4, [[0.25, 0.0], [0.25, -0.25]]),
    ):
        spec = REGISTRY.find(LossSpec, name).spec
        assert spec.trains == ("generator",)
        assert spec.reads == ("samples", quantity)
        assert not spec.needs_discriminator
        # Nothing else is there to be read.
        step = SimpleNamespace(samples=real, **{quantity: remade})
        loss = build(name)
        assert loss.discriminator_loss(step) is None
        found = loss.generator_loss(step)
        assert found.shape == ()
        assert found.item() == pytest.approx(value)
        (found_slope,) = torch.autograd.grad(found, remade)
        assert found_slope.tolist() == slope


@pytest.mark.parametrize("name", ["mse", "l1"])
def test_reconstruction_errors_are_means_over_samples_and_numbers(name):
    torch.manual_seed(3)
    real, remade = torch.randn(2, 4, 3, 5, 5)
    once = build(name).generator_loss(SimpleNamespace(samples=real, reconstruction=remade))
    twice = build(name).generator_loss(
        SimpleNamespace(samples=torch.cat([real, real]), reconstruction=torch.cat([remade, remade]))
    )
    torch.testing.assert_close(twice, once)
    exact = build(name).generator_loss(SimpleNamespace(samples=real, reconstruction=real.clone()))
    assert exact.item() == 0.0
