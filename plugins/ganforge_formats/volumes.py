"""Volumes: seen along each of their axes, the nearer the brighter."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

from ganforge import Drawn, Format, Problem

from .bands import composite, noted, shown_bands
from .rows import arrange, parts
from .tiles import sheet, to_bytes

_SMALLEST = 48  # pixels that the longest side of a view has at least
_BETWEEN = 1  # pixel between the three views
_FAR = 0.35  # of its brightness is left of what is farthest


class VoxelsFormat(Format):
    """Volumes `(C, D, H, W)` along their first, second and third axis, side by side.

    A pixel shows the largest number on its way, where -1 is empty and what is far counts less.
    """

    num_pictured = 12

    def __init__(self, problem: Problem, options: object = None) -> None:
        super().__init__(problem)
        self._channels, *sides = problem.sample_shape
        self._bands = shown_bands(self._channels, problem.fit)
        self._scale = -(-_SMALLEST // max(sides))

    def picture(self, drawn: Drawn) -> Tensor:
        shown = parts(drawn)
        views = [self._views(values) for values in shown.values()]
        height, channels = (max(it.shape[place] for it in views) for place in (1, 3))
        cells = torch.cat([_alike(it, height, channels) for it in views], dim=2)
        columns = max(1, round((len(cells) * cells.shape[1] / cells.shape[2]) ** 0.5))
        rows = arrange(drawn, columns, longest=columns)
        picture = sheet([cells[row] for row in rows.numbers], rows.captions, gap=4)
        if self._bands is not None:
            picture = noted(picture, self._channels, self._bands, self.problem.fit)
        return picture

    def picture_of_one(self, drawn: Drawn) -> Tensor:
        return self._views(drawn.samples)[0]

    def _views(self, values: Tensor) -> Tensor:
        """Volumes `[N, C, D, H, W]` along their first, second and third axis, `[N, h, w, C]`."""
        views = []
        for axis in (2, 3, 4):
            seen = composite(_seen(values, axis), self._channels, self._bands)
            views.append(to_bytes(seen))
        height = max(view.shape[1] for view in views)
        padded = [pad(view, (0, 0, 0, _BETWEEN, 0, height - view.shape[1])) for view in views]
        whole = torch.cat(padded, dim=2)
        return whole.repeat_interleave(self._scale, 1).repeat_interleave(self._scale, 2)


def _seen(values: Tensor, axis: int) -> Tensor:
    """Volumes in [-1, 1] as seen along an axis from its first place, `[N, C, h, w]`."""
    shape = [1] * values.dim()
    shape[axis] = -1
    nearness = torch.linspace(1, _FAR, values.shape[axis]).view(shape)
    return ((values.detach().float() + 1) * nearness).amax(axis) - 1


def _alike(views: Tensor, height: int, channels: int) -> Tensor:
    """Views `[N, h, w, C]` of so many channels, and as high."""
    views = views if views.shape[3] == channels else views[..., :1].expand(-1, -1, -1, channels)
    return pad(views, (0, 0, 0, 0, 0, height - views.shape[1]))
