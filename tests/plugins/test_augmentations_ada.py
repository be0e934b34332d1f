"""ADA: the transforms are those of the paper, and the probability follows the real scores."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from ganforge import Observed, Progress, Schedule
from ganforge_augmentations import AdaptiveOptions
from ganforge_augmentations.colour import recolour
from ganforge_augmentations.draws import Draws
from ganforge_augmentations.geometry import blit_map, compose, move, warp_map
from ganforge_augmentations.resampling import resample

from .augmenting import PROGRESS, apply, build, images

ONE = torch.tensor(1.0)
MANY = 4000


class Recorded(Draws):
    """Draws that are kept, for transforms all of which, or all but one of which, are idle."""

    def __init__(self, num: int, only: int | None = None, seed: int = 0) -> None:
        super().__init__(num, torch.Generator().manual_seed(seed), ONE)
        self.only = only
        self.asked = 0
        self.kept: list[torch.Tensor] = []

    def uniform(self, low, high):
        self.kept.append(super().uniform(low, high))
        return self.kept[-1]

    def normal(self, std):
        self.kept.append(super().normal(std))
        return self.kept[-1]

    def chosen(self, p=None):
        self.asked += 1
        return torch.full((self.num,), self.only in (None, self.asked - 1))


def homogeneous(*rows):
    """3 x 3 matrices `[B, 3, 3]` from rows of numbers and tensors `[B]`, float64."""
    size = max(len(it) for row in rows for it in row if isinstance(it, torch.Tensor))
    entries = [torch.as_tensor(it).double().expand(size) for row in rows for it in row]
    return torch.stack(entries, 1).view(size, 3, 3)


def scaling(x, y):
    return homogeneous([x, x * 0, x * 0], [x * 0, y, x * 0], [0.0, 0.0, 1.0])


def rotation(angle):
    cos, sin = angle.double().cos(), angle.double().sin()
    return homogeneous([cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0])


def shift(x, y):
    return homogeneous([1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0])


def product(*transforms):
    """The inverse of the transforms, of which the first is applied first."""
    forward = transforms[0]
    for transform in transforms[1:]:
        forward = transform @ forward
    return torch.linalg.inv(forward)[:, :2]


def test_blitting_is_a_flip_then_quarter_turns_then_a_shift_by_whole_pixels():
    draws = Recorded(40)
    source = blit_map(draws, 16, 16)
    flip, turns, right, down = draws.kept
    expected = product(
        scaling(1 - 2 * flip.floor(), torch.ones(40)),
        rotation(turns.floor() * math.pi / 2),
        shift((right * 16).round(), (down * 16).round()),
    )
    torch.testing.assert_close(source.double(), expected, rtol=0, atol=1e-5)
    assert {*flip.floor().tolist()} == {0, 1}
    assert {*turns.floor().tolist()} == {0, 1, 2, 3}
    assert right.abs().max() <= 0.125


def test_general_geometry_is_scaling_rotation_stretching_rotation_and_a_shift():
    draws = Recorded(40)
    source = warp_map(draws, 16, 24)
    scale, before, stretch, after, right, down = (it.double() for it in draws.kept)
    expected = product(
        scaling(scale.exp2(), scale.exp2()),
        rotation(before),
        scaling(stretch.exp2(), 1 / stretch.exp2()),
        rotation(after),
        shift(right * 24, down * 16),
    )
    torch.testing.assert_close(source.double(), expected, rtol=0, atol=1e-4)


def test_strengths_are_those_of_the_paper():
    draws = Recorded(MANY)
    warp_map(draws, 1, 1)
    recolour(images(1, 3, 1, 1).expand(MANY, -1, -1, -1), draws)
    scale, before, stretch, after, right, down, *colour = draws.kept
    brightness, contrast, flip, hue, saturation = colour
    for normal, std in (
        (scale, 0.2),
        (stretch, 0.2),
        (right, 0.125),
        (down, 0.125),
        (brightness, 0.2),
        (contrast, 0.5),
        (saturation, 1.0),
    ):
        assert normal.std().item() == pytest.approx(std, rel=0.05)
        assert abs(normal.mean().item()) < 5 * std / MANY**0.5
    for angle in (before, after, hue):
        assert angle.abs().max() <= math.pi
        assert angle.std().item() == pytest.approx(math.pi / 3**0.5, rel=0.05)
    assert flip.floor().mean().item() == pytest.approx(0.5, abs=0.04)


def test_an_image_that_is_not_square_is_turned_by_half_turns():
    source = blit_map(Recorded(100, only=1), 8, 12)
    identity, half = torch.eye(2, 3), -torch.eye(2, 3)
    turned = [torch.allclose(it, half, atol=1e-5) for it in source]
    assert all(it or torch.equal(one, identity) for it, one in zip(turned, source, strict=True))
    assert 30 < sum(turned) < 70


@pytest.mark.parametrize("size", [(8, 8), (7, 7)])
@pytest.mark.parametrize("turns", range(4))
def test_a_quarter_turn_is_that_of_torch_and_moves_whole_pixels(size, turns):
    samples = images(1, 3, *size)
    angle = torch.tensor([turns * math.pi / 2])
    source = product(rotation(angle)).float()
    expected = torch.rot90(samples, -turns, (2, 3))  # y points down
    torch.testing.assert_close(move(samples, source), expected, rtol=0, atol=1e-5)


def test_a_flip_and_a_shift_move_whole_pixels_and_reflect_the_edges():
    samples = images(1, 2, 5, 8)
    flipped = move(samples, product(scaling(-torch.ones(1), torch.ones(1))).float())
    torch.testing.assert_close(flipped, samples.flip(3), rtol=0, atol=1e-5)
    shifted = move(samples, product(shift(torch.tensor([2.0]), torch.tensor([-1.0]))).float())
    padded = functional.pad(samples, (2, 2, 1, 1), mode="reflect")
    torch.testing.assert_close(shifted, padded[:, :, 2:, :8], rtol=0, atol=1e-5)


def test_a_map_that_says_so_changes_nothing():
    samples = images(2, 3, 6, 6)
    source = torch.stack([torch.eye(2, 3), product(rotation(torch.tensor([0.3])))[0].float()])
    moved = move(samples, source)
    assert torch.equal(moved[0], samples[0])
    assert not torch.allclose(moved[1], samples[1], atol=0.01)


def test_maps_are_composed_as_matrices_are():
    first, second, third = (images(4, 2, 3, seed=seed).double() for seed in range(3))
    last = torch.tensor([[0.0, 0.0, 1.0]]).double().expand(4, 1, 3)
    a, b, c = (torch.cat([it, last], 1) for it in (first, second, third))
    torch.testing.assert_close(compose(first, second, third), (a @ b @ c)[:, :2])


@given(
    height=st.integers(1, 6),
    width=st.integers(1, 6),
    data=st.lists(st.floats(-8, 8, width=32), min_size=2, max_size=2),
)
@settings(max_examples=50, deadline=None)
def test_resampling_interpolates_and_continues_by_reflection(height, width, data):
    samples = images(1, 2, height, width, dtype=torch.float64)
    x, y = data
    places = torch.tensor([x, y]).expand(1, height, width, 2)
    column, row = reflected(x + (width - 1) / 2, width), reflected(y + (height - 1) / 2, height)
    left, top = min(int(column), max(width - 2, 0)), min(int(row), max(height - 2, 0))
    right, bottom = min(left + 1, width - 1), min(top + 1, height - 1)
    u, v = column - left, row - top
    expected = (1 - v) * ((1 - u) * samples[0, :, top, left] + u * samples[0, :, top, right])
    expected += v * ((1 - u) * samples[0, :, bottom, left] + u * samples[0, :, bottom, right])
    found = resample(samples, places)[0, :, 0, 0]
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


def reflected(place: float, side: int) -> float:
    """A coordinate as it is after reflections about the centres of the outermost pixels."""
    if side == 1:
        return 0.0
    period = 2 * (side - 1)
    place = place % period
    return min(place, period - place)


def test_resampling_can_be_differentiated_as_often_as_one_likes():
    samples = images(2, 2, 4, 3, dtype=torch.float64).requires_grad_()
    places = images(2, 4, 3, 2, dtype=torch.float64) * 3

    def cubic(x):
        return resample(x, places) ** 3

    assert torch.autograd.gradgradcheck(cubic, samples)
    (first,) = torch.autograd.grad(cubic(samples).sum(), samples, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), samples, create_graph=True)
    (third,) = torch.autograd.grad(second.sum(), samples)
    weights = torch.autograd.functional.jacobian(lambda x: resample(x, places), samples)
    weights = weights.reshape(48, 48)
    torch.testing.assert_close(third.flatten(), 6 * weights.T @ weights.sum(1) ** 2)


def test_the_gradient_of_resampling_is_that_of_torch():
    samples = images(2, 3, 5, 4).requires_grad_()
    places = images(2, 5, 4, 2) * 4
    weights = images(2, 3, 5, 4, seed=1)
    grid = places / torch.tensor([(4 - 1) / 2, (5 - 1) / 2])
    theirs = functional.grid_sample(samples, grid, padding_mode="reflection", align_corners=True)
    ours = resample(samples, places)
    torch.testing.assert_close(ours, theirs)
    (expected,) = torch.autograd.grad((theirs * weights).sum(), samples)
    (found,) = torch.autograd.grad((ours * weights).sum(), samples)
    torch.testing.assert_close(found, expected)


def test_colours_are_the_matrices_of_the_paper_multiplied():
    samples = images(30, 3, 4, 5, dtype=torch.float64)
    draws = Recorded(30)
    recoloured = recolour(samples, draws)
    b, c, f, angle, s = (it.double()[:, None, None] for it in draws.kept)
    grey = torch.ones(3, 3).double() / 3  # v v' of v = (1, 1, 1) / sqrt 3
    eye = torch.eye(3).double()
    cross = torch.tensor([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]).double() / 3**0.5
    hue = angle.cos() * eye + angle.sin() * cross + (1 - angle.cos()) * grey
    matrix = (grey + (eye - grey) * s.exp2()) @ hue @ (eye - 2 * grey * f.floor()) * c.exp2()
    offset = matrix @ (b * torch.ones(30, 3, 1).double())
    expected = (matrix @ samples.flatten(2) + offset).view_as(samples)
    torch.testing.assert_close(recoloured, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("only", [3, 4])
def test_hue_and_saturation_leave_one_channel_alone(only):
    samples = images(20, 1, 4, 4)
    torch.testing.assert_close(recolour(samples, Recorded(20, only=only)), samples)


def test_hue_leaves_all_but_three_channels_alone_and_saturation_keeps_their_mean():
    samples = images(20, 5, 4, 4)
    hue = recolour(samples, Recorded(20, only=3))
    torch.testing.assert_close(hue.mean(1), samples.mean(1))
    saturated = recolour(samples, Recorded(20, only=4))
    torch.testing.assert_close(saturated.mean(1), samples.mean(1))
    assert not torch.allclose(saturated, samples, atol=0.1)


@pytest.mark.parametrize("pipeline", ["blit", "geom", "color"])
def test_a_share_of_the_samples_is_left_alone(pipeline):
    p = 0.3
    samples = images(MANY, 3, 4, 4)
    augmented = apply(build("ada", target=0.0, p=p, pipeline=pipeline), samples)
    untouched = (augmented == samples).flatten(1).all(1).float().mean().item()
    expected = {
        # Half of the flips change nothing, and a quarter of the turns. A shift of at most half a
        # pixel of four is rounded to none.
        "blit": (1 - p / 2) * (1 - 3 * p / 4),
        # Of the two rotations one at least is applied with probability p.
        "geom": (1 - p) ** 4,
        "color": (1 - p) ** 4 * (1 - p / 2),
    }[pipeline]
    assert untouched == pytest.approx(expected, abs=0.04)


@pytest.mark.parametrize(
    ("pipeline", "groups"),
    [("bg", ("blit", "geom")), ("gc", ("geom", "color")), ("bc", ("blit", "color"))],
)
def test_a_pipeline_has_the_groups_that_its_letters_name(pipeline, groups):
    augmentation = build("ada", target=0.0, p=1.0, pipeline=pipeline)
    # A plain image looks the same wherever it is moved.
    plain = torch.full((40, 3, 8, 8), 0.25)
    assert torch.allclose(apply(augmentation, plain), plain) == ("color" not in groups)
    # The colours of one channel keep the order of its numbers, or turn it round.
    samples = images(40, 1, 8, 8)
    assert not keeps_order(samples, apply(augmentation, samples)).all()
    colours = apply(build("ada", target=0.0, p=1.0, pipeline="color"), samples)
    assert keeps_order(samples, colours).all()


def keeps_order(samples: torch.Tensor, augmented: torch.Tensor) -> torch.Tensor:
    """Of each image, whether its numbers stand in the same order as before, or in the reverse."""
    before, after = samples.flatten(1).argsort(1), augmented.flatten(1).argsort(1)
    return (after == before).all(1) | (after == before.flip(1)).all(1)


# --- the probability ----------------------------------------------------------------------------


def observe(augmentation, scores, times=1, batch_size=50):
    observed = Observed(
        side="discriminator",
        real_scores=scores,
        fake_scores=None,
        batch_size=batch_size,
        progress=PROGRESS,
    )
    with torch.no_grad():
        for _ in range(times):
            augmentation.observe(observed)


def p_of(augmentation) -> float:
    return augmentation.metrics()["p"].item()


def r_of(augmentation) -> float:
    return augmentation.metrics()["r"].item()


def test_p_rises_while_the_discriminator_knows_every_real_sample_and_falls_while_it_knows_none():
    augmentation = build("ada", adjust_images=10_000)
    assert p_of(augmentation) == 0
    observe(augmentation, torch.full((50,), 3.0), times=3)
    assert p_of(augmentation) == 0  # three updates of four
    observe(augmentation, torch.full((50,), 3.0))
    step = 50 * 4 / 10_000
    assert p_of(augmentation) == pytest.approx(step)
    assert r_of(augmentation) == 1
    observe(augmentation, torch.full((50,), 0.1), times=16)
    assert p_of(augmentation) == pytest.approx(5 * step)
    observe(augmentation, torch.full((50,), -2.0), times=12)
    assert p_of(augmentation) == pytest.approx(2 * step)
    assert r_of(augmentation) == -1
    observe(augmentation, torch.full((50,), -2.0), times=40)
    assert p_of(augmentation) == 0


def test_p_goes_from_0_to_1_within_the_images_that_are_said():
    augmentation = build("ada", adjust_images=8_000, max_p=1.0)
    observe(augmentation, torch.ones(100), times=76, batch_size=100)
    assert p_of(augmentation) == pytest.approx(0.95)
    observe(augmentation, torch.ones(100), times=4, batch_size=100)
    assert p_of(augmentation) == pytest.approx(1)


def test_p_stays_within_its_bound():
    augmentation = build("ada", adjust_images=1_000, max_p=0.7)
    observe(augmentation, torch.ones(50), times=40)
    assert p_of(augmentation) == pytest.approx(0.7)


def test_what_counts_is_the_mean_sign_over_the_updates_of_an_interval():
    # 4, 1, 1 and 1 positive scores of 4: r = (1 - 1/2 - 1/2 - 1/2) / 4
    augmentation = build("ada", target=0.5, p=0.5, adjust_images=1_000)
    observe(augmentation, torch.tensor([5.0, 5.0, 5.0, 5.0]))
    observe(augmentation, torch.tensor([-1.0, -1.0, 9.0, -9.0]), times=3)
    assert r_of(augmentation) == pytest.approx(-0.125)
    assert p_of(augmentation) == pytest.approx(0.5 - 0.2)


def test_scores_that_meet_the_target_leave_p_as_it_is():
    augmentation = build("ada", target=0.5, p=0.3)
    observe(augmentation, torch.tensor([1.0, 1.0, 1.0, -1.0]), times=4)
    assert r_of(augmentation) == pytest.approx(0.5)
    assert p_of(augmentation) == pytest.approx(0.3)


@pytest.mark.parametrize("shape", [(50, 3, 3), (50, 7)])
def test_the_scores_of_patches_count_each(shape):
    augmentation = build("ada", interval=1)
    scores = torch.ones(shape)
    scores[:, 0] = -1
    observe(augmentation, scores)
    assert r_of(augmentation) == pytest.approx(1 - 2 / shape[1])


def test_scores_of_low_precision_are_averaged_in_full():
    augmentation = build("ada", interval=1)
    scores = torch.ones(1001, dtype=torch.bfloat16)
    scores[0] = -1
    observe(augmentation, scores)
    assert r_of(augmentation) == pytest.approx(999 / 1001)


def test_an_update_whose_scores_nobody_read_is_none():
    augmentation = build("ada", interval=2)
    observe(augmentation, torch.ones(50))
    observe(augmentation, None, times=5)
    assert p_of(augmentation) == 0
    observe(augmentation, torch.ones(50))
    assert p_of(augmentation) > 0


def test_with_target_0_p_is_held_and_r_is_measured():
    augmentation = build("ada", target=0.0, p=0.4)
    observe(augmentation, torch.ones(50), times=8)
    assert p_of(augmentation) == pytest.approx(0.4)
    assert r_of(augmentation) == 1


def test_with_target_0_p_may_follow_a_schedule():
    schedule = Schedule(from_=0.0, to=0.8)
    augmentation = build("ada", target=0.0, p=schedule)
    samples = images(400, 3, 8, 8)
    for step, expected in ((0, 0.0), (50, 0.4), (100, 0.8)):
        progress = Progress(step=step, num_steps=100, images=0)
        held = build("ada", target=0.0, p=expected) if expected else None
        with torch.no_grad():
            found = augmentation(samples, torch.Generator().manual_seed(0), progress)
            augmentation.observe(
                Observed(
                    side="discriminator",
                    progress=progress,
                    batch_size=400,
                    real_scores=None,
                    fake_scores=None,
                )
            )
        wanted = samples if held is None else apply(held, samples)
        assert torch.equal(found, wanted)
        assert p_of(augmentation) == pytest.approx(expected)


def test_the_state_is_in_buffers_and_a_resumed_run_goes_on_to_the_bit():
    original = build("ada", adjust_images=3_000, interval=3)
    assert set(original.state_dict()) == {"p", "r", "sign_sum", "num_observed"}
    for seed in range(7):  # in mid-interval
        observe(original, images(50, seed=seed) + 0.9)
    resumed = build("ada", adjust_images=3_000, interval=3)
    resumed.load_state_dict(original.state_dict())
    for augmentation in (original, resumed):
        for seed in range(7, 20):
            observe(augmentation, images(50, seed=seed) + 0.9)
    assert p_of(original) > 0
    states = zip(original.state_dict().values(), resumed.state_dict().values(), strict=True)
    assert all(torch.equal(*state) for state in states)
    samples = images(4, 3, 8, 8)
    assert torch.equal(apply(original, samples), apply(resumed, samples))


def test_metrics_keep_their_values():
    augmentation = build("ada", interval=1)
    before = augmentation.metrics()
    observe(augmentation, torch.ones(50))
    assert before["p"].item() == 0
    assert augmentation.metrics()["p"].item() > 0


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"p": 0.9}, r"p \(0.9\) must not exceed max_p \(0.8\)"),
        ({"p": Schedule(from_=0.0, to=0.5)}, "a schedule only where target is 0"),
        ({"target": 0.0}, "target 0 holds the probability at p, which must then be above 0"),
    ],
)
def test_options_without_sense_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        AdaptiveOptions(**values)
