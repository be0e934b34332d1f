"""Residual blocks that change the resolution (Gulrajani et al., 2017, arXiv:1704.00028)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, relu
from torch.nn.utils.parametrizations import spectral_norm


class ClassNorm(nn.Module):
    """Batch normalisation; gain and bias are learnt per class where there are classes.

    Conditional batch normalisation as in Miyato & Koyama, 2018 (arXiv:1802.05637, section 4).
    """

    def __init__(self, channels: int, num_classes: int | None) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=num_classes is None)
        self.gain: nn.Embedding | None = None
        self.bias: nn.Embedding | None = None
        if num_classes is not None:
            self.gain = nn.Embedding(num_classes, channels)
            self.bias = nn.Embedding(num_classes, channels)
            # Gains that differ a little, so that the classes are told apart from the first step on.
            nn.init.normal_(self.gain.weight, 1.0, 0.02)
            nn.init.zeros_(self.bias.weight)

    def forward(self, features: Tensor, label: Tensor | None) -> Tensor:
        normalised: Tensor = self.norm(features)
        if self.gain is None or self.bias is None:
            return normalised
        gain: Tensor = self.gain(label)[:, :, None, None]
        bias: Tensor = self.bias(label)[:, :, None, None]
        return gain * normalised + bias


class UpBlock(nn.Module):
    """Features `[B, C, H, W]` and a label `[B]` to features `[B, C', 2 H, 2 W]`.

    The convolutions have no bias: normalisation would take it away again.
    """

    def __init__(self, fan_in: int, fan_out: int, num_classes: int | None) -> None:
        super().__init__()
        self.norm1 = ClassNorm(fan_in, num_classes)
        self.conv1 = conv(fan_in, fan_out, 3, bias=False)
        self.norm2 = ClassNorm(fan_out, num_classes)
        self.conv2 = conv(fan_out, fan_out, 3, bias=False)
        self.shortcut = conv(fan_in, fan_out, 1, bias=False)

    def forward(self, features: Tensor, label: Tensor | None) -> Tensor:
        change: Tensor = self.conv1(doubled(relu(self.norm1(features, label))))
        change = self.conv2(relu(self.norm2(change, label)))
        # A 1x1 convolution and nearest neighbours change places freely, and this way is cheaper.
        return doubled(self.shortcut(features)) + change


class DownBlock(nn.Module):
    """Features `[B, C, H, W]` to features `[B, C', H/2, W/2]`, or `[B, C', H, W]`.

    `first` is the block that sees the image, which no activation is to cut.
    """

    def __init__(
        self, fan_in: int, fan_out: int, *, halve: bool, first: bool, spectral: bool
    ) -> None:
        super().__init__()
        self.halve = halve
        self.first = first
        self.conv1 = conv(fan_in, fan_out, 3, spectral=spectral)
        self.conv2 = conv(fan_out, fan_out, 3, spectral=spectral)
        self.shortcut = conv(fan_in, fan_out, 1, spectral=spectral)

    def forward(self, features: Tensor) -> Tensor:
        change: Tensor = self.conv2(relu(self.conv1(features if self.first else relu(features))))
        if self.halve:
            features, change = avg_pool2d(features, 2), avg_pool2d(change, 2)
        kept: Tensor = self.shortcut(features)
        return kept + change


def conv(
    fan_in: int, fan_out: int, kernel: int, *, bias: bool = True, spectral: bool = False
) -> nn.Module:
    """A convolution that keeps the size.

    Weights as Glorot and Bengio draw them, with the gain of a rectifier but for a shortcut's.
    """
    layer = nn.Conv2d(fan_in, fan_out, kernel, padding=kernel // 2, bias=bias)
    nn.init.xavier_uniform_(layer.weight, gain=1.0 if kernel == 1 else 2**0.5)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return spectral_norm(layer) if spectral else layer


def doubled(features: Tensor) -> Tensor:
    """Features `[B, C, H, W]` to `[B, C, 2 H, 2 W]`, each number four times."""
    return interpolate(features, scale_factor=2.0, mode="nearest")
