"""A sheet to plot on: axes with numbers, smooth points and steps, and a legend."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from PIL import Image, ImageDraw
from torch import Tensor

from .lettering import font_of, pixels

Colour = tuple[int, int, int]

INK: Colour = (45, 48, 52)
FRAME: Colour = (140, 145, 152)
GRID: Colour = (232, 234, 238)
WHITE: Colour = (255, 255, 255)

NUM_TICKS = 6  # of an axis, at most about so many
FINE = 4  # shapes are drawn this much larger and shrunk, which smooths their edges

# Lengths in pixels of a sheet of 480 x 480; those of another follow in proportion.
_DESIGN = 480
_LEFT, _TOP, _RIGHT, _BOTTOM = 48, 34, 14, 30
_CAPTION = 20
TEXT = 13
_KEY = 5  # radius of a point in the legend


class Scale(Protocol):
    """Ticks and their texts beside an edge of the plotting area."""

    def ticks(self) -> Iterator[tuple[float, str]]:
        """Pixels, each with the text to write beside it."""


@dataclass(frozen=True, kw_only=True)
class Axis:
    """The values from `low` to `high`, drawn over pixels `first` to `last` of the plotting area."""

    low: float
    high: float
    first: float
    last: float
    num_ticks: int = NUM_TICKS

    def place(self, values: Tensor) -> Tensor:
        """Values to pixels, elementwise."""
        share = (values - self.low) / (self.high - self.low)
        return self.first + share * (self.last - self.first)

    def ticks(self) -> Iterator[tuple[float, str]]:
        """Round values within the range: the pixel, and the number to write beside it."""
        step = round_step((self.high - self.low) / self.num_ticks)
        digits = max(0, -math.floor(math.log10(step) + 1e-9))
        for i in range(math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9) + 1):
            place = float(self.place(torch.tensor(i * step, dtype=torch.float64)))
            yield place, f"{i * step:.{digits}f}" if digits < 4 and step < 1e4 else f"{i * step:g}"


@dataclass(frozen=True, kw_only=True)
class Names:
    """Texts beside the middles of equal parts of an edge that is `length` pixels long."""

    texts: tuple[str, ...]
    length: float

    def ticks(self) -> Iterator[tuple[float, str]]:
        """The middle of each part, and its text."""
        for number, text in enumerate(self.texts):
            yield (number + 0.5) * self.length / len(self.texts), text


def round_step(step: float) -> float:
    """The least of 1, 2 and 5 times powers of ten that is not smaller."""
    power: float = 10.0 ** math.floor(math.log10(step))
    return next(it * power for it in (1, 2, 5, 10) if it * power >= step * (1 - 1e-9))


class Canvas:
    """A white sheet of `width` x `height` pixels; what is drawn stays within the plotting area.

    That area is `self.width` x `self.height` pixels, and coordinates count from its upper left
    corner. A caption is a line below it. Lines and letters are of the sizes that suit a sheet of
    480 pixels, times `unit`, which follows the width if it is not given. `left` is the room for the
    numbers on the left, in pixels.
    """

    def __init__(
        self,
        width: int,
        height: int | None = None,
        *,
        caption: str = "",
        unit: float | None = None,
        left: int | None = None,
    ) -> None:
        self._size = (width, height or width)
        self._unit, self._caption = unit or width / _DESIGN, caption
        below = _BOTTOM + (_CAPTION if caption else 0)
        self._left, self._top = left or self._px(_LEFT), self._px(_TOP)
        self.width = self._size[0] - self._left - self._px(_RIGHT)
        self.height = self._size[1] - self._top - self._px(below)
        area = (self.width * FINE, self.height * FINE)
        self._area = Image.new("RGB", area, WHITE)
        self._draw = ImageDraw.Draw(self._area, "RGBA")  # RGBA: colours blend with what is there

    def _px(self, length: float) -> int:
        return round(length * self._unit)

    def grid(self, across: Scale, up: Scale | None = None) -> None:
        """Lines at the ticks."""
        thickness = max(1, self._px(1)) * FINE
        width, height = self._area.size
        for x, _ in across.ticks():
            self._draw.line([(x * FINE, 0), (x * FINE, height)], fill=GRID, width=thickness)
        for y, _ in () if up is None else up.ticks():
            self._draw.line([(0, y * FINE), (width, y * FINE)], fill=GRID, width=thickness)

    def points(self, places: Tensor, colour: Colour, radius: float, opacity: float) -> None:
        """A disc at each place `[N, 2]`."""
        fill = (*colour, round(255 * opacity))
        reach = radius * self._unit * FINE
        for x, y in (places * FINE).tolist():
            self._draw.ellipse([x - reach, y - reach, x + reach, y + reach], fill=fill)

    def steps(self, edges: Tensor, tops: Tensor, colour: Colour, opacity: float) -> None:
        """Bars between edges `[N + 1]`, from the bottom up to tops `[N]`, as one outline."""
        bottom = float(self.height + 2)  # below the area, so that the outline has no base line
        x = edges.repeat_interleave(2)
        y = torch.cat([tops.new_tensor([bottom]), tops.repeat_interleave(2)])
        y = torch.cat([y, tops.new_tensor([bottom])])
        outline = [(a * FINE, b * FINE) for a, b in zip(x.tolist(), y.tolist(), strict=True)]
        self._draw.polygon(outline, fill=(*colour, round(255 * opacity)))
        self._draw.line(outline, fill=colour, width=self._px(2) * FINE, joint="curve")

    def bar(self, top: float, bottom: float, right: float, colour: Colour) -> None:
        """A bar from the left edge to `right`."""
        if right > 0:
            corners = [0, top * FINE, right * FINE, bottom * FINE]
            self._draw.rectangle(corners, fill=colour)

    def finished(
        self,
        across: Scale,
        up: Scale,
        legend: Sequence[tuple[str, Colour]] = (),
        title: str = "",
    ) -> Tensor:
        """The sheet with frame, numbers and a legend or a title above, uint8 `[H, W, 3]`."""
        sheet = Image.new("RGB", self._size, WHITE)
        sheet.paste(self._area.reduce(FINE), (self._left, self._top))
        draw = ImageDraw.Draw(sheet)
        font = font_of(max(8, self._px(TEXT)))
        right, bottom = self._left + self.width, self._top + self.height
        draw.rectangle((self._left, self._top, right, bottom), outline=FRAME)
        gap = self._px(6)
        for x, text in across.ticks():
            draw.text((self._left + x, bottom + gap), text, fill=INK, font=font, anchor="mt")
        for y, text in up.ticks():
            draw.text((self._left - gap, self._top + y), text, fill=INK, font=font, anchor="rm")
        if self._caption:
            middle = ((self._left + right) / 2, self._size[1] - gap)
            draw.text(middle, self._caption, fill=INK, font=font, anchor="mb")
        if title:
            draw.text((self._left, self._top / 2), title, fill=INK, font=font, anchor="lm")
        draw_legend(sheet, legend, self._left, self._top / 2, self._unit)
        return pixels(sheet)


def draw_legend(
    sheet: Image.Image,
    legend: Sequence[tuple[str, Colour]],
    left: float,
    middle: float,
    unit: float = 1.0,
) -> None:
    """Texts with a point of their colour before them, on one line, from `left` on."""
    draw, font = ImageDraw.Draw(sheet), font_of(max(8, round(TEXT * unit)))
    radius, x = round(_KEY * unit), float(left)
    key = Image.new("RGB", ((2 * radius + 1) * FINE,) * 2, WHITE)
    for text, colour in legend:
        ImageDraw.Draw(key).ellipse((0, 0, key.width - 1, key.height - 1), fill=colour)
        sheet.paste(key.reduce(FINE), (round(x), round(middle) - radius))
        x += 2 * radius + round(6 * unit)
        draw.text((x, middle), text, fill=INK, font=font, anchor="lm")
        x += font.getlength(text) + round(18 * unit)
