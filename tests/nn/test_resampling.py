"""Filtered resampling against its definition, number by number, and against torch's own."""

from __future__ import annotations

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d, interpolate

from ganforge.nn import Blur, Downsample2d, Upsample2d, upfirdn2d

BINOMIAL = (1.0, 3.0, 3.0, 1.0)


def by_definition(
    image: list[float], taps: list[float], up: int, down: int, before: int, after: int
):
    """One axis: zeros after each number, zeros around, a convolution, every `down`-th number."""
    spread = [it for value in image for it in (value, *[0.0] * (up - 1))]
    padded = [0.0] * max(before, 0) + spread + [0.0] * max(after, 0)
    padded = padded[max(-before, 0) : len(padded) - max(-after, 0)]
    full = range(len(padded) - len(taps) + 1)
    filtered = [
        sum(tap * padded[n + len(taps) - 1 - i] for i, tap in enumerate(taps)) for n in full
    ]
    return filtered[::down]


@settings(deadline=None, max_examples=200)
@given(
    length=st.integers(1, 9),
    taps=st.lists(st.floats(-2, 2, width=32), min_size=1, max_size=5),
    up=st.integers(1, 3),
    down=st.integers(1, 3),
    before=st.integers(-2, 4),
    after=st.integers(-2, 4),
    seed=st.integers(0, 99),
)
def test_an_axis_is_resampled_as_defined(length, taps, up, down, before, after, seed):
    assume(length * up + min(before, 0) + min(after, 0) >= 1)  # a crop leaves something
    assume(length * up + before + after >= len(taps))
    torch.manual_seed(seed)
    row = torch.randn(length, dtype=torch.float64)
    expected = by_definition(row.tolist(), taps, up, down, before, after)
    kernel = torch.tensor(taps, dtype=torch.float64)[None]
    # The other axis gets one number, of which `up` makes more and a crop leaves one.
    images = row.view(1, 1, 1, length)
    padding = (before, after, 0, 1 - up)
    found = upfirdn2d(images, kernel, up=up, down=down, padding=padding)
    assert found.shape == (1, 1, 1, len(expected))
    torch.testing.assert_close(found.flatten().tolist(), expected, rtol=1e-9, atol=1e-9)
    found = upfirdn2d(images.mT, kernel.mT, up=up, down=down, padding=(0, 1 - up, before, after))
    torch.testing.assert_close(found.flatten().tolist(), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("up", "down"), [(1, 1), (2, 1), (1, 2), (3, 2)])
def test_channels_are_filtered_alone_with_one_kernel(up, down):
    images, kernel = torch.randn(2, 3, 5, 4), torch.randn(3, 2)
    together = upfirdn2d(images, kernel, up=up, down=down, padding=(1, 2, 0, 1))
    for number in range(3):
        alone = upfirdn2d(
            images[:, number : number + 1], kernel, up=up, down=down, padding=(1, 2, 0, 1)
        )
        torch.testing.assert_close(together[:, number : number + 1], alone)


SIDES = st.integers(2, 9)


@settings(deadline=None, max_examples=50)
@given(height=SIDES, width=SIDES, size=st.integers(2, 5), factor=st.integers(1, 3))
def test_the_sides_are_those_that_are_said(height, width, size, factor):
    taps, images = (1.0,) * size, torch.randn(2, 3, height, width)
    assert Blur(taps)(images).shape == images.shape
    up = Upsample2d(taps, factor=factor)(images)
    assert up.shape == (2, 3, factor * height, factor * width)
    if min(height, width) >= factor:
        down = Downsample2d(taps, factor=factor)(images)
        assert down.shape == (2, 3, height // factor, width // factor)


@settings(deadline=None, max_examples=25)
@given(height=st.integers(4, 9), width=st.integers(4, 9), factor=st.integers(2, 3))
def test_a_constant_stays_constant_away_from_the_borders(height, width, factor):
    images = torch.full((1, 2, height, width), 3.0)
    for block, margin in ((Blur(), 2), (Upsample2d(), 2), (Downsample2d(), 1)):
        inner = block(images)[:, :, margin:-margin, margin:-margin]
        torch.testing.assert_close(inner, torch.full_like(inner, 3.0))
    mean = Upsample2d((1.0,) * 2 * factor, factor=factor)(images)[:, :, factor:-factor]
    torch.testing.assert_close(
        mean[..., factor:-factor], torch.full_like(mean, 3.0)[..., factor:-factor]
    )


def test_a_blur_is_a_convolution_with_the_outer_product_of_the_taps():
    images = torch.randn(2, 1, 6, 7)
    taps = torch.tensor(BINOMIAL) / 8
    kernel = torch.outer(taps, taps)[None, None]
    expected = conv2d(images, kernel, padding=2)[:, :, :-1, :-1]
    torch.testing.assert_close(Blur()(images), expected)


def test_two_equal_taps_are_nearest_neighbours_and_the_average_over_four():
    images = torch.randn(2, 3, 5, 6)
    torch.testing.assert_close(
        Upsample2d((1, 1))(images), interpolate(images, scale_factor=2.0, mode="nearest")
    )
    torch.testing.assert_close(Downsample2d((1, 1))(images), avg_pool2d(images, 2))


def test_the_binomial_taps_interpolate_bilinearly_but_for_the_border():
    images = torch.randn(2, 3, 5, 6)
    expected = interpolate(images, scale_factor=2.0, mode="bilinear", align_corners=False)
    found = Upsample2d()(images)
    torch.testing.assert_close(found[..., 1:-1, 1:-1], expected[..., 1:-1, 1:-1])
    # Beyond the border are zeros: a fourth of each axis is missing there.
    torch.testing.assert_close(found[..., 0, 1:-1], 0.75 * expected[..., 0, 1:-1])


def ramp(side: int) -> Tensor:
    """The middle of each pixel along one axis."""
    return (
        (torch.arange(side, dtype=torch.float64) + 0.5).view(1, 1, 1, side).expand(1, 1, side, side)
    )


@pytest.mark.parametrize("side", [8, 9])
def test_nothing_is_shifted(side):
    """A pixel of the result lies where its share of the image lies, for odd sides too."""
    up = Upsample2d().double()(ramp(side))[0, 0, side, 1:-1]
    torch.testing.assert_close(up, (torch.arange(2 * side).double() + 0.5)[1:-1] / 2)
    down = Downsample2d().double()(ramp(side))[0, 0, side // 4, 1:-1]
    torch.testing.assert_close(down, (torch.arange(side // 2).double() + 0.5)[1:-1] * 2)


@pytest.mark.parametrize("kernel_size", [1, 3, 4, 5])
@pytest.mark.parametrize("side", [8, 9])
def test_a_blur_before_a_stride_halves_the_size(kernel_size, side):
    padding = (kernel_size // 2 + 1, (kernel_size + 1) // 2)
    blurred = Blur(padding=padding)(torch.randn(1, 2, side, side))
    strided = conv2d(blurred, torch.randn(3, 2, kernel_size, kernel_size), stride=2)
    assert strided.shape == (1, 3, side // 2, side // 2)


def test_a_kernel_is_no_part_of_the_state_and_is_not_averaged():
    for block in (Blur(), Upsample2d(), Downsample2d()):
        assert block.state_dict() == {}
        assert block.averaged_buffers == ()
    assert Upsample2d().kernel.sum().item() == pytest.approx(4)
    assert Blur().kernel.sum().item() == pytest.approx(1)


def test_a_filter_computes_in_the_precision_of_the_images():
    images = torch.randn(1, 2, 4, 4, dtype=torch.bfloat16)
    for block in (Blur(), Upsample2d(), Downsample2d()):
        assert block(images).dtype == torch.bfloat16


@pytest.mark.parametrize("taps", [(), (1.0, -1.0)])
def test_taps_without_a_sum_are_an_error(taps):
    with pytest.raises(ValueError, match="the taps of a filter must have a sum"):
        Blur(taps)


def test_what_a_filter_is_made_of_is_printed():
    assert repr(Upsample2d()) == "Upsample2d(taps=(1.0, 3.0, 3.0, 1.0), factor=2)"
    assert repr(Blur((1, 2, 1))) == "Blur(taps=(1.0, 2.0, 1.0))"
