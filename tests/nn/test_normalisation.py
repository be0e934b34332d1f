"""Conditional normalisations against torch's own, class by class, and the pixel norm."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.functional import batch_norm, instance_norm

from ganforge.nn import (
    AdaptiveInstanceNorm2d,
    ConditionalBatchNorm2d,
    ConditionalNorm,
    PixelNorm,
)

LABELS = torch.tensor([2, 0, 2])


def test_labels_give_gain_and_bias_by_class():
    torch.manual_seed(0)
    block = ConditionalBatchNorm2d(4, 3)
    nn.init.normal_(block.bias.weight)
    features = torch.randn(3, 4, 5, 2) * 3 + 1
    normalised = batch_norm(features, None, None, training=True)
    expected = torch.stack(
        [
            block.gain.weight[label][:, None, None] * it + block.bias.weight[label][:, None, None]
            for it, label in zip(normalised, LABELS, strict=True)
        ]
    )
    torch.testing.assert_close(block(features, LABELS), expected)


def test_evaluation_uses_the_statistics_of_training():
    torch.manual_seed(0)
    block = ConditionalBatchNorm2d(2, 3, momentum=1.0)
    features = torch.randn(3, 2, 8, 8) * 3 + 1
    block(features, LABELS)
    mean, variance = features.mean((0, 2, 3)), features.var((0, 2, 3))
    torch.testing.assert_close(block.norm.running_mean, mean)
    torch.testing.assert_close(block.norm.running_var, variance)
    other = torch.randn(3, 2, 4, 4)
    normalised = batch_norm(other, mean, variance)
    gain, bias = (it.weight[LABELS][:, :, None, None] for it in (block.gain, block.bias))
    torch.testing.assert_close(block.eval()(other, LABELS), gain * normalised + bias)


def test_vectors_give_gain_and_bias_by_a_linear_map():
    torch.manual_seed(0)
    block = ConditionalBatchNorm2d(4, condition_size=5)
    features, condition = torch.randn(3, 4, 2, 2), torch.randn(3, 5)
    normalised = batch_norm(features, None, None, training=True)
    gain, bias = (it(condition)[:, :, None, None] for it in (block.gain, block.bias))
    torch.testing.assert_close(block(features, condition), gain * normalised + bias)


def test_without_a_condition_it_is_batch_normalisation():
    block, theirs = ConditionalBatchNorm2d(4), nn.BatchNorm2d(4)
    features = torch.randn(3, 4, 2, 2)
    assert torch.equal(block(features), theirs(features))
    assert list(block.state_dict()) == [f"norm.{name}" for name in theirs.state_dict()]


def test_the_first_gains_differ_a_little_and_the_first_biases_not():
    torch.manual_seed(0)
    block = ConditionalBatchNorm2d(100, 100)
    for _ in range(2):
        assert block.gain.weight.mean().item() == pytest.approx(1, abs=0.001)
        assert block.gain.weight.std().item() == pytest.approx(0.02, rel=0.05)
        assert not block.bias.weight.any()
        nn.init.constant_(block.gain.weight, 7.0)
        nn.init.constant_(block.bias.weight, 7.0)
        block.reset_parameters()


@pytest.mark.parametrize(
    ("block", "std"),
    [
        (ConditionalBatchNorm2d(200, condition_size=30), 0.02),
        (AdaptiveInstanceNorm2d(200, 30), 1.0),
    ],
)
def test_the_gains_of_vectors_have_the_deviation_that_is_said(block, std):
    torch.manual_seed(0)
    block.reset_parameters()
    gains = block.gain(torch.randn(200, 30))
    assert gains.mean().item() == pytest.approx(1, abs=0.05)
    assert gains.std().item() == pytest.approx(std, rel=0.1)
    assert not block.bias(torch.randn(200, 30)).any()


def test_adaptive_instance_norm_is_that_of_the_paper():
    torch.manual_seed(0)
    block = AdaptiveInstanceNorm2d(4, 5)
    nn.init.normal_(block.bias.weight)
    features, style = torch.randn(3, 4, 3, 2) * 2 - 1, torch.randn(3, 5)
    mean = features.mean((2, 3), keepdim=True)
    deviation = (features.var((2, 3), unbiased=False, keepdim=True) + 1e-5).sqrt()
    gain, bias = (it(style)[:, :, None, None] for it in (block.gain, block.bias))
    expected = gain * (features - mean) / deviation + bias
    torch.testing.assert_close(block(features, style), expected, rtol=1e-4, atol=1e-5)
    assert list(block.state_dict()) == ["gain.weight", "gain.bias", "bias.weight", "bias.bias"]


def test_adaptive_instance_norm_by_label():
    block = AdaptiveInstanceNorm2d(4, num_classes=3)
    features = torch.randn(3, 4, 2, 2)
    gain = block.gain.weight[LABELS][:, :, None, None]
    torch.testing.assert_close(block(features, LABELS), gain * instance_norm(features))


@pytest.mark.parametrize(
    ("norm", "shape"),
    [
        (nn.BatchNorm1d(4, affine=False), (3, 4)),
        (nn.GroupNorm(2, 4, affine=False), (3, 4, 5)),
        (nn.BatchNorm3d(4, affine=False), (3, 4, 2, 2, 2)),
    ],
)
def test_any_normalisation_can_have_a_condition(norm, shape):
    block = ConditionalNorm(norm, 4, 3, std=0.5)
    features = torch.randn(shape)
    gain = block.gain.weight[LABELS].view(3, 4, *(1,) * (len(shape) - 2))
    torch.testing.assert_close(block(features, LABELS), gain * norm(features))


@pytest.mark.parametrize(
    ("block", "condition", "message"),
    [
        (ConditionalBatchNorm2d(2), torch.tensor([1]), "expects no condition; got one"),
        (ConditionalBatchNorm2d(2, 3), None, "expects a condition; got none"),
    ],
)
def test_a_condition_that_does_not_fit_is_an_error(block, condition, message):
    with pytest.raises(ValueError, match=message):
        block(torch.randn(1, 2, 2, 2), condition)


def test_a_condition_is_labels_or_vectors_and_a_style_is_needed():
    with pytest.raises(ValueError, match="num_classes and condition_size are given"):
        ConditionalBatchNorm2d(2, 3, condition_size=4)
    with pytest.raises(ValueError, match="an adaptive norm needs a condition"):
        AdaptiveInstanceNorm2d(2)


@settings(deadline=None, max_examples=25)
@given(
    shape=st.lists(st.integers(1, 4), min_size=2, max_size=4),
    scale=st.floats(1e-2, 1e3),
)
def test_the_pixel_norm_leaves_a_mean_square_of_one(shape, scale):
    features = (torch.rand(shape, dtype=torch.float64) + 0.1) * scale
    normed = PixelNorm()(features)
    assert normed.shape == features.shape
    torch.testing.assert_close(
        normed.square().mean(1), torch.ones_like(normed[:, 0]), rtol=0, atol=0.01
    )
    torch.testing.assert_close(normed / normed[:, :1], features / features[:, :1])


def test_the_pixel_norm_of_zero_is_zero():
    assert not PixelNorm()(torch.zeros(1, 3)).any()
