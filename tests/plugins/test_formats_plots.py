"""Pictures of vectors: where samples land, what is counted, and that pictures can be compared."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ganforge_formats.canvas import Axis, round_step
from ganforge_formats.plots import plot


def normal(n, dimension, seed=0):
    return torch.randn(n, dimension, generator=torch.Generator().manual_seed(seed))


def reddish(picture):
    red, green, blue = picture.int().unbind(2)
    return (red - green > 60) & (red - blue > 60)


def greyish(picture):
    colours = picture.int()
    return (colours.amax(2) - colours.amin(2) < 20) & (colours.amax(2) < 200)


def drawn(picture):
    """The part of a picture within the frame, of 480 pixels."""
    return picture[38:446, 52:462]


@pytest.mark.parametrize("dimension", [1, 2, 3, 7])
@pytest.mark.parametrize("size", [480, 301])
def test_a_picture_is_the_same_for_the_same_samples(dimension, size):
    real, fake = normal(300, dimension), normal(200, dimension, seed=1)
    picture = plot(real, fake, size)
    assert picture.shape == (size, size, 3)
    assert picture.dtype == torch.uint8
    assert torch.equal(picture, plot(real, fake, size))
    assert not torch.equal(picture, plot(real, fake + 1, size))


def test_samples_are_where_their_coordinates_say():
    real = torch.tensor([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])
    upper_right = plot(real, torch.tensor([[0.5, 0.5]]))
    rows, columns = drawn(reddish(upper_right)).nonzero().double().mean(0).tolist()
    # The margin makes the width of 418 pixels stand for 2.6 units around zero.
    assert columns + 52 == pytest.approx(48 + 209 + 0.5 / 2.6 * 418, abs=5)
    assert rows + 38 == pytest.approx(34 + 208 - 0.5 / 2.6 * 418, abs=5)


def test_the_axes_have_one_scale():
    angles = torch.linspace(0, 2 * math.pi, 400)
    circle = torch.stack([3 * angles.cos(), 3 * angles.sin()], dim=1)
    wide = torch.cat([circle, torch.tensor([[-9.0, 0.0]] * 20 + [[9.0, 0.0]] * 20)])
    rows, columns = drawn(reddish(plot(wide, circle))).nonzero().unbind(1)
    height, width = (int(it.max() - it.min()) for it in (rows, columns))
    assert width == pytest.approx(height, abs=2)


@pytest.mark.parametrize("dimension", [1, 2])
def test_the_axes_are_set_by_the_real_samples(dimension, texts):
    real = normal(2000, dimension)
    plot(real, normal(50, dimension, seed=1))
    ticks = texts[:-2]
    texts.clear()
    plot(real, 100 * normal(50, dimension, seed=1))
    assert texts[:-2] == ticks


def test_a_few_outliers_or_another_draw_change_the_axes_little():
    corner = torch.tensor([[3.0, 3.0]])
    places = []
    for real in (
        normal(2000, 2),
        normal(2000, 2, seed=2),
        torch.cat([normal(2000, 2), torch.full((5, 2), 1e6)]),
    ):
        places.append(drawn(reddish(plot(real, corner))).nonzero().double().mean(0))
    assert max(float((it - places[0]).norm()) for it in places) < 30


@pytest.mark.parametrize("dimension", [1, 2])
def test_what_is_not_drawn_is_counted(dimension, texts):
    real = torch.linspace(-1, 1, 1000)[:, None].expand(-1, dimension)
    fake = torch.zeros(1500, dimension)
    fake[:3] = 7
    fake[3, 0] = math.nan
    fake[4, -1] = -math.inf
    plot(real, fake)
    assert texts[-2:] == ["real: 1,000", "generated: 1,500 (3 outside, 2 not finite)"]


def test_a_histogram_has_unit_area_whatever_the_number_of_samples(texts):
    """Uniform between 0 and 10, of density 0.1, drawn at two thirds of the picture's height."""
    real = torch.linspace(0, 10, 50_001)[:-1, None]
    picture = plot(real, real[::10])
    assert [text for text in texts if text.startswith("0.")] == ["0.00", "0.05", "0.10", "0.15"]
    shown = drawn(picture.int().amin(2) < 225)
    top = int(shown[:, 100:300].float().mean(1).gt(0.9).nonzero().min()) + 4
    assert 1 - top / 416 == pytest.approx(1 / 1.5, abs=0.02)


def test_a_collapsed_histogram_leaves_the_picture_and_not_the_scale(texts):
    real = normal(2000, 1)
    plot(real, normal(2000, 1, seed=1))
    ticks = texts[:-2]
    texts.clear()
    picture = plot(real, torch.full((2000, 1), 0.1))
    assert texts[:-2] == ticks
    assert reddish(picture)[36].any()
    assert not reddish(picture)[26:34, 200:].any()


def test_more_dimensions_are_projected_on_the_principal_axes(texts):
    real = normal(1000, 4) * torch.tensor([0.1, 3.0, 0.1, 1.0])
    fake = torch.zeros(1, 4)
    fake[0, 1] = 5.0
    picture = plot(real, fake)
    assert "principal axes 1 and 2 of 4, 100% of the variance" in texts
    places = drawn(reddish(picture)).nonzero().double().mean(0)
    assert abs(places[1].item() - 205) > 60
    assert abs(places[0].item() - 195) < 30


def test_one_kind_of_samples_is_enough():
    points = normal(100, 2)
    real, fake = plot(points, None), plot(None, points)
    assert not reddish(real).any()
    assert drawn(reddish(fake)).any()
    with pytest.raises(ValueError, match="neither real nor generated"):
        plot(None, None)


@pytest.mark.parametrize("dimension", [1, 2, 5])
@pytest.mark.parametrize("fill", [0.0, -3.0, 1e-30, 1e30, math.nan, math.inf])
@pytest.mark.parametrize(("num_real", "num_fake"), [(0, 0), (0, 3), (3, 0), (1, 1)])
def test_odd_samples_make_a_picture_too(dimension, fill, num_real, num_fake):
    picture = plot(torch.full((num_real, dimension), fill), torch.full((num_fake, dimension), fill))
    assert picture.shape == (480, 480, 3)
    shown = reddish(drawn(picture)).any().item()
    assert shown == (num_fake > 0 and math.isfinite(fill))


@settings(max_examples=200, deadline=None)
@given(
    low=st.floats(-1e6, 1e6),
    exponent=st.floats(-3, 6),
)
def test_ticks_are_few_round_and_in_order(low, exponent):
    axis = Axis(low=low, high=low + 10**exponent, first=0, last=400)
    places, labels = zip(*axis.ticks(), strict=True)
    assert 2 <= len(places) <= 7
    assert all(-1e-3 <= place <= 400 + 1e-3 for place in places)
    assert list(places) == sorted(places)
    gaps = [b - a for a, b in pairwise(places)]
    assert gaps == pytest.approx([gaps[0]] * len(gaps), rel=1e-3)
    assert "-0" not in labels


@pytest.mark.parametrize(
    ("step", "rounded"),
    [(0.9, 1), (1.0, 1), (1.1, 2), (2.0, 2), (3.0, 5), (6.0, 10), (0.03, 0.05), (1e-7, 1e-7)],
)
def test_steps_are_one_two_or_five(step, rounded):
    assert round_step(step) == pytest.approx(rounded)
