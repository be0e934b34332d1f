"""Nearest neighbours among features, tile by tile, so that no matrix of all pairs is held."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

_ROWS, _COLUMNS = 1024, 4096  # of a tile: 32 MB of distances


def squared_tiles(points: Tensor, others: Tensor) -> Iterator[tuple[slice, slice, Tensor]]:
    """Squared distances of points `[N, D]` from others `[M, D]`: rows, columns, float64 `[n, m]`.

    Tiles come row by row. By way of matrix products in double precision around a common centre, so
    that what is lost to rounding is far below what float32 features tell apart.
    """
    centre = others.mean(0, dtype=torch.float64)
    norms = torch.cat(
        [(it.double() - centre).square().sum(1) for it in torch.split(others, _COLUMNS)]
    )
    for top in range(0, len(points), _ROWS):
        rows = slice(top, min(top + _ROWS, len(points)))
        mine = points[rows].double() - centre
        own = mine.square().sum(1, keepdim=True)
        for left in range(0, len(others), _COLUMNS):
            columns = slice(left, min(left + _COLUMNS, len(others)))
            theirs = others[columns].double() - centre
            tile = torch.addmm(norms[columns], mine, theirs.T, alpha=-2)
            yield rows, columns, tile.add_(own).clamp_min_(0)


def nearest(points: Tensor, others: Tensor) -> Tensor:
    """The distance `[N]` of each point from the nearest of the others."""
    return squared_nearest(points, others, 1)[:, 0].sqrt()


def nearest_of_its_kind(points: Tensor) -> Tensor:
    """The distance `[N]` of each point from the nearest of all the other points."""
    return squared_nearest(points, points, 1, itself=False)[:, 0].sqrt()


def squared_nearest(points: Tensor, others: Tensor, k: int, *, itself: bool = True) -> Tensor:
    """Squared distances `[N, k]` from each point to its k nearest of the others, which are enough.

    The nearest come first. With `itself` false the others are the points, in their order, and a
    point is no neighbour of its own.
    """
    best = torch.full((len(points), k), torch.inf, dtype=torch.float64, device=points.device)
    for rows, columns, tile in squared_tiles(points, others):
        if not itself:
            _leave_out_itself(rows, columns, tile)
        near = tile.topk(min(k, tile.shape[1]), dim=1, largest=False).values
        best[rows] = torch.cat([best[rows], near], dim=1).topk(k, dim=1, largest=False).values
    return best.sort(dim=1).values


def spread(features: Tensor) -> float:
    """The mean squared distance of features `[N, D]` from their mean, as a scale of distances."""
    return float(features.var(0, correction=0).sum())


def _leave_out_itself(rows: slice, columns: slice, tile: Tensor) -> None:
    start, stop = max(rows.start, columns.start), min(rows.stop, columns.stop)
    numbers = torch.arange(start, max(start, stop))  # none in a tile off the diagonal
    tile[numbers - rows.start, numbers - columns.start] = torch.inf
