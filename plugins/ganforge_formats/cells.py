"""Light cells in a sheet: one for each sample, with its companions beside it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from ganforge import Drawn

from .lettering import above
from .rows import arrange
from .tiles import sheet

_BETWEEN = 4  # pixels between the cells of companions
_GAP = 8  # and between those of samples


def sheet_of(
    drawn: Drawn,
    shown: Mapping[str, Tensor],
    draw: Callable[[Tensor], Tensor],
    heading: str = "",
) -> Tensor:
    """A picture of all samples, uint8 `[H, W, 3]`.

    `shown` are samples and companions by name, from left to right, each `[N, ...]`; `draw` makes of
    one of their values a cell, uint8 `[h, w, 3]`, all of one size.
    """
    num = len(drawn.samples)
    cells = torch.stack([_cell(number, shown, draw) for number in range(num)])
    _, height, width, _ = cells.shape
    columns = _columns(num, height / width)
    rows = arrange(drawn, columns, longest=max(2, columns))
    captions = rows.captions
    picture = sheet([cells[row] for row in rows.numbers], captions, dark=False, gap=_GAP)
    words = [heading] if heading else []
    if len(shown) > 1:
        words.append(f"from left to right: {', '.join(shown)}")
    return above(picture, "; ".join(words)) if words else picture


def _columns(num: int, proportion: float) -> int:
    """Columns that make a picture about square, of whole rows where one more or less does."""
    ideal = min(num, max(1, round(math.sqrt(num * proportion))))
    near = [it for it in (ideal, ideal + 1, ideal - 1) if 0 < it <= num and num % it == 0]
    return near[0] if near else ideal


def _cell(number: int, shown: Mapping[str, Tensor], draw: Callable[[Tensor], Tensor]) -> Tensor:
    drawn = [draw(values[number]) for values in shown.values()]
    space = torch.full((drawn[0].shape[0], _BETWEEN, 3), 255, dtype=torch.uint8)
    spaced = [piece for cell in drawn for piece in (space, cell)]
    return torch.cat(spaced[1:], dim=1)
