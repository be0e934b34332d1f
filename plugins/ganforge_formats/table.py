"""Tables: some rows as they stand in a file, and the distribution of every column."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import torch
from PIL import Image, ImageDraw
from torch import Tensor

from ganforge import Column, Drawn, Format, Problem, columns_of

from .canvas import FRAME, GRID, INK, TEXT, WHITE, Axis, Canvas, Colour, Names, draw_legend
from .lettering import font_of, one_line, pixels, strip
from .plots import FAKE, REAL, Group, draw_histograms
from .spreadsheet import encode_csv, numbers

NUM_ROWS = 8  # that are written out
MOST_PANELS = 24  # columns whose distribution is shown
MOST_BARS = 7  # of a category
_PANEL = (250, 160)
_IN_A_ROW = 4
_WIDTH = _PANEL[0] * _IN_A_ROW
_UNIT = 0.8  # of the letters in a panel
_NAMES = 84  # pixels beside the bars of a category, for the names of its values
_TEXT, _LINE, _PAD = 12, 20, 8
_CELL_LETTERS = 16


class _Shown(NamedTuple):
    """One column of real or of generated rows, `[N]`."""

    label: str
    colour: Colour
    values: Tensor


class TableFormat(Format):
    """Rows of a table as vectors `(D,)`, whose columns are the fact `columns` of the fit."""

    num_pictured = None
    shows_real = True

    def __init__(self, problem: Problem, options: object = None) -> None:
        super().__init__(problem)
        self._columns = columns_of(problem)

    def picture(self, drawn: Drawn) -> Tensor:
        """Generated rows, then a histogram for each column, over that of real rows in grey."""
        decoded = self._decoded(drawn.samples)
        groups = [("generated", FAKE, decoded)] if drawn.generated else [("real", REAL, decoded)]
        if drawn.generated and drawn.real is not None:
            groups.insert(0, ("real", REAL, self._decoded(drawn.real)))
        panels = [
            _panel(column, [_Shown(label, colour, it[place]) for label, colour, it in groups])
            for place, column in enumerate(self._columns[:MOST_PANELS])
        ]
        legend = _legend([(f"{label}: {len(it[0]):,}", colour) for label, colour, it in groups])
        pieces = [*self._rows(decoded), legend, *_tiled(panels)]
        if len(self._columns) > MOST_PANELS:
            pieces.append(strip(f"and {len(self._columns) - MOST_PANELS} more columns", _WIDTH))
        return torch.cat([piece.expand(-1, -1, 3) for piece in pieces])

    def encode(self, drawn: Drawn, suffix: str) -> bytes:
        """A CSV as the data was given: names, units, categories and the order of the columns."""
        return self._written(drawn, header=True)

    def encode_parts(self, parts: Iterable[Drawn], suffix: str) -> Iterator[bytes]:
        for place, part in enumerate(parts):
            yield self._written(part, header=place == 0)

    def _written(self, drawn: Drawn, *, header: bool) -> bytes:
        pairs = zip(self._columns, self._decoded(drawn.samples), strict=True)
        columns = {column.name: _texts(column, values) for column, values in pairs}
        return encode_csv(columns, drawn, header=header)

    def _decoded(self, samples: Tensor) -> list[Tensor]:
        restored = self.restored(samples)
        return [column.decoded(samples, restored) for column in self._columns]

    def _rows(self, decoded: Sequence[Tensor]) -> Iterator[Tensor]:
        """The first rows as text, in as many blocks as the width takes."""
        cells = [
            [one_line(column.name, _CELL_LETTERS)]
            + [_cell(column, text) for text in _texts(column, values[:NUM_ROWS])]
            for column, values in zip(self._columns, decoded, strict=True)
        ]
        font = font_of(_TEXT)
        block: list[list[str]] = []
        widths: list[int] = []
        for column in cells[:MOST_PANELS]:
            width = math.ceil(max(font.getlength(text) for text in column)) + 2 * _PAD
            if block and sum(widths) + width > _WIDTH - 2 * _PAD:
                yield _written(block, widths)
                block, widths = [], []
            block.append(column)
            widths.append(width)
        yield _written(block, widths)


def _texts(column: Column, decoded: Tensor) -> list[str]:
    """The texts of a column's cells in a file."""
    if column.values is not None:
        return [column.values[number] for number in decoded.tolist()]
    return numbers(decoded, column.decimals)


def _cell(column: Column, text: str) -> str:
    """A cell of the picture; numbers that a file has in full are shortened."""
    if column.values is None and column.decimals is None:
        return f"{float(text):.4g}"
    return one_line(text, _CELL_LETTERS)


def _written(columns: Sequence[Sequence[str]], widths: Sequence[int]) -> Tensor:
    """Columns of text below their names, uint8 `[H, _WIDTH, 3]`."""
    num_lines = len(columns[0])
    page = Image.new("RGB", (_WIDTH, num_lines * _LINE + 2 * _PAD), WHITE)
    draw, font = ImageDraw.Draw(page), font_of(_TEXT)
    right = _PAD + sum(widths)
    for line in range(1, num_lines):
        y = _PAD + line * _LINE
        draw.line([(_PAD, y), (right, y)], fill=FRAME if line == 1 else GRID)
    left = _PAD
    for texts, width in zip(columns, widths, strict=True):
        for line, text in enumerate(texts):
            middle = _PAD + line * _LINE + _LINE / 2
            draw.text((left + width - _PAD, middle), text, fill=INK, font=font, anchor="rm")
        left += width
    return pixels(page)


def _legend(legend: Sequence[tuple[str, Colour]]) -> Tensor:
    page = Image.new("RGB", (_WIDTH, 26), WHITE)
    draw_legend(page, legend, _PAD, 13)
    return pixels(page)


def _tiled(panels: Sequence[Tensor]) -> Iterator[Tensor]:
    """Panels in rows of four, uint8 `[H, _WIDTH, 3]` each."""
    blank = torch.full_like(panels[0], 255)
    for start in range(0, len(panels), _IN_A_ROW):
        row = list(panels[start : start + _IN_A_ROW])
        yield torch.cat(row + [blank] * (_IN_A_ROW - len(row)), dim=1)


def _panel(column: Column, shown: Sequence[_Shown]) -> Tensor:
    """The distribution of one column, uint8 `[H, W, 3]`."""
    title = one_line(column.name, 30)
    if column.values is not None:
        return _bars(column.values, shown, title)
    canvas = Canvas(*_PANEL, unit=_UNIT)
    groups = [Group.of(it.label, it.colour, it.values[:, None]) for it in shown]
    across, up, outside = draw_histograms(groups, canvas, num_ticks=4)
    beyond = outside[-1] + groups[-1].num_lost
    return canvas.finished(across, up, title=f"{title} ({beyond:,} outside)" if beyond else title)


def _bars(values: Sequence[str], shown: Sequence[_Shown], title: str) -> Tensor:
    """The share of each value of a category, the most frequent of the first group first."""
    shares = [
        torch.bincount(it.values, minlength=len(values)).double() / max(len(it.values), 1)
        for it in shown
    ]
    order = shares[0].argsort(descending=True, stable=True)
    most, rest = order[:MOST_BARS], order[MOST_BARS:]
    names = [values[number] or "(none)" for number in most.tolist()]
    lengths = torch.stack([share[most] for share in shares])
    if len(rest):
        names.append(f"{len(rest)} more")
        lengths = torch.cat([lengths, torch.stack([it[rest].sum() for it in shares])[:, None]], 1)
    canvas = Canvas(*_PANEL, unit=_UNIT, left=_NAMES)
    across = Axis(
        low=0, high=1.05 * float(lengths.max()) or 1.0, first=0, last=canvas.width, num_ticks=4
    )
    canvas.grid(across)
    room = canvas.height / len(names)
    thickness = 0.8 * room / len(shown)
    for place, it in enumerate(shown):
        for number, right in enumerate(across.place(lengths[place]).tolist()):
            top = (number + 0.1) * room + place * thickness
            canvas.bar(top, top + thickness, right, it.colour)
    beside = Names(texts=tuple(map(_fitting, names)), length=canvas.height)
    return canvas.finished(across, beside, title=title)


def _fitting(name: str) -> str:
    """As much of a name as there is room for beside a bar."""
    font = font_of(round(_UNIT * TEXT))
    text = one_line(name, 30)
    while font.getlength(text) > _NAMES - _PAD and len(text) > 1:
        text = text.removesuffix("…")[:-1] + "…"
    return text
