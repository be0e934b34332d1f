"""Lines and arcs between latents, against their geometry."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ganforge.sampling.interpolation import lerp, path, slerp

FINITE = st.floats(-(2.0**100), 2.0**100, width=32)
VECTORS = st.integers(1, 6).flatmap(
    lambda size: st.tuples(*[st.lists(FINITE, min_size=size, max_size=size)] * 2)
)


def test_lerp_is_the_straight_line():
    a, b = torch.tensor([1.0, -2.0]), torch.tensor([3.0, 2.0])
    torch.testing.assert_close(lerp(a, b, 0.25), torch.tensor([1.5, -1.0]))
    assert torch.equal(lerp(a, b, 0.0), a)
    assert torch.equal(lerp(a, b, 1.0), b)


@pytest.mark.parametrize("degrees", [0.5, 30.0, 90.0, 150.0, 179.5])
@pytest.mark.parametrize("t", [0.0, 0.2, 0.5, 1.0])
def test_slerp_turns_at_an_even_pace_on_the_sphere(degrees, t):
    angle = math.radians(degrees)
    a = 3.0 * torch.tensor([1.0, 0.0], dtype=torch.float64)
    b = 3.0 * torch.tensor([math.cos(angle), math.sin(angle)], dtype=torch.float64)
    expected = [3.0 * math.cos(t * angle), 3.0 * math.sin(t * angle)]
    assert slerp(a, b, t).tolist() == pytest.approx(expected, abs=1e-10)


def test_the_middle_of_two_normal_latents_keeps_its_length_on_the_arc_alone():
    a, b = torch.randn(2, 200, 512, generator=torch.Generator().manual_seed(0))
    expected = math.sqrt(512)
    assert slerp(a, b, 0.5).norm(dim=-1).mean().item() == pytest.approx(expected, rel=0.01)
    assert lerp(a, b, 0.5).norm(dim=-1).mean().item() == pytest.approx(
        expected / math.sqrt(2), rel=0.01
    )


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ([1.0, 2.0], [1.0, 2.0]),
        ([1.0, 2.0], [2.0, 4.0]),
        ([1.0, 2.0], [-1.0, -2.0]),
        ([1.0, 2.0], [-3.0, -6.0]),
        ([0.0, 0.0], [1.0, 2.0]),
        ([0.0, 0.0], [0.0, 0.0]),
        ([2.0], [5.0]),
    ],
)
def test_between_vectors_of_one_line_an_arc_is_the_line(a, b):
    a, b = torch.tensor(a), torch.tensor(b)
    for t in (0.0, 0.3, 0.5, 1.0):
        torch.testing.assert_close(slerp(a, b, t), lerp(a, b, t), rtol=1e-6, atol=1e-6)


@given(VECTORS, st.floats(0, 1, width=32))
def test_ways_are_finite_everywhere_and_exact_at_their_ends(vectors, t):
    a, b = map(torch.tensor, vectors)
    for between in (lerp, slerp):
        assert between(a, b, t).isfinite().all()
        assert torch.equal(between(a, b, 0.0), a)
        assert torch.equal(between(a, b, 1.0), b)
        off = (between(a, b, t) - between(b, a, 1 - t)).abs().max()
        assert off <= 1e-3 * max(a.abs().max(), b.abs().max())


@pytest.mark.parametrize("way", ["lerp", "slerp"])
def test_an_open_way_has_both_ends_and_every_anchor(way):
    anchors = torch.randn(3, 2, 5)
    points = path(anchors, 4, way, closed=False)
    assert points.shape == (9, 2, 5)
    assert torch.equal(points[::4], anchors)
    between = {"lerp": lerp, "slerp": slerp}[way]
    torch.testing.assert_close(points[5], between(anchors[1], anchors[2], 0.25))


@pytest.mark.parametrize("way", ["lerp", "slerp"])
def test_a_closed_way_leads_back_and_repeats_nothing(way):
    anchors = torch.randn(3, 5)
    points = path(anchors, 4, way, closed=True)
    assert points.shape == (12, 5)
    assert torch.equal(points[::4], anchors)
    between = {"lerp": lerp, "slerp": slerp}[way]
    torch.testing.assert_close(points[-1], between(anchors[2], anchors[0], 0.75))


def test_every_row_of_a_batch_goes_its_own_way():
    anchors = torch.randn(2, 3, 5)
    together = path(anchors, 7, "slerp", closed=False)
    for row in range(3):
        alone = path(anchors[:, row], 7, "slerp", closed=False)
        torch.testing.assert_close(together[:, row], alone)
