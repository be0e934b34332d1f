"""Layers with an equalised learning rate, against torch's with the scaled weights."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import conv2d, linear

from ganforge.nn import EqualizedConv2d, EqualizedLinear


@settings(deadline=None, max_examples=25)
@given(
    fan_in=st.integers(1, 6),
    fan_out=st.integers(1, 6),
    bias=st.booleans(),
    gain=st.sampled_from([1.0, 2**0.5]),
    multiplier=st.sampled_from([1.0, 0.01, 2.0]),
)
def test_a_linear_layer_scales_weight_and_bias(fan_in, fan_out, bias, gain, multiplier):
    layer = EqualizedLinear(
        fan_in, fan_out, bias=bias, gain=gain, lr_multiplier=multiplier, bias_init=0.5
    )
    inputs = torch.randn(3, fan_in)
    weight = layer.weight * multiplier * gain / fan_in**0.5
    expected = linear(inputs, weight) + (0.5 if bias else 0)
    torch.testing.assert_close(layer(inputs), expected, rtol=1e-4, atol=1e-5)
    assert set(layer.state_dict()) == {"weight", "bias"} - (set() if bias else {"bias"})


@settings(deadline=None, max_examples=25)
@given(
    kernel=st.integers(1, 4),
    stride=st.integers(1, 2),
    padding=st.integers(0, 2),
    multiplier=st.sampled_from([1.0, 0.1]),
)
def test_a_convolution_scales_weight_and_bias(kernel, stride, padding, multiplier):
    layer = EqualizedConv2d(
        2, 3, kernel, stride=stride, padding=padding, gain=1.5, lr_multiplier=multiplier
    )
    torch.nn.init.normal_(layer.bias)
    features = torch.randn(2, 2, 5, 6)
    scale = multiplier * 1.5 / (2 * kernel**2) ** 0.5
    expected = conv2d(features, layer.weight * scale, layer.bias * multiplier, stride, padding)
    torch.testing.assert_close(layer(features), expected)


@pytest.mark.parametrize("multiplier", [1.0, 0.01])
def test_the_variance_is_kept_whatever_the_multiplier(multiplier):
    torch.manual_seed(0)
    layer = EqualizedLinear(400, 400, lr_multiplier=multiplier)
    conv = EqualizedConv2d(64, 64, 3, lr_multiplier=multiplier)
    assert layer.weight.std().item() == pytest.approx(1 / multiplier, rel=0.01)
    assert layer(torch.randn(100, 400)).std().item() == pytest.approx(1, rel=0.05)
    assert conv(torch.randn(4, 64, 8, 8)).std().item() == pytest.approx(1, rel=0.05)


def test_the_gain_keeps_the_second_moment_behind_a_rectifier():
    torch.manual_seed(0)
    layer = EqualizedLinear(400, 400, gain=2**0.5)
    moment = layer(torch.randn(200, 400)).relu().square().mean()
    assert moment.item() == pytest.approx(1, rel=0.05)


def test_a_step_of_adam_moves_the_effective_weight_by_the_multiplier():
    moves = []
    for multiplier in (1.0, 0.01):
        torch.manual_seed(0)
        layer = EqualizedLinear(5, 5, lr_multiplier=multiplier)
        before = layer(torch.eye(5)).detach()
        layer(torch.eye(5)).sum().backward()
        torch.optim.Adam(layer.parameters(), lr=0.01).step()
        moves.append((layer(torch.eye(5)) - before).abs().mean().item())
    assert moves[1] / moves[0] == pytest.approx(0.01, rel=1e-3)


def test_what_a_layer_is_made_of_is_printed():
    assert repr(EqualizedLinear(3, 2, lr_multiplier=0.01)) == (
        "EqualizedLinear(3, 2, bias=True, gain=1, lr_multiplier=0.01)"
    )
    assert repr(EqualizedConv2d(3, 2, 5, stride=2, bias=False)) == (
        "EqualizedConv2d(3, 2, kernel_size=5, stride=2, padding=0, bias=False, gain=1, "
        "lr_multiplier=1)"
    )
