"""Layers with an equalised learning rate (Karras et al., 2018, arXiv:1710.10196, section 4.1).

The stored weights are draws from N(0, 1), and a layer scales them by He's constant in each forward
pass. Optimizers whose step does not depend on the scale of the gradient, such as Adam, then learn
all layers at the same relative speed.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, linear


class EqualizedLinear(nn.Module):
    """A linear layer, `[B, in_features]` to `[B, out_features]`, whose weight is scaled at runtime.

    The effective weight is weight · lr_multiplier · gain / √in_features, the effective bias
    bias · lr_multiplier. At first they have the deviation gain / √in_features and the value
    `bias_init`, whatever the multiplier. Karras et al., 2018 (arXiv:1710.10196, section 4.1).

    Args:
        in_features: size of the inputs.
        out_features: size of the outputs.
        bias: whether there is a bias.
        gain: √2 keeps the variance where a rectifier follows; StyleGAN2 has 1 and scales there.
        lr_multiplier: how fast the layer learns beside others; 0.01 in StyleGAN's mapping network
            (Karras et al., 2019, arXiv:1812.04948, appendix C).
        bias_init: first value of the effective bias.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        bias: bool = True,
        gain: float = 1.0,
        lr_multiplier: float = 1.0,
        bias_init: float = 0.0,
    ) -> None:
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.gain = gain
        self.lr_multiplier = lr_multiplier
        self.bias_init = bias_init
        self.weight = nn.Parameter(torch.empty(out_features, in_features))
        self.bias = nn.Parameter(torch.empty(out_features)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights anew, and set the bias to its first value."""
        _draw(self.weight, self.bias, self.lr_multiplier, self.bias_init)

    def forward(self, inputs: Tensor) -> Tensor:
        scale = self.lr_multiplier * self.gain * self.in_features**-0.5
        return linear(inputs, self.weight * scale, _scaled(self.bias, self.lr_multiplier))

    def extra_repr(self) -> str:
        return (
            f"{self.in_features}, {self.out_features}, bias={self.bias is not None}, "
            f"gain={self.gain:g}, lr_multiplier={self.lr_multiplier:g}"
        )


class EqualizedConv2d(nn.Module):
    """A convolution, `[B, C, H, W]` to `[B, C', H', W']`, whose weight is scaled at runtime.

    As `EqualizedLinear`, with in_channels · kernel_size² in place of in_features.

    Args:
        in_channels: C.
        out_channels: C'.
        kernel_size: side of the kernel.
        stride: step of the kernel; with `Blur` before it, a filtered downsampling.
        padding: zeros on each side; `kernel_size // 2` keeps the size.
        bias: whether there is a bias.
        gain: √2 keeps the variance where a rectifier follows.
        lr_multiplier: how fast the layer learns beside others.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        stride: int = 1,
        padding: int = 0,
        bias: bool = True,
        gain: float = 1.0,
        lr_multiplier: float = 1.0,
    ) -> None:
        super().__init__()
        self.stride = stride
        self.padding = padding
        self.gain = gain
        self.lr_multiplier = lr_multiplier
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels, kernel_size, kernel_size))
        self.bias = nn.Parameter(torch.empty(out_channels)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights anew, and set the bias to 0."""
        _draw(self.weight, self.bias, self.lr_multiplier, 0.0)

    def forward(self, features: Tensor) -> Tensor:
        scale = self.lr_multiplier * self.gain * self.weight[0].numel() ** -0.5
        bias = _scaled(self.bias, self.lr_multiplier)
        return conv2d(features, self.weight * scale, bias, self.stride, self.padding)

    def extra_repr(self) -> str:
        return (
            f"{self.weight.shape[1]}, {self.weight.shape[0]}, "
            f"kernel_size={self.weight.shape[2]}, stride={self.stride}, padding={self.padding}, "
            f"bias={self.bias is not None}, gain={self.gain:g}, "
            f"lr_multiplier={self.lr_multiplier:g}"
        )


def _draw(weight: Tensor, bias: Tensor | None, lr_multiplier: float, bias_init: float) -> None:
    nn.init.normal_(weight, 0.0, 1.0 / lr_multiplier)
    if bias is not None:
        nn.init.constant_(bias, bias_init / lr_multiplier)


def _scaled(bias: Tensor | None, lr_multiplier: float) -> Tensor | None:
    return bias if bias is None or lr_multiplier == 1 else bias * lr_multiplier
