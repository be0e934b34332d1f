"""A sheet to plot on: axes with numbers, smooth points and steps, and a legend."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

Colour = tuple[int, int, int]

_INK: Colour = (45, 48, 52)
_FRAME: Colour = (140, 145, 152)
_GRID: Colour = (232, 234, 238)
_WHITE: Colour = (255, 255, 255)

_FINE = 4  # shapes are drawn this much larger and shrunk, which smooths their edges
_NUM_TICKS = 6

# Lengths in pixels of a sheet of 480 x 480; those of another follow in proportion.
_DESIGN = 480
_LEFT, _TOP, _RIGHT, _BOTTOM = 48, 34, 14, 30
_CAPTION = 20
_TEXT = 13
_KEY = 5  # radius of a point in the legend


@dataclass(frozen=True, kw_only=True)
class Axis:
    """The values from `low` to `high`, drawn over pixels `first` to `last` of the plotting area."""

    low: float
    high: float
    first: float
    last: float

    def place(self, values: Tensor) -> Tensor:
        """Values to pixels, elementwise."""
        share = (values - self.low) / (self.high - self.low)
        return self.first + share * (self.last - self.first)

    def ticks(self) -> Iterator[tuple[float, str]]:
        """Round values within the range: the pixel, and the number to write beside it."""
        step = round_step((self.high - self.low) / _NUM_TICKS)
        digits = max(0, -math.floor(math.log10(step) + 1e-9))
        for i in range(math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9) + 1):
            place = float(self.place(torch.tensor(i * step, dtype=torch.float64)))
            yield place, f"{i * step:.{digits}f}" if digits < 4 and step < 1e4 else f"{i * step:g}"


def round_step(step: float) -> float:
    """The least of 1, 2 and 5 times powers of ten that is not smaller."""
    power: float = 10.0 ** math.floor(math.log10(step))
    return next(it * power for it in (1, 2, 5, 10) if it * power >= step * (1 - 1e-9))


class Canvas:
    """A white sheet of `size` x `size` pixels; what is drawn stays within the plotting area.

    That area is `width` x `height` pixels, and coordinates count from its upper left corner. A
    caption is a line below it.
    """

    def __init__(self, size: int, caption: str = "") -> None:
        self._size, self._unit, self._caption = size, size / _DESIGN, caption
        below = _BOTTOM + (_CAPTION if caption else 0)
        self._left, self._top = self._px(_LEFT), self._px(_TOP)
        self.width = size - self._left - self._px(_RIGHT)
        self.height = size - self._top - self._px(below)
        area = (self.width * _FINE, self.height * _FINE)
        self._area = Image.new("RGB", area, _WHITE)
        self._draw = ImageDraw.Draw(self._area, "RGBA")  # RGBA: colours blend with what is there

    def _px(self, length: float) -> int:
        return round(length * self._unit)

    def grid(self, across: Axis, up: Axis) -> None:
        """Lines at the ticks."""
        thickness = max(1, self._px(1)) * _FINE
        width, height = self._area.size
        for x, _ in across.ticks():
            self._draw.line([(x * _FINE, 0), (x * _FINE, height)], fill=_GRID, width=thickness)
        for y, _ in up.ticks():
            self._draw.line([(0, y * _FINE), (width, y * _FINE)], fill=_GRID, width=thickness)

    def points(self, places: Tensor, colour: Colour, radius: float, opacity: float) -> None:
        """A disc at each place `[N, 2]`."""
        fill = (*colour, round(255 * opacity))
        reach = radius * self._unit * _FINE
        for x, y in (places * _FINE).tolist():
            self._draw.ellipse([x - reach, y - reach, x + reach, y + reach], fill=fill)

    def steps(self, edges: Tensor, tops: Tensor, colour: Colour, opacity: float) -> None:
        """Bars between edges `[N + 1]`, from the bottom up to tops `[N]`, as one outline."""
        bottom = float(self.height + 2)  # below the area, so that the outline has no base line
        x = edges.repeat_interleave(2)
        y = torch.cat([tops.new_tensor([bottom]), tops.repeat_interleave(2)])
        y = torch.cat([y, tops.new_tensor([bottom])])
        outline = [(a * _FINE, b * _FINE) for a, b in zip(x.tolist(), y.tolist(), strict=True)]
        self._draw.polygon(outline, fill=(*colour, round(255 * opacity)))
        self._draw.line(outline, fill=colour, width=self._px(2) * _FINE, joint="curve")

    def finished(self, across: Axis, up: Axis, legend: Sequence[tuple[str, Colour]]) -> Tensor:
        """The sheet with frame, numbers and legend, uint8 `[size, size, 3]`."""
        sheet = Image.new("RGB", (self._size, self._size), _WHITE)
        sheet.paste(self._area.reduce(_FINE), (self._left, self._top))
        draw = ImageDraw.Draw(sheet)
        font = ImageFont.load_default(max(8, self._px(_TEXT)))
        right, bottom = self._left + self.width, self._top + self.height
        draw.rectangle((self._left, self._top, right, bottom), outline=_FRAME)
        gap = self._px(6)
        for x, text in across.ticks():
            draw.text((self._left + x, bottom + gap), text, fill=_INK, font=font, anchor="mt")
        for y, text in up.ticks():
            draw.text((self._left - gap, self._top + y), text, fill=_INK, font=font, anchor="rm")
        if self._caption:
            middle = ((self._left + right) / 2, self._size - gap)
            draw.text(middle, self._caption, fill=_INK, font=font, anchor="mb")
        self._write_legend(sheet, legend, font)
        return torch.frombuffer(bytearray(sheet.tobytes()), dtype=torch.uint8).view(
            self._size, self._size, 3
        )

    def _write_legend(
        self,
        sheet: Image.Image,
        legend: Sequence[tuple[str, Colour]],
        font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    ) -> None:
        draw = ImageDraw.Draw(sheet)
        radius, x, y = self._px(_KEY), float(self._left), self._top / 2
        key = Image.new("RGB", ((2 * radius + 1) * _FINE,) * 2, _WHITE)
        for text, colour in legend:
            ImageDraw.Draw(key).ellipse((0, 0, key.width - 1, key.height - 1), fill=colour)
            sheet.paste(key.reduce(_FINE), (round(x), round(y) - radius))
            x += 2 * radius + self._px(6)
            draw.text((x, y), text, fill=_INK, font=font, anchor="lm")
            x += font.getlength(text) + self._px(18)
