"""Moving whole pixels: one gather, which is exact and can be differentiated any number of times."""

from __future__ import annotations

from torch import Tensor


def take(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Images whose pixel `[b, :, i, j]` is pixel `[b, :, rows[b, i], columns[b, j]]` of `images`.

    `images` `[B, C, H, W]`, `rows` int64 `[B, H]`, `columns` int64 `[B, W]`. Images in the
    channels-last memory format stay in it.
    """
    batch, channels, height, width = images.shape
    places = (rows.unsqueeze(2) * width + columns.unsqueeze(1)).flatten(1)
    if images.stride(1) == 1:  # channels last, so that this is no copy
        flat = images.permute(0, 2, 3, 1).flatten(1, 2)
        taken = flat.gather(1, places.unsqueeze(2).expand(-1, -1, channels))
        return taken.view(batch, height, width, channels).permute(0, 3, 1, 2)
    taken = images.flatten(2).gather(2, places.unsqueeze(1).expand(-1, channels, -1))
    return taken.view(images.shape)
