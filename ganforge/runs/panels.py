"""Panels: the quantities of a run grouped as people look at them, each group on axes of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ganforge.printable import printable

from .scales import Scale, scale_of
from .thinning import Point, Thinned

MOST_CURVES = 6  # that are told apart in one panel

#: the engine's own groups, in the order of the panels, with their headings
TITLES = {
    "loss": "Losses",
    "loss/discriminator": "Terms of the discriminator's loss",
    "loss/generator": "Terms of the generator's loss",
    "score": "Scores of the discriminator",
    "diversity": "Diversity within a batch",
    "diversity_within_classes": "Diversity within classes",
    "metric": "",
    "gradient_norm": "Gradient norms",
    "saturated": "Share of outputs at the ends of the range",
    "nearest": "Distance to the nearest training sample",
    "ranking": "Share of pairs that the discriminator ranks right",
    "weight_growth": "Weights, relative to the start",
    "relative_gradient": "Gradient norms, relative to the start",
}
_SIDES = ("loss/discriminator", "loss/generator")

#: what says how far and how fast the run is, and not how well it goes
PROGRESS = ("step", "images", "seconds", "cpu_seconds", "images_per_second")


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One quantity of a panel, under a name that is safe to show."""

    name: str
    points: tuple[Point, ...]


@dataclass(frozen=True, kw_only=True)
class Panel:
    """Quantities that share a vertical axis, over steps."""

    title: str
    curves: tuple[Curve, ...]

    @property
    def up(self) -> Scale:
        """The scale of the values, logarithmic where a curve would be flat beside another."""
        points = [point for curve in self.curves for point in curve.points]
        peaks = [max(max(-it.low, it.high) for it in curve.points) for curve in self.curves]
        return scale_of([it for point in points for it in (point.low, point.high)], peaks)


def panels_of(quantities: Mapping[str, Thinned]) -> list[Panel]:
    """The panels of a run's quantities: losses, their terms, scores, metrics, and whatever else.

    A metric has a panel of its own, for no two have the same unit; a single term is its loss, and
    has none. Curves are in the order of their names, so that a name has one colour.
    """
    groups: dict[str, dict[str, str]] = {}
    for name in quantities:
        if name not in PROGRESS:
            group, label = _place(name)
            groups.setdefault(group, {})[name] = label
    for side in _SIDES:
        if len(groups.get(side, ())) == 1:
            del groups[side]
    ranks = {group: place for place, group in enumerate(TITLES)}
    ordered = sorted(groups, key=lambda it: ranks.get(_known(it), len(ranks)))
    return [
        Panel(
            title=TITLES.get(group) or printable(group.removeprefix("metric/"), 60),
            curves=tuple(
                Curve(name=printable(groups[group][name], 60), points=quantities[name].points)
                for name in names
            ),
        )
        for group in ordered
        for names in _parts(sorted(groups[group], key=groups[group].__getitem__))
    ]


def _place(name: str) -> tuple[str, str]:
    """The group of a quantity, and what it is called there."""
    if name.startswith("metric/"):
        return name, name.removeprefix("metric/")
    group, _, last = name.rpartition("/")
    return group or name, last


def _known(group: str) -> str:
    return "metric" if group.startswith("metric/") else group


def _parts(names: list[str]) -> list[list[str]]:
    return [names[start : start + MOST_CURVES] for start in range(0, len(names), MOST_CURVES)]


def end_of(panels: list[Panel]) -> int:
    """The last step that any panel shows."""
    return max((it.points[-1].step for panel in panels for it in panel.curves), default=0)
