"""Curves of a report: a drawing for each panel, in colours that follow the page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from ganforge.runs.panels import Curve, Panel, end_of
from ganforge.runs.scales import Scale

from .markup import text

WIDTH, HEIGHT = 460, 210  # of a drawing, in units of its own
_LEFT, _TOP, _RIGHT, _BOTTOM = 54, 8, 22, 38
_IN_WIDTH, _IN_HEIGHT = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM
_FEW = 20  # values that are seen one by one


def curves(panels: Sequence[Panel]) -> str:
    """Every panel as a figure; all have the same steps below."""
    across = Scale(low=0, high=max(1, end_of(list(panels))))
    figures = "".join(_figure(panel, across) for panel in panels)
    return f'<div class="panels">{figures}</div>' if figures else ""


def _figure(panel: Panel, across: Scale) -> str:
    note = "" if panel.up.kind == "linear" else ' <small class="faint">logarithmic</small>'
    return (
        f'<figure class="panel"><figcaption><h3><bdi>{text(panel.title)}</bdi>{note}</h3>'
        f'<ul class="legend">{"".join(_legend(panel))}</ul></figcaption>'
        f"{_drawing(panel, across)}</figure>"
    )


def _legend(panel: Panel) -> Iterator[str]:
    for number, curve in enumerate(panel.curves):
        label = "last" if curve.name == panel.title else f"<bdi>{text(curve.name)}</bdi>"
        value = f"<b>{curve.points[-1].mean:.4g}</b>"
        yield f'<li><i class="key k{number}"></i>{label} {value}</li>'


def _drawing(panel: Panel, across: Scale) -> str:
    up = panel.up
    ticks = "".join([*_grid(across, up)])
    lines = "".join(_curve(number, curve, across, up) for number, curve in enumerate(panel.curves))
    values = [
        {
            "name": curve.name,
            "points": [
                [
                    point.step,
                    float(f"{point.mean:.4g}"),
                    *_place(point.step, point.mean, across, up),
                ]
                for point in curve.points
            ],
        }
        for curve in panel.curves
    ]
    named = ", ".join(f"{curve.name} {curve.points[-1].mean:.4g}" for curve in panel.curves)
    return (
        f'<svg class="plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{text(f"{panel.title} over steps; last: {named}", 2000)}" '
        f'data-curves="{text(json.dumps(values), 10**9)}">'
        f'{ticks}<rect class="frame" x="{_LEFT}" y="{_TOP}" '
        f'width="{_IN_WIDTH}" height="{_IN_HEIGHT}"/>{lines}</svg>'
    )


def _grid(across: Scale, up: Scale) -> Iterator[str]:
    right, bottom = _LEFT + _IN_WIDTH, _TOP + _IN_HEIGHT
    for value, label in across.ticks(5):
        x = round(_LEFT + across.share(value) * _IN_WIDTH, 1)
        yield f'<path class="grid" d="M{x} {_TOP}V{bottom}"/>'
        yield f'<text class="mid" x="{x}" y="{bottom + 15}">{label}</text>'
    for value, label in up.ticks(5):
        y = round(_TOP + (1 - up.share(value)) * _IN_HEIGHT, 1)
        yield f'<path class="grid" d="M{_LEFT} {y}H{right}"/>'
        yield f'<text class="end" x="{_LEFT - 6}" y="{y + 4}">{label}</text>'
    yield f'<text class="end faint" x="{right}" y="{bottom + 31}">step</text>'


def _curve(number: int, curve: Curve, across: Scale, up: Scale) -> str:
    def path(points: Sequence[tuple[int, float]]) -> str:
        places = (_place(step, value, across, up) for step, value in points)
        return "L".join(f"{x} {y}" for x, y in places)

    middle = path([(it.step, it.mean) for it in curve.points])
    found = f'<path class="line k{number}" d="M{middle}"/>'
    if any(it.low < it.high for it in curve.points):
        highest = path([(it.step, it.high) for it in curve.points])
        lowest = path([(it.step, it.low) for it in reversed(curve.points)])
        found = f'<path class="band k{number}" d="M{highest}L{lowest}Z"/>{found}'
    if len(curve.points) < _FEW:
        for point in curve.points:
            x, y = _place(point.step, point.mean, across, up)
            found += f'<circle class="dot k{number}" cx="{x}" cy="{y}" r="2.4"/>'
    return found


def _place(step: int, value: float, across: Scale, up: Scale) -> tuple[float, float]:
    x = _LEFT + across.share(step) * _IN_WIDTH
    y = _TOP + (1 - up.share(value)) * _IN_HEIGHT
    return round(x, 1), round(y, 1)
