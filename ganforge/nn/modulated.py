"""The modulated convolution of StyleGAN2 (Karras et al., 2020, arXiv:1912.04958).

The paper scales the weights, a set of its own for each sample, and computes a grouped convolution.
Scaling the features before one convolution of the whole batch, and its output after it, is the same
function: it needs less memory, and no grouped kernels, which are slow on a CPU.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv_transpose2d, linear

from .equalized import EqualizedLinear
from .resampling import BINOMIAL, Downsample2d, Upsample2d, upfirdn2d

Resample = Literal["none", "up", "down"]


class ModulatedConv2d(nn.Module):
    """Features `[B, C, H, W]` and styles `[B, V]` to features `[B, C', H', W']`.

    An affine map of the style gives a scale per input channel, 1 on average at first (equation 1 of
    Karras et al., 2020, arXiv:1912.04958). With demodulation each output map is divided by the norm
    of its scaled weights, which keeps its variance and takes the place of instance normalisation
    (equation 3). The learning rate is equalised. A bias `[C']` is added at the end.

    Args:
        in_channels: C.
        out_channels: C'.
        kernel_size: side of the kernel, odd. H' = H and W' = W but for resampling.
        style_size: V.
        demodulate: False for the layer that gives the image.
        resample: "up" doubles the sides, "down" halves them, rounded down; both are filtered.
        taps: the filter along each axis.
        eps: added to the squared norm of the weights.

    Raises:
        ValueError: the kernel is even.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        style_size: int,
        *,
        demodulate: bool = True,
        resample: Resample = "none",
        taps: Sequence[float] = BINOMIAL,
        eps: float = 1e-8,
    ) -> None:
        super().__init__()
        if kernel_size % 2 == 0:
            raise ValueError(f"kernel_size must be odd, to keep the size; got {kernel_size}")
        self.demodulate = demodulate
        self.eps = eps
        self.resample: Upsample2d | Downsample2d | None = None
        if resample != "none":
            self.resample = Upsample2d(taps) if resample == "up" else Downsample2d(taps)
        self.affine = EqualizedLinear(style_size, in_channels, bias_init=1.0)
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels, kernel_size, kernel_size))
        self.bias = nn.Parameter(torch.empty(out_channels))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weight from N(0, 1), and set the bias to 0."""
        nn.init.normal_(self.weight)
        nn.init.zeros_(self.bias)

    def forward(self, features: Tensor, style: Tensor) -> Tensor:
        scales: Tensor = self.affine(style)
        weight = self.weight * self.weight[0].numel() ** -0.5
        output = self._convolve(features * scales[:, :, None, None], weight)
        if self.demodulate:
            # Σ (s w)² over input channels and kernel, for each sample and output map.
            norms = linear(scales.square(), weight.square().sum((2, 3)))
            output = output * (norms + self.eps).rsqrt()[:, :, None, None]
        return output + self.bias[:, None, None]

    def extra_repr(self) -> str:
        channels_out, channels_in, side, _ = self.weight.shape
        return f"{channels_in}, {channels_out}, {side}, demodulate={self.demodulate}"

    def _convolve(self, features: Tensor, weight: Tensor) -> Tensor:
        """The convolution, with what resampling belongs to it at the lower resolution.

        Filter and convolution commute but for the borders, and this way there is a fourth of the
        products. The paddings are those of the two operations one after the other.
        """
        side = weight.shape[2]
        margin = side // 2
        if self.resample is None:
            return conv2d(features, weight, padding=margin)
        kernel = self.resample.kernel
        size = len(kernel)
        if isinstance(self.resample, Upsample2d):
            transposed = weight.flip(2, 3).transpose(0, 1)
            spread = conv_transpose2d(features, transposed, stride=2)
            before = (size + 1) // 2 + margin - (side - 1)
            after = size + 1 - side - before
            return upfirdn2d(spread, kernel, padding=(before, after, before, after))
        before, after = (size - 1) // 2 + margin, (size - 2) // 2 + margin
        blurred = upfirdn2d(features, kernel, padding=(before, after, before, after))
        return conv2d(blurred, weight, stride=2)
