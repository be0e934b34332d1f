"""Brings images that lie in one tensor to the size of a run."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

_CHUNK = 4096  # images; bounds the memory that float copies take


def resized(images: Tensor, size: tuple[int, int], mode: Literal["bilinear", "bicubic"]) -> Tensor:
    """uint8 `[N, C, h, w]` as uint8 `[N, C, H, W]`, with antialiasing, rounded and clamped."""
    if images.shape[2:] == size:
        return images
    result = torch.empty((*images.shape[:2], *size), dtype=torch.uint8)
    for start in range(0, len(images), _CHUNK):
        chunk = images[start : start + _CHUNK].float()
        scaled = functional.interpolate(
            chunk, size=size, mode=mode, align_corners=False, antialias=True
        )
        result[start : start + _CHUNK] = scaled.round_().clamp_(0, 255)
    return result


def padded(images: Tensor, size: tuple[int, int]) -> Tensor:
    """uint8 `[N, C, h, w]` centred on black `[N, C, H, W]`; shrunk first where it is larger."""
    height, width = size
    inner = (min(height, images.shape[2]), min(width, images.shape[3]))
    images = resized(images, inner, "bilinear")
    top, left = (height - inner[0]) // 2, (width - inner[1]) // 2
    bottom, right = height - inner[0] - top, width - inner[1] - left
    return functional.pad(images, (left, right, top, bottom))
