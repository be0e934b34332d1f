"""Spectral normalisation, as a wrapper that can be copied and pickled.

The parametrization of torch (`torch.nn.utils.parametrizations.spectral_norm`) computes the same
function, but replaces the class of the layer, and such a class cannot be pickled.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.linalg import vector_norm
from torch.nn.functional import normalize

from .projection import Projection

INITIAL_ITERATIONS = 15  # enough for a useful estimate before the first pass in training

_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
_LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d, *_TRANSPOSED, Projection)


class SpectralNorm(nn.Module):
    """A layer whose weight is divided by its largest singular value σ.

    Spectral normalisation: Miyato et al., 2018 (arXiv:1802.05957, equation 8 and algorithm 1). The
    weight is read as a matrix W with one row per output channel, or per class of an embedding. Two
    vectors follow its largest singular value by power iteration, v ∝ Wᵀu and u ∝ Wv, and σ = ‖Wv‖:
    the paper's uᵀWv, but for weights that have changed since u was computed (an average of weights,
    say) it is nearer to the truth and never negative.

    The vectors move in a forward pass in training mode, with gradients enabled, of a weight that
    requires one. In evaluation mode, under `torch.no_grad()` and with a frozen weight they are at
    rest: equal inputs give equal outputs. The gradient passes through σ and can be differentiated
    again; any number of passes may precede the backward pass.

    Args:
        module: a layer with a parameter `weight` of two or more dimensions. Its parameters stay
            where they are, so the state has `module.weight` beside the buffers `u` and `v`.
        iterations: power iterations per forward pass in training; the paper makes one.
        eps: smallest length that a vector, and σ, is divided by.

    Raises:
        ValueError: the layer has no such weight, or iterations is below 1.
    """

    #: The buffers that an average of the weights also averages: none. An average of unit vectors is
    #: no unit vector; the latest ones are the best estimate for averaged weights too.
    averaged_buffers: ClassVar[tuple[str, ...]] = ()

    u: Tensor
    v: Tensor

    def __init__(self, module: nn.Module, *, iterations: int = 1, eps: float = 1e-12) -> None:
        super().__init__()
        weight = getattr(module, "weight", None)
        if not isinstance(weight, nn.Parameter) or weight.dim() < 2:
            found = list(weight.shape) if isinstance(weight, Tensor) else "none"
            raise ValueError(
                "spectral normalisation needs a layer with a weight of two or more dimensions; "
                f"{type(module).__name__} has {found}"
            )
        if iterations < 1:
            raise ValueError(f"iterations must be at least 1, not {iterations}")
        self.module = module
        self.iterations = iterations
        self.eps = eps
        rows, columns = self._matrix().shape
        self.register_buffer("u", weight.new_empty(rows))
        self.register_buffer("v", weight.new_empty(columns))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the vectors anew, and bring them near the singular vectors of the weight."""
        nn.init.normal_(self.u)
        self._iterate(INITIAL_ITERATIONS)

    @property
    def weight(self) -> Tensor:
        """The normalised weight, shaped as the layer's. Reading it moves no vector."""
        raw = self._raw_weight()
        with _without_autocast(raw.device):
            # Cloned, so that the next pass may move the vector before this one's backward pass.
            sigma: Tensor = vector_norm(torch.mv(self._matrix(), self.v.clone()))
            return raw / sigma.clamp_min(self.eps)

    def forward(self, *inputs: Any, **named: Any) -> Any:
        """Apply the layer, with its weight normalised, to the inputs."""
        if self.training and torch.is_grad_enabled() and self._raw_weight().requires_grad:
            self._iterate(self.iterations)
        return functional_call(self.module, {"weight": self.weight}, inputs, named)

    def extra_repr(self) -> str:
        return f"iterations={self.iterations}, eps={self.eps:g}"

    def _raw_weight(self) -> Tensor:
        weight = self.module.weight
        assert isinstance(weight, Tensor)
        return weight

    def _matrix(self) -> Tensor:
        weight = self._raw_weight()
        if isinstance(self.module, _TRANSPOSED):  # whose first dimension is that of the inputs
            weight = weight.transpose(0, 1)
        return weight.flatten(1)

    @torch.no_grad()
    def _iterate(self, iterations: int) -> None:
        matrix = self._matrix()
        with _without_autocast(matrix.device):
            for _ in range(iterations):
                self.v.copy_(normalize(torch.mv(matrix.mT, self.u), dim=0, eps=self.eps))
                self.u.copy_(normalize(torch.mv(matrix, self.v), dim=0, eps=self.eps))


def spectral_norm(module: nn.Module, *, iterations: int = 1) -> nn.Module:
    """Apply spectral normalisation to a layer, or to every layer of a network.

    A single layer is returned within `SpectralNorm`. In a network each linear layer, convolution
    and `Projection` is replaced in place, and the network itself is returned; a layer that stands
    in two places stays one layer, and what is normalised already stays as it is. Embeddings are
    wrapped only where they are given alone: those of a conditional normalisation hold gains.

    Raises:
        ValueError: there is nothing to normalise.
    """
    if isinstance(module, SpectralNorm):
        return module
    if isinstance(module, _LAYERS):
        return SpectralNorm(module, iterations=iterations)
    wrapped: dict[nn.Module, SpectralNorm] = {}
    parents = [it for it in module.modules() if not isinstance(it, SpectralNorm)]
    for parent in parents:
        for name, child in list(parent._modules.items()):
            if not isinstance(child, _LAYERS) or child.weight is None:
                continue
            if child not in wrapped:
                wrapped[child] = SpectralNorm(child, iterations=iterations)
            setattr(parent, name, wrapped[child])
    if not wrapped and not any(isinstance(it, SpectralNorm) for it in module.modules()):
        return SpectralNorm(module, iterations=iterations)
    return module


def _without_autocast(device: torch.device) -> AbstractContextManager[object]:
    """Keeps float32: eight bits of a singular value are too few to divide a weight by."""
    if device.type == "meta":  # which knows no autocast
        return nullcontext()
    return torch.autocast(device.type, enabled=False)
