"""Filtered resampling of images and features, from torch's own convolutions.

Every operation is linear in the images and can be differentiated any number of times. The kernels
are separable, and applied in one depthwise convolution: on a CPU that is several times faster than
one pass per axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv_transpose2d, pad

Padding = tuple[int, int, int, int]

BINOMIAL = (1.0, 3.0, 3.0, 1.0)  # the filter of StyleGAN2


def upfirdn2d(
    images: Tensor,
    kernel: Tensor,
    *,
    up: int = 1,
    down: int = 1,
    padding: Padding = (0, 0, 0, 0),
) -> Tensor:
    """Insert zeros, pad, filter, and keep every `down`-th: `[B, C, H, W]` to `[B, C, H', W']`.

    H' = ⌊(H · up + top + bottom - h) / down⌋ + 1, and W' alike. The operation of the same name of
    Karras et al., 2020 (arXiv:1912.04958, their `upfirdn2d`); a true convolution, so that the
    kernel is flipped.

    Args:
        images: any number of channels, each of which is filtered alone.
        kernel: `[h, w]`.
        up: `up - 1` zeros follow each pixel, along both axes.
        down: of the result every `down`-th row and column is kept.
        padding: zeros (left, right, top, bottom) around the enlarged image; negative to crop.
    """
    channels = images.shape[1]
    height, width = kernel.shape
    weight = kernel.to(images.dtype).expand(channels, 1, height, width)
    if up == 1:
        padded = pad(images, padding) if any(padding) else images
        return conv2d(padded, weight.flip(2, 3), stride=down, groups=channels)
    # A transposed convolution skips the inserted zeros. It pads kernel - 1 zeros on each side.
    filtered = conv_transpose2d(images, weight, stride=up, output_padding=up - 1, groups=channels)
    left, right, top, bottom = padding
    margins = (left - width + 1, right - width + 1, top - height + 1, bottom - height + 1)
    if any(margins):
        filtered = pad(filtered, margins)
    return filtered[:, :, ::down, ::down]


class _Filter(nn.Module):
    """A separable kernel, the outer product of taps, whose sum is `gain`."""

    #: An average of the weights copies the kernel: it is a constant.
    averaged_buffers: ClassVar[tuple[str, ...]] = ()

    kernel: Tensor

    def __init__(self, taps: Sequence[float], gain: float) -> None:
        super().__init__()
        if not taps or sum(taps) == 0:
            raise ValueError(f"the taps of a filter must have a sum; got {list(taps)}")
        self.taps = tuple(float(tap) for tap in taps)
        self.gain = gain
        # Not saved: it follows from the arguments.
        self.register_buffer("kernel", torch.empty(len(taps), len(taps)), persistent=False)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Compute the kernel from the taps."""
        taps = torch.tensor(self.taps, dtype=torch.float64)
        kernel = torch.outer(taps, taps) * self.gain / taps.sum() ** 2
        self.kernel.copy_(kernel)

    def extra_repr(self) -> str:
        return f"taps={self.taps}"


class Blur(_Filter):
    """Low-pass filter of `[B, C, H, W]` that keeps the size, and the mean but for the borders.

    Zhang, 2019 (arXiv:1904.11486) and Karras et al., 2019 (arXiv:1812.04948): without it a stride
    folds high frequencies into low ones. Outside of the image are zeros.

    Args:
        taps: the filter along each axis, divided by its sum.
        padding: zeros before and after each axis; unset, the size is kept. Before a convolution of
            kernel k and stride 2, (k // 2 + 1, (k + 1) // 2) halves the size with four taps.
    """

    def __init__(
        self, taps: Sequence[float] = BINOMIAL, *, padding: tuple[int, int] | None = None
    ) -> None:
        super().__init__(taps, gain=1.0)
        size = len(self.taps)
        self.padding = (size // 2, (size - 1) // 2) if padding is None else padding

    def forward(self, images: Tensor) -> Tensor:
        return upfirdn2d(images, self.kernel, padding=self.padding * 2)


class Upsample2d(_Filter):
    """Images `[B, C, H, W]` to `[B, C, f H, f W]`, filtered; the mean stays, but for the borders.

    Karras et al., 2020 (arXiv:1912.04958, their `upsample2d`). The taps (1, 3, 3, 1) interpolate
    bilinearly, with zeros outside of the image; (1, 1) repeats the nearest pixel.

    Args:
        taps: the filter along each axis.
        factor: f.
    """

    def __init__(self, taps: Sequence[float] = BINOMIAL, *, factor: int = 2) -> None:
        super().__init__(taps, gain=float(factor**2))
        self.factor = factor

    def forward(self, images: Tensor) -> Tensor:
        size, factor = len(self.taps), self.factor
        before, after = (size + factor - 1) // 2, (size - factor) // 2
        return upfirdn2d(images, self.kernel, up=factor, padding=(before, after, before, after))

    def extra_repr(self) -> str:
        return f"taps={self.taps}, factor={self.factor}"


class Downsample2d(_Filter):
    """Images `[B, C, H, W]` to `[B, C, ⌊H / f⌋, ⌊W / f⌋]`, filtered.

    Karras et al., 2020 (arXiv:1912.04958, their `downsample2d`). The taps (1, 1) are the average
    over 2x2 pixels. Of an odd side the filter is centred on pixels 2 i + 1/2, as on an even side.

    Args:
        taps: the filter along each axis.
        factor: f.
    """

    def __init__(self, taps: Sequence[float] = BINOMIAL, *, factor: int = 2) -> None:
        super().__init__(taps, gain=1.0)
        self.factor = factor

    def forward(self, images: Tensor) -> Tensor:
        size, factor = len(self.taps), self.factor
        before, after = (size - factor + 1) // 2, (size - factor) // 2
        return upfirdn2d(images, self.kernel, down=factor, padding=(before, after, before, after))

    def extra_repr(self) -> str:
        return f"taps={self.taps}, factor={self.factor}"
