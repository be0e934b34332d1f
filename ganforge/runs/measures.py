"""Measures of a run: the numbers that say how good it is, and what they cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ganforge.errors import UsageError, did_you_mean, listed
from ganforge.plugin.measure_specs import Direction, MetricSpec
from ganforge.plugin.registry import Registry
from ganforge.printable import printable
from ganforge.runs.run import Run, Series

#: the direction in which a series is better, by its name; None where it has none
Directions = Callable[[str], Direction | None]

_PREFIX = "metric/"


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One number of a run, and the step after which it had it."""

    name: str
    value: float
    step: int
    better: Direction | None


def measures_of(run: Run) -> list[str]:
    """The names of the series that metrics have given, in the order in which they came up."""
    return [name for name in run.metrics if name.startswith(_PREFIX)]


def short(name: str) -> str:
    """The name of a series as people call it: `modes/high_quality`."""
    return printable(name.removeprefix(_PREFIX), 60)


def best_or_last(name: str, series: Series, better: Direction | None) -> Measured:
    """The best value of a series, or where it has no direction the last one."""
    position = len(series) - 1
    if better is not None:
        sign = 1 if better == "higher" else -1
        position = max(range(len(series)), key=lambda i: (sign * series.values[i], i))
    return Measured(
        name=name, value=series.values[position], step=series.steps[position], better=better
    )


def chosen_series(known: Sequence[str], wanted: str) -> list[str]:
    """The series that a word of the command line means: one by its name, or all of one metric.

    `fid` is `metric/fid`, `modes` all of `metric/modes/...`, and `high_quality` what ends so.
    Raises UsageError where it is none.
    """
    full = f"{_PREFIX}{wanted}"
    for means in (
        lambda name: name in (wanted, full),
        lambda name: name.startswith(f"{full}/"),
        lambda name: name.endswith(f"/{wanted}"),
    ):
        if found := [name for name in known if means(name)]:
            return found
    shown = [short(name) for name in known]
    choices = f"; there are {listed(sorted(shown))}" if shown else "; these runs have none"
    raise UsageError(
        f"there is no metric {printable(wanted, 60)!r} here{did_you_mean(wanted, shown) or choices}"
    )


def total(series: Iterable[float]) -> float:
    """The sum over sessions of a clock that begins anew in each."""
    whole = last = 0.0
    for value in series:
        if value < last:
            whole += last
        last = value
    return whole + last


def directions(registry: Registry) -> Directions:
    """The direction of every series that a metric of the registry gives.

    The only number of a metric may be called after it, and is the series of its name.
    """
    known: dict[str, Direction] = {}
    for metric in registry.of_kind(MetricSpec):
        name = metric.name if metric.plugin.bundled else metric.qualified_name
        for number, direction in metric.spec.better.items():
            known[f"{_PREFIX}{name}/{number}"] = direction
            if number == metric.name:
                known[f"{_PREFIX}{name}"] = direction
    return known.get
