"""Bilinear resampling that can be differentiated twice, as gradient penalties need.

PyTorch's `grid_sample` can be differentiated once. It is linear in the image, though: its backward
pass is a linear map of the gradient, and the backward pass of that map is `grid_sample` again.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

BILINEAR, REFLECTION = 0, 2  # of torch.ops.aten.grid_sampler_2d_backward
CENTRES = True  # -1 and 1 are the centres of the outermost pixels, about which is reflected


def resample(images: Tensor, places: Tensor) -> Tensor:
    """Images `[B, C, H, W]` read at `places` `[B, H, W, 2]`, which want no gradient.

    Places are (x, y) in pixels from the image's centre. Where they lie outside, the image is
    continued by its reflection. What is computed has at least the precision of float32.
    """
    height, width = images.shape[2:]
    dtype = torch.promote_types(images.dtype, torch.float32)
    x, y = places.to(dtype).unbind(-1)
    # A side of one pixel has nothing to either side of it.
    grid = torch.stack([x * (2 / max(width - 1, 1)), y * (2 / max(height - 1, 1))], -1)
    resampled: Tensor = _Resample.apply(images.to(dtype), grid)
    return resampled.to(images.dtype)


class _Resample(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, images: Tensor, grid: Tensor) -> Tensor:
        ctx.save_for_backward(images, grid)
        return functional.grid_sample(
            images, grid, mode="bilinear", padding_mode="reflection", align_corners=CENTRES
        )

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        images, grid = ctx.saved_tensors
        return _Transpose.apply(gradient, images, grid), None


class _Transpose(torch.autograd.Function):
    """The transpose of the resampling: the gradient of the images from that of the result."""

    @staticmethod
    def forward(ctx: Any, gradient: Tensor, images: Tensor, grid: Tensor) -> Tensor:
        ctx.save_for_backward(grid)
        # Of the images nothing but the shape counts, where the grid wants no gradient.
        transposed: Tensor
        transposed, _ = torch.ops.aten.grid_sampler_2d_backward(
            gradient, images, grid, BILINEAR, REFLECTION, CENTRES, [True, False]
        )
        return transposed

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (grid,) = ctx.saved_tensors
        return _Resample.apply(gradient, grid), None, None
