"""What holds of every building block: copies, files, memory formats, devices and derivatives."""

from __future__ import annotations

import copy
import inspect
import pickle
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import pytest
import torch
from torch import Tensor, nn

import ganforge.nn as blocks

from .checking import assert_differentiable_twice

LABELS = torch.tensor([2, 0, 2])


class Case(NamedTuple):
    build: Callable[[], nn.Module]
    inputs: tuple[Tensor, ...]


def images(channels: int, height: int = 4, width: int = 4) -> Tensor:
    return torch.randn(3, channels, height, width, generator=torch.Generator().manual_seed(1))


def vectors(size: int) -> Tensor:
    return torch.randn(3, size, generator=torch.Generator().manual_seed(2))


def spectral(layer: Callable[[], nn.Module]) -> nn.Module:
    return blocks.SpectralNorm(layer())


CASES: dict[str, Case] = {
    "SpectralNorm linear": Case(partial(spectral, partial(nn.Linear, 4, 3)), (vectors(4),)),
    "SpectralNorm conv": Case(partial(spectral, partial(nn.Conv2d, 2, 3, 3)), (images(2),)),
    "SpectralNorm transposed": Case(
        partial(spectral, partial(nn.ConvTranspose2d, 2, 3, 3)), (images(2, 3, 2),)
    ),
    "SpectralNorm embedding": Case(partial(spectral, partial(nn.Embedding, 3, 2)), (LABELS,)),
    "LabelEmbedding": Case(partial(blocks.LabelEmbedding, 3, 2), (LABELS,)),
    "OneHot": Case(partial(blocks.OneHot, 3), (LABELS,)),
    "JoinedLatents": Case(partial(blocks.JoinedLatents, 4), (vectors(4),)),
    "JoinedLatents labels": Case(partial(blocks.JoinedLatents, 4, 3), (vectors(4), LABELS)),
    "JoinedLatents vectors": Case(
        partial(blocks.JoinedLatents, 4, condition_size=2, size=3), (vectors(4), vectors(2))
    ),
    "Projection": Case(partial(blocks.Projection, 4, 3), (vectors(4), LABELS)),
    "Projection vectors": Case(
        partial(blocks.Projection, 4, condition_size=2), (vectors(4), vectors(2))
    ),
    "ProjectionScore": Case(partial(blocks.ProjectionScore, 4, 3), (vectors(4), LABELS)),
    "ProjectionScore alone": Case(partial(blocks.ProjectionScore, 4), (vectors(4),)),
    "ConditionalNorm": Case(
        lambda: blocks.ConditionalNorm(nn.GroupNorm(2, 4, affine=False), 4, 3), (images(4), LABELS)
    ),
    "ConditionalBatchNorm2d": Case(
        partial(blocks.ConditionalBatchNorm2d, 2, 3), (images(2), LABELS)
    ),
    "ConditionalBatchNorm2d vectors": Case(
        partial(blocks.ConditionalBatchNorm2d, 2, condition_size=2), (images(2), vectors(2))
    ),
    "ConditionalBatchNorm2d alone": Case(partial(blocks.ConditionalBatchNorm2d, 2), (images(2),)),
    "AdaptiveInstanceNorm2d": Case(
        partial(blocks.AdaptiveInstanceNorm2d, 2, 3), (images(2), vectors(3))
    ),
    "PixelNorm": Case(blocks.PixelNorm, (images(3, 2, 2),)),
    "EqualizedLinear": Case(
        partial(blocks.EqualizedLinear, 4, 3, lr_multiplier=0.5, bias_init=1.0), (vectors(4),)
    ),
    "EqualizedConv2d": Case(
        partial(blocks.EqualizedConv2d, 2, 3, 3, padding=1), (images(2, 3, 3),)
    ),
    "ModulatedConv2d": Case(
        partial(blocks.ModulatedConv2d, 2, 3, 3, 2), (images(2, 3, 2), vectors(2))
    ),
    "ModulatedConv2d up": Case(
        partial(blocks.ModulatedConv2d, 2, 2, 3, 2, resample="up"), (images(2, 2, 3), vectors(2))
    ),
    "ModulatedConv2d down": Case(
        partial(blocks.ModulatedConv2d, 2, 2, 3, 2, resample="down"), (images(2), vectors(2))
    ),
    "MinibatchStd": Case(partial(blocks.MinibatchStd, 2, num_features=2), (images(4, 2, 2),)),
    "SelfAttention": Case(partial(blocks.SelfAttention, 4, initial_gamma=0.5), (images(4, 2, 3),)),
    "SelfAttention pooled": Case(
        partial(blocks.SelfAttention, 4, pool=True, initial_gamma=0.5), (images(4, 3, 4),)
    ),
    "Blur": Case(blocks.Blur, (images(2, 5, 4),)),
    "Upsample2d": Case(blocks.Upsample2d, (images(2, 3, 2),)),
    "Downsample2d": Case(blocks.Downsample2d, (images(2, 5, 4),)),
    "ToImage": Case(partial(blocks.ToImage, 3, 1), (images(3, 2, 3),)),
    "ToImage colour": Case(partial(blocks.ToImage, 2, 3, (3, 4)), (images(2, 2, 2),)),
    "PatchesToImage": Case(partial(blocks.PatchesToImage, 3, (3, 4)), (images(3, 2, 2),)),
    "ResidualUp": Case(partial(blocks.ResidualUp, 2, 2, 3), (images(2, 2, 2), LABELS)),
    "ResidualDown": Case(partial(blocks.ResidualDown, 2, 3), (images(2),)),
}
EVERY = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
#: A sample's output depends on others of its batch by design.
BATCHED = {"MinibatchStd"}


def built(case: Case) -> nn.Module:
    torch.manual_seed(0)
    return case.build()


def test_every_class_has_a_case() -> None:
    abstract = {"ConditionVectors"}
    classes = {name for name in blocks.__all__ if inspect.isclass(getattr(blocks, name))}
    assert {name.split()[0] for name in CASES} == classes - abstract
    assert blocks.__all__ == sorted(blocks.__all__)


@EVERY
def test_a_block_is_the_same_after_a_copy_and_a_pickle(case: Case) -> None:
    block = built(case)
    output = block(*case.inputs)
    if output.requires_grad:
        output.sum().backward()
    expected = block.eval()(*case.inputs)
    assert torch.equal(copy.deepcopy(block)(*case.inputs), expected)
    assert torch.equal(pickle.loads(pickle.dumps(block))(*case.inputs), expected)


@EVERY
def test_the_state_holds_what_decides_the_output(case: Case) -> None:
    block, other = built(case), case.build()
    for it in (block, other):
        it(*case.inputs)
    other.load_state_dict(block.state_dict())
    assert torch.equal(other.eval()(*case.inputs), block.eval()(*case.inputs))


@EVERY
def test_a_block_is_at_rest_in_evaluation_mode(case: Case) -> None:
    block = built(case)
    block(*case.inputs)
    before = {name: it.clone() for name, it in block.eval().named_buffers()}
    assert torch.equal(block(*case.inputs), block(*case.inputs))
    assert all(torch.equal(it, before[name]) for name, it in block.named_buffers())


@EVERY
def test_a_sample_is_by_itself_in_evaluation_mode(
    case: Case, request: pytest.FixtureRequest
) -> None:
    if request.node.callspec.id in BATCHED:
        pytest.skip("it compares samples")
    block = built(case).eval()
    together = block(*case.inputs)
    alone = block(*(it[1:2] for it in case.inputs))
    torch.testing.assert_close(together[1:2], alone, rtol=1e-5, atol=1e-6)


@EVERY
def test_a_block_is_differentiated_twice(case: Case) -> None:
    if not any(it.is_floating_point() for it in case.inputs) and not list(built(case).parameters()):
        pytest.skip("there is nothing to differentiate")
    assert_differentiable_twice(built(case).eval(), *case.inputs)


@EVERY
def test_every_parameter_gets_a_gradient_in_training(case: Case) -> None:
    block = built(case)
    output = block(*case.inputs)
    if not list(block.parameters()):
        assert not output.requires_grad
        return
    (output * torch.linspace(-1, 2, output.numel()).view(output.shape)).sum().backward()
    for name, parameter in block.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name


@EVERY
def test_a_block_can_be_built_without_memory_and_filled_later(case: Case) -> None:
    with torch.device("meta"):
        block = case.build()
    tensors = [*block.parameters(), *block.buffers()]
    assert all(it.is_meta for it in tensors)
    block.to_empty(device="cpu")
    for it in (*block.parameters(), *block.buffers()):
        it.detach().fill_(torch.nan if it.is_floating_point() else 0)
    for module in reversed(list(block.modules())):  # a block's layers before the block
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()
    reference = built(case)
    assert set(block.state_dict()) == set(reference.state_dict())
    output = block(*case.inputs)
    assert output.shape == reference(*case.inputs).shape
    assert output.isfinite().all()


@EVERY
def test_the_shape_of_an_output_is_known_without_memory(case: Case) -> None:
    with torch.device("meta"):
        block = case.build()
    output = block(*(it.to("meta") for it in case.inputs))
    assert output.shape == built(case)(*case.inputs).shape


@EVERY
def test_the_memory_format_changes_nothing(case: Case) -> None:
    block = built(case).eval()
    inputs = [
        it.contiguous(memory_format=torch.channels_last) if it.dim() == 4 else it
        for it in case.inputs
    ]
    torch.testing.assert_close(block(*inputs), block(*case.inputs), rtol=1e-5, atol=1e-6)


@EVERY
def test_a_block_computes_under_bfloat16_autocast(case: Case) -> None:
    block = built(case).eval()
    expected = block(*case.inputs)
    with torch.autocast("cpu", torch.bfloat16):
        output = block(*case.inputs)
    difference = (output.float() - expected).abs().max()
    assert difference <= 0.05 * expected.abs().max()


@EVERY
def test_a_block_is_compiled_in_one_graph(case: Case) -> None:
    block = built(case)
    compiled = torch.compile(copy.deepcopy(block), fullgraph=True, backend="eager")
    for _ in range(2):  # the vectors of spectral normalisation move alike
        torch.testing.assert_close(compiled(*case.inputs), block(*case.inputs))


@EVERY
def test_the_inputs_stay_as_they_are(case: Case) -> None:
    before = [it.clone() for it in case.inputs]
    built(case)(*case.inputs)
    assert all(map(torch.equal, case.inputs, before))
