"""Data augmentation proper: random flips and shifts of real images, on their device.

What is generated then has them too. An augmentation of the discriminator's input
(`ganforge.Augmentation`) is applied to fake samples as well, and need not show in them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ganforge.config.settings import DataSettings
from ganforge.contracts import Batch
from ganforge.device.randomness import Randomness
from ganforge.plugin.fields import GRIDS, SAMPLE, Field

from .batches import Batches


@dataclass(frozen=True, kw_only=True)
class Moves:
    """Flips and shifts of each image of a batch; fields that belong together get the same.

    `mirrored` says which are flipped, bool `[B]`; `right` and `down` are shifts in pixels after
    that, int64 `[B]`.
    """

    mirrored: Tensor
    right: Tensor
    down: Tensor


def draw_moves(num: int, generator: torch.Generator, settings: DataSettings) -> Moves:
    """Moves for `num` images, on the generator's device.

    An image is flipped with probability 1/2, and shifted by -shift, ..., shift pixels in either
    direction, each as likely. What is not asked for is not drawn.
    """
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
    if images.dim() > 3 and images.stride(1) == 1:  # channels last
        grid = images.movedim(1, -1)
        pixels = grid.reshape(len(images), -1, height * width, grid.shape[-1])
        taken = pixels.gather(2, places[:, None, :, None].expand_as(pixels))
        return taken.view(grid.shape).movedim(-1, 1)
    pixels = images.reshape(len(images), -1, height * width)
    return pixels.gather(2, places.unsqueeze(1).expand_as(pixels)).view(images.shape)


class MovedBatches(Batches):
    """Batches whose images are flipped and shifted; those held out are as they are.

    Fields that belong to the sample are moved with it, and a field with an order of its own by
    itself. Batch number n is moved in the same way whenever it is asked for.
    """

    def __init__(
        self,
        batches: Batches,
        fields: Mapping[str, Field],
        randomness: Randomness,
        settings: DataSettings,
    ) -> None:
        self.num_samples = batches.num_samples
        self.num_held_out = batches.num_held_out
        self._batches = batches
        self._fields = {name: field for name, field in fields.items() if field.kind in GRIDS}
        self._randomness = randomness
        self._settings = settings

    def batch(self, number: int) -> Batch:
        batch = self._batches.batch(number)
        values = {SAMPLE: batch.samples, **batch.others}
        moves = self._draw("moves", number, len(batch))
        for name, field in self._fields.items():
            if name in values:
                own = moves if field.paired else self._draw(f"moves/{name}", number, len(batch))
                values[name] = moved(values[name], own)
        return Batch(values.pop(SAMPLE), **values)

    def _draw(self, stream: str, number: int, num: int) -> Moves:
        return draw_moves(num, self._randomness.generator(stream, number), self._settings)

    def held_out(self, start: int, num: int) -> Batch:
        return self._batches.held_out(start, num)

    def trained_on(self, start: int, num: int, of: int) -> Batch:
        return self._batches.trained_on(start, num, of)

    def fetch(self, first: int, num: int) -> None:
        self._batches.fetch(first, num)

    def close(self) -> None:
        self._batches.close()
