"""The layer before the image, whose single channel the CPU's convolution kernels handle badly.

For grey images on a CPU it is computed as one matrix product over patches: the same function of the
same parameters, some two times faster. Everything else goes to the kernels as it is.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import fold

KERNEL, STRIDE, PADDING = 4, 2, 1


class ToImage(nn.ConvTranspose2d):
    """Features `[B, width, H, W]` to images `[B, C, 2 H, 2 W]`."""

    def __init__(self, width: int, channels: int) -> None:
        super().__init__(width, channels, KERNEL, stride=STRIDE, padding=PADDING)

    def forward(self, features: Tensor, output_size: list[int] | None = None) -> Tensor:
        slow = self.out_channels == 1 and features.device.type == "cpu"
        if not slow or self.bias is None:
            return super().forward(features, output_size)
        batch, channels, height, width = features.shape
        rows = features.permute(0, 2, 3, 1).reshape(-1, channels)
        patches = (rows @ self.weight.flatten(1)).view(batch, height * width, -1).transpose(1, 2)
        size = (2 * height, 2 * width)
        return fold(patches, size, KERNEL, padding=PADDING, stride=STRIDE) + self.bias
