"""The two layers beside the image, whose single channel the CPU's convolution kernels handle badly.

For grey images on a CPU they are computed as one matrix product over patches: the same function of
the same parameters, some two times faster. Everything else goes to the kernels as it is.
"""

from __future__ import annotations

from torch import Tensor, addmm, nn
from torch.nn.functional import fold, unfold

KERNEL, STRIDE, PADDING = 4, 2, 1


class FromImage(nn.Conv2d):
    """Images `[B, C, H, W]` to features `[B, width, H / 2, W / 2]`."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__(channels, width, KERNEL, stride=STRIDE, padding=PADDING)

    def forward(self, images: Tensor) -> Tensor:
        # The slow part is the gradient of the images, which the discriminator's update does
        # without.
        slow = images.requires_grad and self.in_channels == 1 and images.device.type == "cpu"
        if not slow or self.bias is None:
            return super().forward(images)
        batch, _, height, width = images.shape
        patches = unfold(images, KERNEL, padding=PADDING, stride=STRIDE).transpose(1, 2)
        features = addmm(self.bias, patches.flatten(0, 1), self.weight.flatten(1).t())
        return features.view(batch, height // 2, width // 2, -1).permute(0, 3, 1, 2)


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
