"""The layer before the image, whose single channel the CPU's convolution kernels handle badly.

For grey images on a CPU it is computed as one matrix product over patches and the sum of what
overlaps: some two times faster.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import fold

KERNEL, STRIDE = 4, 2

Sides = tuple[int, int]


class ToImage(nn.ConvTranspose2d):
    """Features `[B, width, ⌈H/2⌉, ⌈W/2⌉]` to images `[B, C, H, W]`, unbounded.

    A transposed convolution with a kernel of 4 and a stride of 2, as DCGAN's (Radford et al., 2015,
    arXiv:1511.06434). A single channel on a CPU takes another way to the same function of the same
    parameters, `weight` `[width, C, 4, 4]` and `bias` `[C]`.

    Args:
        width: channels of the features.
        channels: C.
        sides: (H, W). Unset, H and W are twice the sides of the features, whatever they are; an
            odd side has to be said.
    """

    def __init__(self, width: int, channels: int, sides: Sides | None = None) -> None:
        odd = (0, 0) if sides is None else (sides[0] % 2, sides[1] % 2)
        super().__init__(
            width,
            channels,
            KERNEL,
            stride=STRIDE,
            padding=(1 + odd[0], 1 + odd[1]),
            output_padding=odd,
        )
        self.odd = odd

    def forward(self, features: Tensor, output_size: list[int] | None = None) -> Tensor:
        slow = self.out_channels == 1 and features.device.type == "cpu"
        if not slow or self.bias is None or output_size is not None:
            return super().forward(features, output_size)
        batch, channels, height, width = features.shape
        rows = features.permute(0, 2, 3, 1).reshape(-1, channels)
        patches = (rows @ self.weight.flatten(1)).view(batch, height * width, -1).transpose(1, 2)
        sides = (2 * height - self.odd[0], 2 * width - self.odd[1])
        return _folded(patches, sides, self.odd) + self.bias


class PatchesToImage(nn.Sequential):
    """Features `[B, width, ⌈H/2⌉, ⌈W/2⌉]` to grey images `[B, 1, H, W]`, unbounded.

    As `ToImage`, in layers of torch: a convolution gives the 4x4 patch around each place, and
    overlapping patches are summed. Each of the 16 numbers of a patch has a bias of its own, so a
    pixel gets the sum of up to four of them: not quite the function of `ToImage`, and not quite its
    parameters, which are `0.weight` `[16, width, 1, 1]` and `0.bias` `[16]`.

    Args:
        width: channels of the features.
        sides: (H, W).
    """

    def __init__(self, width: int, sides: Sides) -> None:
        padding = (1 + sides[0] % 2, 1 + sides[1] % 2)
        super().__init__(
            nn.Conv2d(width, KERNEL**2, 1),
            nn.Flatten(2),
            nn.Fold(sides, KERNEL, padding=padding, stride=STRIDE),
        )


def _folded(patches: Tensor, sides: Sides, odd: Sides) -> Tensor:
    """Patches `[B, 16, ⌈H/2⌉ ⌈W/2⌉]` summed to images `[B, 1, H, W]`."""
    padding = (1 + odd[0], 1 + odd[1])
    return fold(patches, sides, KERNEL, padding=padding, stride=STRIDE)
