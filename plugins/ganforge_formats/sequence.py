"""Time series: a small plot for each, with a line per channel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import torch
from PIL import Image, ImageDraw
from torch import Tensor

from ganforge import Drawn, Format, Problem

from .canvas import FINE, FRAME, GRID, INK, WHITE, Axis, Colour, draw_legend
from .cells import sheet_of
from .lettering import font_of, one_line, pixels
from .plots import rounded_range
from .rows import parts
from .spreadsheet import class_names, encode_rows, numbers

#: of the channels, in order, and again from the first (Okabe and Ito, 2008)
COLOURS: tuple[Colour, ...] = (
    (0, 114, 178),
    (213, 94, 0),
    (0, 158, 115),
    (204, 121, 167),
    (86, 180, 233),
    (230, 159, 0),
    (110, 110, 110),
)
WIDTH, HEIGHT = 260, 120  # of a plot, in pixels
_LEFT, _BOTTOM, _EDGE = 44, 20, 4  # pixels beside the plotting area
_TEXT = 10
_MOST_IN_LEGEND = 12  # channels


class SequenceFormat(Format):
    """Sequences `(C, T)`; all plots of a picture have the same axes.

    The fact `channels` of a fit has the names of the channels.
    """

    num_pictured = 16

    def __init__(self, problem: Problem, options: object = None) -> None:
        super().__init__(problem)
        self._channels, self._length = problem.sample_shape
        self._rate = problem.sample.rate
        self._names = channel_names(problem)

    def picture(self, drawn: Drawn) -> Tensor:
        shown = self._shown(drawn)
        return self._sheet(drawn, shown, _range_of(shown.values()))

    def walk(self, steps: Sequence[Drawn]) -> list[Tensor]:
        """Lines that move over axes that stand still."""
        shown = [self._shown(step) for step in steps]
        limits = _range_of([values for step in shown for values in step.values()])
        return [self._sheet(*both, limits) for both in zip(steps, shown, strict=True)]

    def encode(self, drawn: Drawn, suffix: str) -> bytes:
        """A CSV with a row for each sample and time: `sample`, `time`, and the channels by name.

        The time is in seconds where the field has a rate, else a number from 0 on.
        """
        return self._rows(drawn, first=0)

    def encode_parts(self, parts: Iterable[Drawn], suffix: str) -> Iterator[bytes]:
        first = 0
        for part in parts:
            yield self._rows(part, first)
            first += len(part.samples)

    def _rows(self, drawn: Drawn, first: int) -> bytes:
        """The rows of samples from number `first` on, the first ones below the header."""
        values = self.restored(drawn.samples)
        times = [
            str(step if self._rate is None else step / self._rate) for step in range(self._length)
        ]
        header = ["sample", "time", *self._names]
        classes = None if drawn.labels is None else class_names(drawn)
        if classes is not None:
            header.append("label")
        rows = []
        for number, sample in enumerate(values, first):
            columns = [numbers(channel) for channel in sample]
            label = [] if classes is None else [classes[number - first]]
            for step, row in enumerate(zip(*columns, strict=True)):
                rows.append([number, times[step], *row, *label])
        return encode_rows(header if first == 0 else None, rows)

    def _shown(self, drawn: Drawn) -> dict[str, Tensor]:
        """Samples and companions in the units of the data, without channels that samples lack."""
        shown = parts(drawn).items()
        return {name: self.restored(values[:, : self._channels]) for name, values in shown}

    def _sheet(self, drawn: Drawn, shown: dict[str, Tensor], limits: tuple[float, float]) -> Tensor:
        duration = self._length if self._rate is None else self._length / self._rate
        unit = "" if self._rate is None else " s"
        picture = sheet_of(
            drawn, shown, lambda values: _plot(values, limits, f"{duration:g}{unit}")
        )
        if self._channels == 1:
            return picture
        return torch.cat([_legend(self._names, picture.shape[1]), picture])


def channel_names(problem: Problem) -> list[str]:
    """The names of the channels: those of the fit, or `channel0` and so on.

    Raises ValueError where they are not as many as the channels.
    """
    channels = problem.sample_shape[0]
    named = None if problem.fit is None else problem.fit.facts.get("channels")
    if named is None:
        return [f"channel{number}" for number in range(channels)]
    names = [str(name) for name in named]
    if len(names) != channels:
        raise ValueError(f"the fact 'channels' has {len(names)} names for {channels} channels")
    return names


def _range_of(values: Iterable[Tensor]) -> tuple[float, float]:
    """The range in which most of the numbers lie, rounded outwards."""
    flat = torch.cat([it.flatten() for it in values])
    return rounded_range(flat[flat.isfinite()].double())


def _plot(values: Tensor, limits: tuple[float, float], duration: str) -> Tensor:
    """One sequence `[C, T]` as a plot, uint8 `[HEIGHT, WIDTH, 3]`."""
    low, high = limits
    width, height = WIDTH - _LEFT - _EDGE, HEIGHT - _BOTTOM - _EDGE
    up = Axis(low=low, high=high, first=height, last=0, num_ticks=3)
    area = Image.new("RGB", (width * FINE, height * FINE), WHITE)
    draw = ImageDraw.Draw(area)
    for y, _ in up.ticks():
        draw.line([(0, y * FINE), (width * FINE, y * FINE)], fill=GRID, width=FINE)
    length = values.shape[1]
    across = torch.linspace(0, width * FINE, length) if length > 1 else torch.zeros(1)
    places = up.place(values.double()) * FINE
    for number, line in enumerate(places):
        # What is far outside would overflow the drawing; what is not finite is left out.
        finite = line.isfinite()
        line = line[finite].clamp(-FINE * height, 2 * FINE * height)
        points = list(zip(across[finite].tolist(), line.tolist(), strict=True))
        if len(points) > 1:
            draw.line(points, fill=COLOURS[number % len(COLOURS)], width=6, joint="curve")
    plot = Image.new("RGB", (WIDTH, HEIGHT), WHITE)
    plot.paste(area.reduce(FINE), (_LEFT, _EDGE))
    draw = ImageDraw.Draw(plot)
    font = font_of(_TEXT)
    draw.rectangle((_LEFT, _EDGE, _LEFT + width, _EDGE + height), outline=FRAME)
    for y, text in up.ticks():
        draw.text((_LEFT - 4, _EDGE + y), text, fill=INK, font=font, anchor="rm")
    below = _EDGE + height + 4
    draw.text((_LEFT, below), "0", fill=INK, font=font, anchor="mt")
    draw.text((_LEFT + width, below), duration, fill=INK, font=font, anchor="rt")
    return pixels(plot)


def _legend(names: Sequence[str], width: int) -> Tensor:
    """The names of the channels in their colours, uint8 `[H, width, 3]`."""
    strip = Image.new("RGB", (width, 24), WHITE)
    shown = [one_line(name, 24) for name in names[:_MOST_IN_LEGEND]]
    if len(names) > _MOST_IN_LEGEND:
        shown[-1] += f" and {len(names) - _MOST_IN_LEGEND} more"
    legend = [(name, COLOURS[number % len(COLOURS)]) for number, name in enumerate(shown)]
    draw_legend(strip, legend, 8, 12, 0.85)
    return pixels(strip)
