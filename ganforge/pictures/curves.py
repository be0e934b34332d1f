"""Curves: what a run has measured, drawn over its steps as one PNG."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from PIL import Image, ImageDraw, ImageFont

from ganforge.runs.panels import Curve, Panel, end_of
from ganforge.runs.scales import Scale

Colour = tuple[int, int, int]

#: of the curves of a panel, in order (Okabe and Ito, 2008)
COLOURS: tuple[Colour, ...] = (
    (0, 114, 178),
    (213, 94, 0),
    (0, 158, 115),
    (204, 121, 167),
    (86, 180, 233),
    (230, 159, 0),
)
INK, FAINT, FRAME, GRID, WHITE = (
    (45, 48, 52),
    (110, 115, 122),
    (176, 180, 186),
    (222, 225, 230),
    (255, 255, 255),
)

MOST_PANELS = 12
_COLUMNS = 2
_WIDTH, _HEIGHT = 470, 236  # of a panel, in pixels
_LEFT, _TOP, _RIGHT, _BOTTOM = 58, 46, 14, 40  # beside the plotting area of a panel
_HEADER, _FOOTER = 30, 24
_FINE = 2  # lines are drawn this much larger and shrunk, which smooths their edges
_TEXT = 12


def draw_curves(panels: Sequence[Panel], title: str) -> bytes:
    """A PNG of panels in two columns under a title. Raises ValueError where there is none."""
    if not panels:
        raise ValueError("there is nothing to draw")
    shown, num_left_out = panels[:MOST_PANELS], len(panels) - MOST_PANELS
    columns = min(_COLUMNS, len(shown))
    rows = -(-len(shown) // columns)
    footer = _FOOTER if num_left_out > 0 else 0
    sheet = Image.new("RGB", (_WIDTH * columns, _HEADER + _HEIGHT * rows + footer), WHITE)
    draw = ImageDraw.Draw(sheet)
    write = _Writer(draw)
    write(12, _HEADER / 2 + 2, write.fitting(title, sheet.width - 24), anchor="lm")
    end = max(1, end_of(list(panels)))
    for place, panel in enumerate(shown):
        down, right = divmod(place, columns)
        _draw_panel(sheet, write, panel, right * _WIDTH, _HEADER + down * _HEIGHT, end)
    if footer:
        text = f"and {num_left_out} more in metrics.jsonl"
        write(12, sheet.height - footer / 2, text, anchor="lm", ink=FAINT)
    buffer = io.BytesIO()
    # A palette halves the time and the file.
    sheet = sheet.quantize(128, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    sheet.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


class _Writer:
    """Writes texts on a sheet."""

    def __init__(self, draw: ImageDraw.ImageDraw) -> None:
        self.draw = draw
        self.font = _font()

    def __call__(self, x: float, y: float, text: str, *, anchor: str, ink: Colour = INK) -> None:
        self.draw.text((x, y), text, fill=ink, font=self.font, anchor=anchor)

    def fitting(self, text: str, width: float) -> str:
        """As much of a text as there is room for."""
        if self.font.getlength(text) <= width:
            return text
        while text and self.font.getlength(f"{text}...") > width:
            text = text[:-1]
        return f"{text}..."


@cache
def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(_TEXT)


def _draw_panel(
    sheet: Image.Image, write: _Writer, panel: Panel, left: int, top: int, end: int
) -> None:
    """One panel whose upper left corner is at `left`, `top`."""
    width, height = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
    across, up = Scale(low=0, high=end * 1.01), panel.up
    x = [(across.share(value) * width, text) for value, text in across.ticks(6)]
    y = [((1 - up.share(value)) * height, text) for value, text in up.ticks(5)]
    area = Image.new("RGB", (width * _FINE, height * _FINE), WHITE)
    draw = ImageDraw.Draw(area, "RGBA")
    for place, _ in x:
        draw.line([(place * _FINE, 0), (place * _FINE, height * _FINE)], fill=GRID, width=_FINE)
    for place, _ in y:
        draw.line([(0, place * _FINE), (width * _FINE, place * _FINE)], fill=GRID, width=_FINE)
    for curve, colour in zip(panel.curves, COLOURS, strict=False):
        _draw_curve(draw, curve, colour, across, up)
    left, top = left + _LEFT, top + _TOP
    sheet.paste(area.reduce(_FINE), (left, top))
    write.draw.rectangle((left, top, left + width, top + height), outline=FRAME)
    for place, text in x:
        write(left + place, top + height + 5, text, anchor="mt")
    for place, text in y:
        write(left - 6, top + place, text, anchor="rm")
    write(left + width, top + height + 21, "step", anchor="rt", ink=FAINT)
    note = "" if up.kind == "linear" else " (logarithmic)"
    write(left, top - 34, write.fitting(panel.title + note, width), anchor="lm")
    _draw_legend(write, panel, left, top - 14, width)


def _draw_curve(
    draw: ImageDraw.ImageDraw, curve: Curve, colour: Colour, across: Scale, up: Scale
) -> None:
    """The means as a line, within a band from the lowest to the highest values."""
    width, height = (_WIDTH - _LEFT - _RIGHT) * _FINE, (_HEIGHT - _TOP - _BOTTOM) * _FINE

    def places(values: Iterable[float]) -> Iterator[tuple[float, float]]:
        for point, value in zip(curve.points, values, strict=True):
            yield across.share(point.step) * width, (1 - up.share(value)) * height

    line = [*places(point.mean for point in curve.points)]
    if any(point.low < point.high for point in curve.points):
        highest = [*places(point.high for point in curve.points)]
        lowest = [*places(point.low for point in curve.points)]
        draw.polygon([*highest, *reversed(lowest)], fill=(*colour, 60))
    if len(line) > 1:
        draw.line(line, fill=colour, width=round(1.6 * _FINE), joint="curve")
    if len(line) < 20:  # few values, as of metrics, are seen one by one
        reach = 2.2 * _FINE
        for x, y in line:
            draw.ellipse((x - reach, y - reach, x + reach, y + reach), fill=colour)


def _draw_legend(write: _Writer, panel: Panel, left: float, middle: float, width: float) -> None:
    """The names of the curves, with their last values if there is room for all."""
    texts = [f"{curve.points[-1].mean:.4g}" for curve in panel.curves]
    names = [curve.name for curve in panel.curves]
    if names != [panel.title]:
        texts = [f"{name} {value}" for name, value in zip(names, texts, strict=True)]
    if sum(write.font.getlength(text) + 33 for text in texts) > width:
        texts = [write.fitting(name, width / len(names) - 33) for name in names]
    for text, colour in zip(texts, COLOURS, strict=False):
        write.draw.line([(left, middle), (left + 14, middle)], fill=colour, width=3)
        write(left + 19, middle, text, anchor="lm")
        left += 19 + write.font.getlength(text) + 14
