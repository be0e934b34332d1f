"""DiffAugment: every transform has the numbers of the paper."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ganforge_augmentations import DiffAugmentOptions
from ganforge_augmentations.diffaugment import cut_out, recolour, translate
from ganforge_augmentations.pixels import take

from .augmenting import apply, build, images

MANY = 4000


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_colours_are_the_three_transforms_of_the_paper_one_after_another():
    samples = images(6, 3, 5, 7, dtype=torch.float64)
    draws = generator()
    brightness, saturation, contrast = (
        torch.rand(6, 1, 1, 1, generator=draws).double() for _ in range(3)
    )
    expected = samples + (brightness - 0.5)
    grey = expected.mean(1, keepdim=True)
    expected = (expected - grey) * (saturation * 2) + grey
    mean = expected.mean((1, 2, 3), keepdim=True)
    expected = (expected - mean) * (contrast + 0.5) + mean
    torch.testing.assert_close(recolour(samples, generator()), expected)


def test_the_colours_of_one_channel_are_an_affine_map_of_it():
    samples = images(50, 1, 6, 6)
    recoloured = recolour(samples, generator())
    mean = samples.mean((1, 2, 3), keepdim=True)
    contrast = (recoloured.std((1, 2, 3)) / samples.std((1, 2, 3)))[:, None, None, None]
    brightness = recoloured.mean((1, 2, 3), keepdim=True) - mean
    torch.testing.assert_close(recoloured, (samples - mean) * contrast + mean + brightness)
    assert 0.5 <= contrast.min() < contrast.max() <= 1.5
    assert -0.5 <= brightness.min() < brightness.max() <= 0.5


@pytest.mark.parametrize("channels", [1, 3, 5])
def test_colours_are_right_on_average(channels):
    sample = images(1, channels, 3, 3)
    mean = recolour(sample.expand(MANY, -1, -1, -1), generator()).mean(0, keepdim=True)
    # The spread of a number is below 1, so that the mean's is below 1 / 60.
    torch.testing.assert_close(mean, sample, rtol=0, atol=0.08)


@pytest.mark.parametrize(("height", "width", "down", "right"), [(16, 24, 2, 3), (9, 13, 1, 2)])
def test_shifts_are_of_whole_pixels_up_to_an_eighth_and_all_as_likely(height, width, down, right):
    # Pixel (i, j) holds a number of its own, none of them 0.
    pixels = torch.arange(1.0, height * width + 1).view(1, 1, height, width)
    shifted = translate(pixels.expand(MANY, -1, -1, -1), generator())
    padded = torch.nn.functional.pad(pixels[0, 0], (right, right, down, down))
    counts = []
    for top in range(2 * down + 1):
        for left in range(2 * right + 1):
            wanted = padded[top : top + height, left : left + width]
            counts.append(int((shifted == wanted).all(3).all(2).sum()))
    assert sum(counts) == MANY
    fair = MANY / len(counts)
    assert max(abs(count - fair) for count in counts) < 5 * fair**0.5


def test_what_is_too_small_to_be_shifted_by_a_pixel_stays():
    samples = images(8, 3, 3, 3)
    assert torch.equal(translate(samples, generator()), samples)


@pytest.mark.parametrize(("height", "width"), [(8, 12), (7, 9)])
def test_the_hole_has_half_the_sides_and_lies_as_often_everywhere(height, width):
    samples = torch.ones(MANY, 2, height, width)
    holes = cut_out(samples, generator()) == 0
    assert torch.equal(holes[:, 0], holes[:, 1])
    rows, columns = holes[:, 0].any(2), holes[:, 0].any(1)
    assert torch.equal(holes[:, 0], rows[:, :, None] & columns[:, None, :])
    for covered, side in ((rows, height), (columns, width)):
        size = int(side * 0.5 + 0.5)
        assert covered.sum(1).max() == size
        assert covered.sum(1).min() >= size // 2
        # In a row of the middle, `size` of all places of the hole cover it.
        share = covered[:, side // 2].float().mean().item()
        assert share == pytest.approx(size / (side + 1 - size % 2), abs=0.04)


def test_the_rest_of_an_image_with_a_hole_is_as_it_was():
    samples = images(20, 3, 8, 8)
    holed = cut_out(samples, generator())
    assert ((holed == 0) | (holed == samples)).all()
    assert 0.1 < (holed == 0).float().mean() < 0.3


@pytest.mark.parametrize("policy", [("color",), ("translation",), ("cutout",)])
def test_a_policy_is_its_transform(policy):
    transform = {"color": recolour, "translation": translate, "cutout": cut_out}[policy[0]]
    samples = images(6, 3, 16, 16)
    augmented = apply(build("diffaugment", (3, 16, 16), policy=policy), samples)
    assert torch.equal(augmented, transform(samples, generator()))


def test_transforms_are_applied_in_the_order_of_the_policy():
    samples = images(6, 3, 16, 16)
    draws = generator()
    expected = translate(cut_out(samples, draws), draws)
    augmented = apply(build("diffaugment", policy=("cutout", "translation")), samples)
    assert torch.equal(augmented, expected)


def test_each_transform_is_applied_with_its_probability():
    samples = torch.ones(MANY, 1, 8, 8)
    augmented = apply(build("diffaugment", policy=("color", "cutout"), p=0.25), samples)
    holed = (augmented == 0).flatten(1).any(1)
    # Of ones, contrast changes nothing and brightness moves all: the largest number tells.
    brighter = augmented.flatten(1).abs().amax(1) != 1
    for applied, probability in ((holed, 1 / 4), (brighter, 1 / 4), (holed & brighter, 1 / 16)):
        assert applied.float().mean().item() == pytest.approx(probability, abs=0.03)


@given(
    height=st.integers(1, 6), width=st.integers(1, 6), channels=st.integers(1, 4), data=st.data()
)
@settings(max_examples=30, deadline=None)
def test_pixels_are_taken_from_where_it_is_said(height, width, channels, data):
    samples = images(2, channels, height, width)
    places = st.lists(st.integers(0, height - 1), min_size=height, max_size=height)
    rows = torch.tensor([data.draw(places), data.draw(places)])
    places = st.lists(st.integers(0, width - 1), min_size=width, max_size=width)
    columns = torch.tensor([data.draw(places), data.draw(places)])
    expected = torch.stack([samples[b][:, rows[b]][:, :, columns[b]] for b in range(2)])
    assert torch.equal(take(samples, rows, columns), expected)
    again = take(samples.to(memory_format=torch.channels_last), rows, columns)
    assert torch.equal(again, expected)


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ((), "policy must name at least one transform"),
        (("cutout", "color", "cutout"), "policy names a transform twice: cutout, color, cutout"),
    ],
)
def test_a_policy_without_sense_is_refused(policy, message):
    with pytest.raises(ValueError, match=message):
        DiffAugmentOptions(policy=policy)
