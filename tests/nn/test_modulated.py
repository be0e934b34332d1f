"""The modulated convolution, against the equations with weights of each sample's own."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.functional import conv2d

from ganforge.nn import Downsample2d, ModulatedConv2d, Upsample2d


def weights_of(block: ModulatedConv2d, style: Tensor) -> Tensor:
    """Equations 1 and 3: the weights `[C', C, k, k]` of one sample."""
    scaled = block.weight / block.weight[0].numel() ** 0.5
    modulated = block.affine(style[None])[0][None, :, None, None] * scaled
    if not block.demodulate:
        return modulated
    return modulated / (modulated.square().sum((1, 2, 3), keepdim=True) + block.eps).sqrt()


def sample_by_sample(block: ModulatedConv2d, features: Tensor, style: Tensor) -> Tensor:
    padding = block.weight.shape[2] // 2
    rows = [
        conv2d(it[None], weights_of(block, own), block.bias, padding=padding)
        for it, own in zip(features, style, strict=True)
    ]
    return torch.cat(rows)


@settings(deadline=None, max_examples=40)
@given(
    channels=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    side=st.sampled_from([1, 3, 5]),
    shape=st.tuples(st.integers(1, 6), st.integers(1, 6)),
    demodulate=st.booleans(),
    seed=st.integers(0, 99),
)
def test_the_output_is_that_of_weights_for_each_sample(channels, side, shape, demodulate, seed):
    torch.manual_seed(seed)
    block = ModulatedConv2d(*channels, side, 3, demodulate=demodulate).double()
    nn.init.normal_(block.bias)
    features = torch.randn(2, channels[0], *shape, dtype=torch.float64)
    style = torch.randn(2, 3, dtype=torch.float64)
    expected = sample_by_sample(block, features, style)
    torch.testing.assert_close(block(features, style), expected)


@pytest.mark.parametrize("taps", [(1, 3, 3, 1), (1, 2, 1), (1, 1), (1, 2, 3, 4, 5)])
@pytest.mark.parametrize("side", [1, 3, 5])
@pytest.mark.parametrize(("height", "width"), [(12, 14), (13, 11)])
def test_resampling_is_that_of_its_own_layer_but_for_the_borders(taps, side, height, width):
    torch.manual_seed(0)
    features = torch.randn(2, 3, height, width, dtype=torch.float64)
    style = torch.randn(2, 4, dtype=torch.float64)
    plain = ModulatedConv2d(3, 2, side, 4).double()
    margin = slice(4, -4)
    up = ModulatedConv2d(3, 2, side, 4, resample="up", taps=taps).double()
    up.load_state_dict(plain.state_dict())
    expected = plain(Upsample2d(taps).double()(features), style)
    found = up(features, style)
    assert found.shape == (2, 2, 2 * height, 2 * width)
    torch.testing.assert_close(found[..., margin, margin], expected[..., margin, margin])
    down = ModulatedConv2d(3, 2, side, 4, resample="down", taps=taps).double()
    down.load_state_dict(plain.state_dict())
    expected = Downsample2d(taps).double()(plain(features, style))
    found = down(features, style)
    assert found.shape == (2, 2, height // 2, width // 2)
    margin = slice(2, -2)
    torch.testing.assert_close(found[..., margin, margin], expected[..., margin, margin])


@pytest.mark.parametrize("resample", ["none", "up", "down"])
def test_the_variance_is_kept_for_any_style(resample):
    torch.manual_seed(0)
    block = ModulatedConv2d(64, 64, 3, 8, resample=resample, taps=(1, 1))
    outputs = block(torch.randn(8, 64, 16, 16), 5 * torch.randn(8, 8))
    # The average of four independent numbers has half their deviation.
    expected = 0.5 if resample == "down" else 1.0
    assert outputs[..., 2:-2, 2:-2].std().item() == pytest.approx(expected, rel=0.1)


def test_the_first_scales_are_one_on_average_and_a_style_without_numbers_leaves_them():
    block = ModulatedConv2d(3, 2, 3, 4)
    assert torch.equal(block.affine(torch.zeros(1, 4)), torch.ones(1, 3))
    assert sorted(block.state_dict()) == ["affine.bias", "affine.weight", "bias", "weight"]


def test_demodulation_forgets_the_length_of_the_style():
    torch.manual_seed(0)
    block = ModulatedConv2d(3, 2, 3, 4, eps=0.0)
    nn.init.zeros_(block.affine.bias)
    features, style = torch.randn(2, 3, 5, 5), torch.randn(2, 4)
    torch.testing.assert_close(block(features, style), block(features, 10 * style))


def test_an_even_kernel_is_an_error():
    with pytest.raises(ValueError, match="kernel_size must be odd, to keep the size; got 4"):
        ModulatedConv2d(2, 2, 4, 3)


def test_what_a_block_is_made_of_is_printed():
    text = repr(ModulatedConv2d(3, 2, 1, 4, demodulate=False, resample="up"))
    assert text.startswith("ModulatedConv2d(\n  3, 2, 1, demodulate=False\n")
    assert "(resample): Upsample2d" in text
