"""Samples that are vectors as pictures: points in the plane, or histograms of single numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from .canvas import NUM_TICKS, Axis, Canvas, Colour, round_step

REAL: Colour = (128, 134, 142)
FAKE: Colour = (208, 60, 20)
_OPACITY = 0.6

_TAIL = 0.005  # the share of real samples that may lie outside, on each side
_MARGIN = 0.15  # of the range of the others, on each side
_HEADROOM = 1.5  # of a histogram, over the highest bar of the real samples
_FEWEST_BINS, _MOST_BINS = 12, 80


@dataclass(frozen=True, kw_only=True)
class Group:
    """Samples to draw, float64 `[N, D]`, all finite; `num_lost` more were not."""

    label: str
    colour: Colour
    points: Tensor
    num_lost: int

    @classmethod
    def of(cls, label: str, colour: Colour, samples: Tensor) -> Group:
        """The finite ones of samples `[N, D]`."""
        samples = samples.detach().cpu().double()
        finite = samples.isfinite().all(dim=1)
        return cls(
            label=label,
            colour=colour,
            points=samples[finite],
            num_lost=len(samples) - int(finite.sum()),
        )

    def described(self, num_outside: int) -> tuple[str, Colour]:
        """The text and the colour of its legend."""
        asides = ((num_outside, "outside"), (self.num_lost, "not finite"))
        notes = ", ".join(f"{num:,} {what}" for num, what in asides if num)
        total = len(self.points) + self.num_lost
        return f"{self.label}: {total:,}{f' ({notes})' if notes else ''}", self.colour


def groups_of(real: Tensor | None, fake: Tensor | None) -> list[Group]:
    """Real samples `[N, D]` and generated ones `[M, D]`, those that there are."""
    return [
        Group.of(label, colour, samples)
        for label, colour, samples in (("real", REAL, real), ("generated", FAKE, fake))
        if samples is not None
    ]


def plot(
    real: Tensor | None,
    fake: Tensor | None,
    size: int = 480,
    *,
    around: Sequence[Tensor] | None = None,
) -> Tensor:
    """Real samples `[N, D]` in grey and generated ones `[M, D]` in red, as uint8 `[size, size, 3]`.

    With D = 2 samples are points, and with D = 1 they make histograms, of unit area. More
    dimensions are projected on the first two principal axes of the real samples.

    The axes hold all but the outermost half per cent of the real samples on each side, and a
    margin, so that the pictures of a run can be laid side by side; without real samples, those
    `around`, and else the generated ones, take their place. What lies outside is counted in the
    legend, and so is what is not finite. Equal arguments give equal pictures. Raises ValueError
    where both are None.
    """
    groups = groups_of(real, fake)
    if not groups:
        raise ValueError("there is nothing to plot: neither real nor generated samples")
    surroundings = None if around is None else Group.of("", REAL, torch.cat([*around]))
    if groups[0].points.shape[1] == 1:
        return _histograms(groups, Canvas(size), surroundings)
    if groups[0].points.shape[1] == 2:
        return _scatter(groups, Canvas(size), surroundings)
    centre, axes, caption = _principal_axes((surroundings or _reference(groups)).points)
    projected = [replace(it, points=(it.points - centre) @ axes) for it in groups]
    if surroundings is not None:
        surroundings = replace(surroundings, points=(surroundings.points - centre) @ axes)
    return _scatter(projected, Canvas(size, caption=caption), surroundings)


def _reference(groups: Sequence[Group]) -> Group:
    """The samples that set the axes: the first group that has some."""
    return next((group for group in groups if len(group.points)), groups[0])


def _principal_axes(points: Tensor) -> tuple[Tensor, Tensor, str]:
    """The mean of points, the two principal axes as columns, and a caption that says so."""
    dimension = points.shape[1]
    centre = points.sum(0) / max(len(points), 1)
    centred = points - centre
    variances, directions = torch.linalg.eigh(centred.T @ centred)
    axes = directions[:, [-1, -2]]
    # The sign of an eigenvector is an accident; its largest entry is made positive.
    largest = axes.gather(0, axes.abs().argmax(dim=0, keepdim=True))
    axes = axes * largest.sign()
    shown = float(variances[-2:].sum() / variances.sum()) if variances[-1] > 0 else 0.0
    return centre, axes, f"principal axes 1 and 2 of {dimension}, {shown:.0%} of the variance"


def _scatter(groups: Sequence[Group], canvas: Canvas, surroundings: Group | None = None) -> Tensor:
    columns = (surroundings or _reference(groups)).points.unbind(1)
    (x_low, x_high), (y_low, y_high) = (rounded_range(column) for column in columns)
    # Axes of equal scale: where there is room to spare, the range is widened around its middle.
    unit = max((x_high - x_low) / canvas.width, (y_high - y_low) / canvas.height)
    x_middle, x_reach = (x_low + x_high) / 2, unit * canvas.width / 2
    y_middle, y_reach = (y_low + y_high) / 2, unit * canvas.height / 2
    across = Axis(low=x_middle - x_reach, high=x_middle + x_reach, first=0, last=canvas.width)
    up = Axis(low=y_middle - y_reach, high=y_middle + y_reach, first=canvas.height, last=0)
    canvas.grid(across, up)
    legend = []
    for group in groups:
        places = torch.stack([across.place(group.points[:, 0]), up.place(group.points[:, 1])], 1)
        limits = places.new_tensor([canvas.width, canvas.height])
        inside = ((places >= 0) & (places <= limits)).all(dim=1)
        canvas.points(places[inside], group.colour, _radius(len(places)), _OPACITY)
        legend.append(group.described(int((~inside).sum())))
    return canvas.finished(across, up, legend)


def _radius(num: int) -> float:
    """The radius of a point in pixels: the more there are, the smaller."""
    return min(max(10 / math.sqrt(math.sqrt(max(num, 1))), 1.2), 3.5)


def _histograms(
    groups: Sequence[Group], canvas: Canvas, surroundings: Group | None = None
) -> Tensor:
    across, up, outside = draw_histograms(groups, canvas, surroundings)
    legend = [group.described(num) for group, num in zip(groups, outside, strict=True)]
    return canvas.finished(across, up, legend)


def draw_histograms(
    groups: Sequence[Group],
    canvas: Canvas,
    surroundings: Group | None = None,
    num_ticks: int = NUM_TICKS,
) -> tuple[Axis, Axis, list[int]]:
    """Histograms of single numbers on a canvas: its axes, and how many of a group lie outside."""
    reference = surroundings or _reference(groups)
    low, high = rounded_range(reference.points[:, 0])
    fewest = min((len(group.points) for group in groups if len(group.points)), default=1)
    # As many bins as Rice's rule gives, and half as many more, for distributions of several modes.
    bins = min(max(round(3 * fewest ** (1 / 3)), _FEWEST_BINS), _MOST_BINS)
    top = _HEADROOM * float(_density(reference.points[:, 0], bins, low, high).max()) or 1.0
    across = Axis(low=low, high=high, first=0, last=canvas.width, num_ticks=num_ticks)
    up = Axis(low=0, high=top, first=canvas.height, last=0, num_ticks=num_ticks)
    canvas.grid(across, up)
    edges = across.place(torch.linspace(low, high, bins + 1, dtype=torch.float64))
    outside = []
    for group in groups:
        values = group.points[:, 0]
        # A bar that is too high leaves the picture; Pillow draws nothing that is miles away.
        tops = up.place(_density(values, bins, low, high).clamp_max(2 * top))
        canvas.steps(edges, tops, group.colour, 0.35)
        outside.append(int(((values < low) | (values > high)).sum()))
    return across, up, outside


def _density(values: Tensor, bins: int, low: float, high: float) -> Tensor:
    """The share of values `[N]` per unit in each bin, `[bins]`."""
    counts = torch.histc(values, bins, low, high)
    return counts * bins / ((high - low) * max(len(values), 1))


def rounded_range(values: Tensor) -> tuple[float, float]:
    """The range in which most of the values `[N]` lie, with a margin, rounded outwards.

    Round numbers hold still, mostly, where the next values are another draw of the same kind.
    """
    if not len(values):
        return -1.0, 1.0
    order = values.sort().values
    tail = int(_TAIL * (len(order) - 1))
    low, high = float(order[tail]), float(order[-1 - tail])
    margin = _MARGIN * (high - low)
    if margin <= 1e-9 * max(abs(low), abs(high)):  # all in one place
        margin = 0.5 * abs(low) or 1.0
    step = round_step((high - low + 2 * margin) / 40)
    return step * ((low - margin) // step), step * -((-high - margin) // step)
