"""The geometric transforms of ADA: each an affine map, composed, and executed by one resampling.

A map is `[B, 2, 3]` and takes (x, y, 1) in the new image to (x, y) in the old one, where the new
pixel comes from: the inverse of the transform. Coordinates are in pixels from the image's centre.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .draws import Draws
from .resampling import resample


def blit_map(draws: Draws, height: int, width: int) -> Tensor:
    """Flips, quarter turns and shifts by whole pixels: what moves pixels and changes none.

    An image that is not square is turned by half turns alone.
    """
    ones = torch.ones(draws.num, device=draws.p.device)
    flip = draws.sometimes(1 - 2 * draws.integer(2), 1.0)
    turns = draws.integer(4)
    if height != width:
        turns = turns - turns % 2
    turns = draws.sometimes(turns, 0.0)
    chosen = draws.chosen()
    right = torch.where(chosen, (draws.uniform(-0.125, 0.125) * width).round(), 0.0)
    down = torch.where(chosen, (draws.uniform(-0.125, 0.125) * height).round(), 0.0)
    return compose(_scaling(flip, ones), _rotation(turns * (math.pi / 2)), _shift(right, down))


def warp_map(draws: Draws, height: int, width: int) -> Tensor:
    """Scaling, rotation, stretching along any axis, and shifts by parts of pixels."""
    scale = draws.sometimes(draws.factor(0.2), 1.0)
    # Of two rotations, before and after the stretching, one at least is applied with p.
    p_rotation = 1 - (1 - draws.p).sqrt()
    before = torch.where(draws.chosen(p_rotation), draws.uniform(-math.pi, math.pi), 0.0)
    stretch = draws.sometimes(draws.factor(0.2), 1.0)
    after = torch.where(draws.chosen(p_rotation), draws.uniform(-math.pi, math.pi), 0.0)
    chosen = draws.chosen()
    right = torch.where(chosen, draws.normal(0.125) * width, 0.0)
    down = torch.where(chosen, draws.normal(0.125) * height, 0.0)
    return compose(
        _scaling(scale, scale),
        _rotation(before),
        _scaling(stretch, 1 / stretch),
        _rotation(after),
        _shift(right, down),
    )


def compose(first: Tensor, *others: Tensor) -> Tensor:
    """The map of transforms that are applied one after another, the first one first."""
    for other in others:
        # Written out: a matrix product would follow the precision that is set for networks.
        linear = (first[:, :, :2, None] * other[:, None]).sum(2)
        first = torch.cat([linear[..., :2], linear[..., 2:] + first[..., 2:]], 2)
    return first


def move(images: Tensor, source: Tensor) -> Tensor:
    """Images `[B, C, H, W]` whose pixels come from where the map `source` `[B, 2, 3]` says.

    Beyond its edges an image is continued by its reflection. One that stays where it is, it is to
    the bit.
    """
    height, width = images.shape[2:]
    x = torch.arange(width, device=images.device) - (width - 1) / 2
    y = (torch.arange(height, device=images.device) - (height - 1) / 2).unsqueeze(1)
    # [B, 2, 3] to three coefficients [B, 2, 1, 1] for points [B, 2, H, W]
    along_x, along_y, constant = source[..., None, None].unbind(2)
    places = (along_x * x + along_y * y + constant).movedim(1, -1)
    stays = (source == torch.eye(2, 3, device=source.device)).all(2).all(1)
    return torch.where(stays[:, None, None, None], images, resample(images, places))


def _scaling(x: Tensor, y: Tensor) -> Tensor:
    zero = torch.zeros_like(x)
    return _matrix(1 / x, zero, zero, zero, 1 / y, zero)


def _rotation(angle: Tensor) -> Tensor:
    cos, sin, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
    return _matrix(cos, sin, zero, -sin, cos, zero)


def _shift(right: Tensor, down: Tensor) -> Tensor:
    zero, one = torch.zeros_like(right), torch.ones_like(right)
    return _matrix(one, zero, -right, zero, one, -down)


def _matrix(*entries: Tensor) -> Tensor:
    """Six entries `[B]`, row by row, to `[B, 2, 3]`."""
    return torch.stack(entries, 1).view(-1, 2, 3)
