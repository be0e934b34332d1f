"""Self-attention over the places of an image (Zhang et al., 2019, arXiv:1805.08318)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d


class SelfAttention(nn.Module):
    """Features `[B, C, H, W]` to `[B, C, H, W]`: x + γ · what each place attends to.

    Zhang et al., 2019 (SAGAN, arXiv:1805.08318, equations 1 to 3). Queries and keys have
    C / reduction channels, values C / 2 as in the authors' code. The memory is that of (H·W)²
    weights per sample, or a fourth of it with pooled keys and values.

    γ is learnt and starts at 0, so that the network begins as it is without attention; then the
    four convolutions have no gradient in the first step. It can be differentiated twice, for which
    the weights are computed openly: torch's fused attention cannot.

    Args:
        channels: C.
        reduction: 8 in the paper; there is one channel at least.
        pool: keys and values are pooled over 2x2 places, as in the authors' code; then H and W are
            at least 2.
        norm: applied to each of the four convolutions, such as `spectral_norm`, as in the paper.
        initial_gamma: first γ.
    """

    def __init__(
        self,
        channels: int,
        *,
        reduction: int = 8,
        pool: bool = False,
        norm: Callable[[nn.Module], nn.Module] | None = None,
        initial_gamma: float = 0.0,
    ) -> None:
        super().__init__()
        inner, half = max(channels // reduction, 1), max(channels // 2, 1)

        def conv(fan_in: int, fan_out: int) -> nn.Module:
            layer = nn.Conv2d(fan_in, fan_out, 1, bias=False)
            return layer if norm is None else norm(layer)

        self.pool = pool
        self.initial_gamma = initial_gamma
        self.query = conv(channels, inner)
        self.key = conv(channels, inner)
        self.value = conv(channels, half)
        self.output = conv(half, channels)
        self.gamma = nn.Parameter(torch.empty(()))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set γ to its first value."""
        nn.init.constant_(self.gamma, self.initial_gamma)

    def forward(self, features: Tensor) -> Tensor:
        height, width = features.shape[2:]
        queries: Tensor = self.query(features).flatten(2)
        keys: Tensor = self._pooled(self.key(features)).flatten(2)
        values: Tensor = self._pooled(self.value(features)).flatten(2)
        attention = (queries.mT @ keys).softmax(2)  # [B, places, places attended to]
        attended = values @ attention.mT
        change: Tensor = self.output(attended.reshape(*attended.shape[:2], height, width))
        return features + self.gamma * change

    def extra_repr(self) -> str:
        return f"pool={self.pool}"

    def _pooled(self, features: Tensor) -> Tensor:
        return max_pool2d(features, 2) if self.pool else features
