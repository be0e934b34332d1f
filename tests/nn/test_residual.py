"""Residual blocks, against the formulas of their branches."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.functional import avg_pool2d, interpolate, relu

from ganforge.nn import ResidualDown, ResidualUp, SpectralNorm, spectral_norm

LABELS = torch.tensor([1, 0])


@pytest.mark.parametrize("sides", [(4, 4), (3, 5)])
def test_the_sides_are_doubled(sides):
    torch.manual_seed(0)
    block = ResidualUp(3, 5, 2).eval()
    features = torch.randn(2, 3, *sides)
    hidden = interpolate(relu(block.norm1(features, LABELS)), scale_factor=2.0, mode="nearest")
    hidden = block.conv2(relu(block.norm2(block.conv1(hidden), LABELS)))
    shortcut = block.shortcut(interpolate(features, scale_factor=2.0, mode="nearest"))
    found = block(features, LABELS)
    assert found.shape == (2, 5, 2 * sides[0], 2 * sides[1])
    torch.testing.assert_close(found, hidden + shortcut)


@pytest.mark.parametrize("halve", [True, False])
@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("sides", [(4, 4), (7, 5)])
def test_the_sides_are_halved(halve, first, sides):
    torch.manual_seed(0)
    block = ResidualDown(3, 5, halve=halve, first=first)
    features = torch.randn(2, 3, *sides)
    hidden = block.conv2(relu(block.conv1(features if first else relu(features))))
    expected = block.shortcut(features) + hidden
    if halve:
        expected = avg_pool2d(expected, 2)
    torch.testing.assert_close(block(features), expected)


def test_features_that_keep_their_shape_keep_what_they_are():
    block = ResidualDown(3, 3, halve=False, norm=spectral_norm)
    with torch.no_grad():
        block.conv2.module.weight.zero_()
    features = torch.randn(2, 3, 4, 4)
    assert torch.equal(block(features), features)
    for other in (ResidualDown(3, 3), ResidualDown(3, 5, halve=False)):
        assert isinstance(other.shortcut, nn.Conv2d)


def test_the_condition_enters_by_both_normalisations():
    block = ResidualUp(3, 5, condition_size=4)
    assert block.norm1.gain.in_features == block.norm2.gain.in_features == 4
    features = torch.randn(2, 3, 4, 4)
    assert (block(features, torch.randn(2, 4)) - block(features, torch.randn(2, 4))).any()
    assert ResidualUp(3, 5)(features).shape == (2, 5, 8, 8)


@pytest.mark.parametrize("build", [ResidualUp, ResidualDown])
def test_a_norm_is_applied_to_each_convolution(build):
    block = build(3, 5, norm=spectral_norm)
    wrapped = [name for name, it in block.named_modules() if isinstance(it, SpectralNorm)]
    assert wrapped == ["conv1", "conv2", "shortcut"]


def test_the_first_weights_are_those_of_glorot_and_the_first_biases_zero():
    torch.manual_seed(0)
    block = ResidualDown(64, 64)
    bounds = {"conv1": (2 * 6 / (9 * 128)) ** 0.5, "shortcut": (6 / 128) ** 0.5}
    for name, bound in bounds.items():
        layer = getattr(block, name)
        assert 0.99 * bound < layer.weight.abs().max() <= bound
        assert not layer.bias.any()
    assert all(not isinstance(it, nn.BatchNorm2d) for it in block.modules())
