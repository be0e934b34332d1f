"""Residual blocks that change the resolution (Gulrajani et al., 2017, arXiv:1704.00028)."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, relu

from .normalisation import ConditionalBatchNorm2d

Norm = Callable[[nn.Module], nn.Module]


class ResidualUp(nn.Module):
    """Features `[B, C, H, W]` and their condition to features `[B, C', 2 H, 2 W]`.

    The generator's block of Gulrajani et al., 2017, with the conditional batch normalisation of
    Miyato & Koyama, 2018 (arXiv:1802.05637, section 4): nearest-neighbour enlargement, two
    convolutions, and a shortcut of one. Without a condition it is the plain block.

    Args:
        in_channels: C.
        out_channels: C'.
        num_classes: K, where the condition is labels.
        condition_size: V, where the condition is vectors.
        norm: applied to each convolution, such as `spectral_norm`.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        num_classes: int | None = None,
        *,
        condition_size: int | None = None,
        norm: Norm | None = None,
    ) -> None:
        super().__init__()
        self.norm1 = ConditionalBatchNorm2d(in_channels, num_classes, condition_size=condition_size)
        self.norm2 = ConditionalBatchNorm2d(
            out_channels, num_classes, condition_size=condition_size
        )
        # Without bias: normalisation takes that of the first away again, and the next block's that
        # of the others.
        self.conv1 = _conv(in_channels, out_channels, 3, norm, bias=False)
        self.conv2 = _conv(out_channels, out_channels, 3, norm, bias=False)
        self.shortcut = _conv(in_channels, out_channels, 1, norm, bias=False)

    def forward(self, features: Tensor, condition: Tensor | None = None) -> Tensor:
        change: Tensor = self.conv1(_doubled(relu(self.norm1(features, condition))))
        change = self.conv2(relu(self.norm2(change, condition)))
        # A 1x1 convolution and nearest neighbours change places freely, and this way is cheaper.
        return _doubled(self.shortcut(features)) + change


class ResidualDown(nn.Module):
    """Features `[B, C, H, W]` to `[B, C', ⌊H/2⌋, ⌊W/2⌋]`, or `[B, C', H, W]`; no normalisation.

    The discriminator's block of Gulrajani et al., 2017 (arXiv:1704.00028), which a gradient penalty
    or spectral normalisation holds in place. Where the features keep their shape the shortcut is
    the identity, as there and in SNGAN (Miyato et al., 2018); otherwise it is a convolution.

    Args:
        in_channels: C.
        out_channels: C'.
        halve: whether the sides are halved, by the average over 2x2 pixels.
        first: whether the block sees the image, which no activation is to cut.
        norm: applied to each convolution, such as `spectral_norm`.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        halve: bool = True,
        first: bool = False,
        norm: Norm | None = None,
    ) -> None:
        super().__init__()
        self.halve = halve
        self.first = first
        self.conv1 = _conv(in_channels, out_channels, 3, norm)
        self.conv2 = _conv(out_channels, out_channels, 3, norm)
        same = in_channels == out_channels and not halve
        self.shortcut = nn.Identity() if same else _conv(in_channels, out_channels, 1, norm)

    def forward(self, features: Tensor) -> Tensor:
        change: Tensor = self.conv2(relu(self.conv1(features if self.first else relu(features))))
        if self.halve:
            features, change = avg_pool2d(features, 2), avg_pool2d(change, 2)
        kept: Tensor = self.shortcut(features)
        return kept + change

    def extra_repr(self) -> str:
        return f"halve={self.halve}, first={self.first}"


def _conv(
    fan_in: int, fan_out: int, kernel: int, norm: Norm | None, *, bias: bool = True
) -> nn.Module:
    """A convolution that keeps the size.

    Weights as Glorot and Bengio draw them, with the gain of a rectifier but for a shortcut's.
    """
    layer = nn.Conv2d(fan_in, fan_out, kernel, padding=kernel // 2, bias=bias)
    nn.init.xavier_uniform_(layer.weight, gain=1.0 if kernel == 1 else 2**0.5)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer if norm is None else norm(layer)


def _doubled(features: Tensor) -> Tensor:
    """Features `[B, C, H, W]` to `[B, C, 2 H, 2 W]`, each number four times."""
    return interpolate(features, scale_factor=2.0, mode="nearest")
