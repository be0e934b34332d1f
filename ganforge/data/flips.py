"""Data augmentation proper: random flips and shifts of real images, on their device.

What is generated then has them too. An augmentation of the discriminator's input
(`ganforge.Augmentation`) is applied to fake samples as well, and need not show in them.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ganforge.config.settings import DataSettings


@dataclass(frozen=True, kw_only=True)
class Moves:
    """How each image of a batch is moved; fields that belong together get the same.

    `mirrored` says which are flipped, bool `[B]`; `right` and `down` are shifts in pixels after
    that, int64 `[B]`.
    """

    mirrored: Tensor
    right: Tensor
    down: Tensor


def draw_moves(num: int, generator: torch.Generator, settings: DataSettings) -> Moves | None:
    """Moves for `num` images, on the generator's device; None where the settings ask for none.

    An image is flipped with probability 1/2, and shifted by -shift, ..., shift pixels in either
    direction, each as likely. What is not asked for is not drawn.
    """
    if not settings.flip and not settings.shift:
        return None
    device = generator.device
    still = torch.zeros(num, dtype=torch.int64, device=device)
    mirrored, right, down = still.bool(), still, still
    if settings.flip:
        mirrored = torch.rand(num, generator=generator, device=device) < 0.5
    if settings.shift:
        right, down = torch.randint(
            -settings.shift, settings.shift + 1, (2, num), generator=generator, device=device
        )
    return Moves(mirrored=mirrored, right=right, down=down)


def moved(images: Tensor, moves: Moves) -> Tensor:
    """Images `[B, ..., H, W]` of any dtype, moved; a frame like the others where there are frames.

    The pixels of an edge are repeated where a shift leaves a gap. A whole pixel stays the pixel it
    was. Images in the channels-last memory format stay in it.
    """
    height, width = images.shape[-2:]
    columns = torch.arange(width, device=images.device)
    columns = (columns - moves.right[:, None]).clamp(0, width - 1)  # [B, W]: where each comes from
    columns = torch.where(moves.mirrored[:, None], width - 1 - columns, columns)
    rows = torch.arange(height, device=images.device)
    rows = (rows - moves.down[:, None]).clamp(0, height - 1)
    places = (rows.unsqueeze(2) * width + columns.unsqueeze(1)).flatten(1)  # [B, H W]
    if images.dim() == 4 and images.is_contiguous(memory_format=torch.channels_last):
        pixels = images.permute(0, 2, 3, 1).flatten(1, 2)  # [B, H W, C], without a copy
        taken = pixels.gather(1, places.unsqueeze(2).expand_as(pixels))
        return taken.view(len(images), height, width, -1).permute(0, 3, 1, 2)
    pixels = images.reshape(len(images), -1, height * width)
    return pixels.gather(2, places.unsqueeze(1).expand_as(pixels)).view(images.shape)
