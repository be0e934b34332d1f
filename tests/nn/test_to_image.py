"""The layer before the image, against a transposed convolution and against older layers."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.functional import conv_transpose2d

from ganforge.nn import PatchesToImage, ToImage

SIDE = st.integers(1, 9)


def halves(sides: tuple[int, int]) -> tuple[int, int]:
    return (sides[0] + 1) // 2, (sides[1] + 1) // 2


def transposed(
    features: Tensor, weight: Tensor, bias: Tensor | None, sides: tuple[int, int]
) -> Tensor:
    odd = tuple(side % 2 for side in sides)
    padding = tuple(1 + it for it in odd)
    return conv_transpose2d(features, weight, bias, 2, padding, odd)


@settings(deadline=None, max_examples=50)
@given(batch=st.integers(1, 3), width=st.integers(1, 4), channels=st.integers(1, 3), h=SIDE, w=SIDE)
def test_it_is_a_transposed_convolution(batch, width, channels, h, w):
    layer = ToImage(width, channels, (h, w)).double()
    features = torch.randn(batch, width, *halves((h, w)), dtype=torch.float64)
    images = layer(features)
    assert images.shape == (batch, channels, h, w)
    expected = transposed(features, layer.weight, layer.bias, (h, w))
    torch.testing.assert_close(images, expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("channels", [1, 3])
def test_without_sides_it_doubles_what_it_gets(channels):
    layer = ToImage(4, channels)
    for sides in ((3, 5), (2, 2), (7, 4)):
        features = torch.randn(2, 4, *sides)
        expected = conv_transpose2d(features, layer.weight, layer.bias, 2, 1)
        torch.testing.assert_close(layer(features), expected)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_transposed_convolution_has_the_same_state_and_draws(channels):
    torch.manual_seed(0)
    theirs = nn.ConvTranspose2d(4, channels, 4, stride=2, padding=1)
    torch.manual_seed(0)
    ours = ToImage(4, channels)
    assert isinstance(ours, nn.ConvTranspose2d)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert all(map(torch.equal, ours.parameters(), theirs.parameters()))


def test_a_size_that_is_asked_for_is_given():
    layer = ToImage(4, 1)
    features = torch.randn(2, 4, 3, 3)
    assert layer(features, output_size=[7, 7]).shape == (2, 1, 7, 7)


@settings(deadline=None, max_examples=50)
@given(width=st.integers(1, 4), h=SIDE, w=SIDE)
def test_patches_are_a_transposed_convolution_with_a_bias_for_each_tap(width, h, w):
    layer = PatchesToImage(width, (h, w)).double()
    features = torch.randn(2, width, *halves((h, w)), dtype=torch.float64)
    images = layer(features)
    assert images.shape == (2, 1, h, w)
    products = layer[0]
    taps = products.weight.view(4, 4, width).permute(2, 0, 1)[:, None]
    # A bias per tap is one more channel, of ones, whose taps are the biases.
    ones = torch.ones(2, 1, *halves((h, w)), dtype=torch.float64)
    with_ones = torch.cat([features, ones], 1)
    taps = torch.cat([taps, products.bias.view(1, 1, 4, 4)])
    expected = transposed(with_ones, taps, None, (h, w))
    torch.testing.assert_close(images, expected, rtol=1e-10, atol=1e-10)


def test_patches_have_the_state_and_draws_of_the_layers_that_plugins_had():
    torch.manual_seed(0)
    theirs = nn.Sequential(
        nn.Conv2d(3, 16, 1), nn.Flatten(2), nn.Fold((9, 8), 4, padding=(2, 1), stride=2)
    )
    torch.manual_seed(0)
    ours = PatchesToImage(3, (9, 8))
    assert list(ours.state_dict()) == list(theirs.state_dict()) == ["0.weight", "0.bias"]
    features = torch.randn(2, 3, 5, 4)
    assert torch.equal(ours(features), theirs(features))
