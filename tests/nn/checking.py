"""Derivatives of a block against finite differences."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.autograd import gradcheck, gradgradcheck
from torch.func import functional_call


def assert_differentiable_twice(block: nn.Module, *inputs: Tensor) -> None:
    """The first and second derivatives, by inputs and parameters, are those of the function.

    In float64. The block computes in the mode that it is in, and has to be at rest there.
    """
    block = copy.deepcopy(block).double()
    names = [name for name, _ in block.named_parameters()]
    given = [
        it.double().detach().requires_grad_() if it.is_floating_point() else it for it in inputs
    ]

    def compute(*tensors: Tensor) -> Tensor:
        arguments, weights = tensors[: len(inputs)], tensors[len(inputs) :]
        return functional_call(block, dict(zip(names, weights, strict=True)), arguments)

    # Moved a little: with biases of 0 a rectifier would be at its kink.
    generator = torch.Generator().manual_seed(3)
    weights = [
        (it.detach() + 0.1 * torch.rand(it.shape, generator=generator)).requires_grad_()
        for it in block.parameters()
    ]
    assert gradcheck(compute, (*given, *weights))
    assert gradgradcheck(compute, (*given, *weights))
