"""Self-attention, against the equations place by place."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.functional import max_pool2d

from ganforge.nn import SelfAttention, SpectralNorm, spectral_norm


@pytest.mark.parametrize("pool", [False, True])
@pytest.mark.parametrize("sides", [(2, 3), (5, 4)])
def test_each_place_attends_as_the_equations_say(pool, sides):
    torch.manual_seed(0)
    block = SelfAttention(16, pool=pool, initial_gamma=0.7).double()
    features = torch.randn(2, 16, *sides, dtype=torch.float64)
    # f, g and h of the paper are key, query and value.
    weights = {name: getattr(block, name).weight[:, :, 0, 0] for name in ("query", "key", "value")}
    projected = {name: torch.einsum("oc,bchw->bohw", it, features) for name, it in weights.items()}
    if pool:
        projected |= {name: max_pool2d(projected[name], 2) for name in ("key", "value")}
    scores = torch.einsum("bcj,bci->bji", *(projected[it].flatten(2) for it in ("query", "key")))
    attention = scores.exp() / scores.exp().sum(2, keepdim=True)
    attended = torch.einsum("bji,bci->bcj", attention, projected["value"].flatten(2))
    change = torch.einsum("oc,bcj->boj", block.output.weight[:, :, 0, 0], attended)
    expected = features + 0.7 * change.view_as(features)
    torch.testing.assert_close(block(features), expected)


def test_the_network_begins_without_attention():
    block = SelfAttention(16)
    features = torch.randn(2, 16, 4, 4)
    assert block.gamma.item() == 0
    assert torch.equal(block(features), features)
    block(features).square().sum().backward()
    assert block.gamma.grad.abs() > 0
    assert not block.query.weight.grad.any()


def test_the_widths_are_those_of_the_authors():
    block = SelfAttention(64)
    widths = {name: tuple(it.shape[:2]) for name, it in block.named_parameters() if it.dim()}
    assert widths == {
        "query.weight": (8, 64),
        "key.weight": (8, 64),
        "value.weight": (32, 64),
        "output.weight": (64, 32),
    }
    assert SelfAttention(1).query.out_channels == SelfAttention(1).value.out_channels == 1
    assert SelfAttention(64, reduction=2).key.out_channels == 32


def test_a_norm_is_applied_to_each_convolution():
    block = SelfAttention(16, norm=spectral_norm)
    layers = [it for it in block.children() if isinstance(it, SpectralNorm)]
    assert [type(it.module) for it in layers] == [nn.Conv2d] * 4
    assert block(torch.randn(2, 16, 3, 3)).shape == (2, 16, 3, 3)


def test_the_gradient_penalty_of_a_network_with_attention_reaches_its_weights():
    torch.manual_seed(0)
    block = SelfAttention(8, initial_gamma=1.0)
    features = torch.randn(2, 8, 3, 3, requires_grad=True)
    (gradients,) = torch.autograd.grad(block(features).sum(), features, create_graph=True)
    gradients.square().sum().backward()
    assert all(it.grad.abs().max() > 0 for it in block.parameters())
