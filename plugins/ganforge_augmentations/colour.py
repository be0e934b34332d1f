"""The colour transforms of ADA, for any number of channels.

A pixel is split into its mean over the channels (luma) and what is left (chroma). Brightness is
added to the luma, contrast scales both, the luma flip negates the luma, hue turns the chroma about
the grey axis, and saturation scales it: the 4 x 4 matrices of the paper, about the same axis,
multiplied out.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .draws import Draws


def recolour(images: Tensor, draws: Draws) -> Tensor:
    """Images `[B, C, H, W]` in other colours; those that keep theirs are the same to the bit.

    One channel has no chroma, so that hue and saturation change nothing. Hue is an angle among
    three channels: with any other number it stays.
    """
    brightness = draws.sometimes(draws.normal(0.2), 0.0)
    contrast = draws.sometimes(draws.factor(0.5), 1.0)
    flip = draws.sometimes(1 - 2 * draws.integer(2), 1.0)
    hue = draws.sometimes(draws.uniform(-math.pi, math.pi), 0.0)
    saturation = draws.sometimes(draws.factor(1.0), 1.0)

    def per_image(numbers: Tensor) -> Tensor:
        return numbers.to(images.dtype)[:, None, None, None]

    luma = images.mean(1, keepdim=True)
    chroma = images - luma
    turned = chroma * per_image(contrast * saturation * hue.cos())
    if images.shape[1] == 3:
        # v x chroma for the grey axis v = (1, 1, 1) / sqrt 3 (Rodrigues' formula)
        cross = chroma.roll(1, 1) - chroma.roll(-1, 1)
        turned = turned + cross * per_image(contrast * saturation * hue.sin() / math.sqrt(3))
    recoloured = turned + (luma + per_image(brightness)) * per_image(contrast * flip)
    stays = (brightness == 0) & (contrast * flip == 1) & (hue == 0) & (saturation == 1)
    return torch.where(stays[:, None, None, None], images, recoloured)
