"""Measures of a run: the numbers that say how good it is, and what they cost."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ganforge.errors import UsageError, did_you_mean, listed
from ganforge.plugin.measure_specs import Direction, MetricSpec
from ganforge.plugin.registry import Registry
from ganforge.printable import printable
from ganforge.runs.run import Run, Series

#: the direction in which a series is better, by its name; None where it has none
Directions = Callable[[str], Direction | None]

_PREFIX = "metric/"
#: of what `ganforge evaluate` has found of a run
EVALUATED = "evaluated/"


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One number of a run, and the step after which it had it."""

    name: str
    value: float
    step: int
    better: Direction | None


def series_of(run: Run) -> dict[str, Series]:
    """The series of a run by name: what training has logged, and the last evaluation of each kind.

    An evaluation is of a generator that is kept; it counts as one of the last step.
    """
    step = max((it.steps[-1] for it in run.metrics.values()), default=0)
    found = {
        f"{EVALUATED}{name}": Series(steps=[step], values=[value])
        for name, (value, _) in evaluated(run).items()
    }
    return {**run.metrics, **found}


def evaluated(run: Run) -> dict[str, tuple[float, str]]:
    """The scores of `evaluations.jsonl` by name, the last of each, with how they came about."""
    try:
        lines = run.directory.evaluations.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    found: dict[str, tuple[float, str]] = {}
    for line in lines:
        try:
            record = json.loads(line)
            for score in record["scores"]:
                value = float(score["value"])
                if math.isfinite(value):
                    found[str(score["name"])] = value, _conditions(record, score)
        except (ValueError, KeyError, TypeError, RecursionError):
            continue  # one that was cut off
    return found


def _conditions(record: Mapping[str, Any], score: Mapping[str, Any]) -> str:
    """Say what must agree for two scores to be comparable."""
    said = [
        f"{record['num']} samples against {record['num_real']} of {record['dataset']}",
        f"split {record['split']}",
        f"features {score['features']}" if score.get("features") else "",
        f"truncation {record['truncation']}" if record.get("truncation") is not None else "",
    ]
    return printable(", ".join(it for it in said if it), 200)


def measures_of(run: Run) -> list[str]:
    """The names of the series that metrics have given in training, in their order."""
    return [name for name in run.metrics if name.startswith(_PREFIX)]


def measures_in(series: Iterable[str]) -> list[str]:
    """The names, of these, of what metrics have given, in training or after."""
    return [name for name in series if name.startswith((_PREFIX, EVALUATED))]


def short(name: str) -> str:
    """The name of a series as people call it: `modes/high_quality`."""
    if name.startswith(EVALUATED):
        return f"{printable(name.removeprefix(EVALUATED), 60)} (evaluated)"
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
            for prefix in (_PREFIX, EVALUATED):
                known[f"{prefix}{name}/{number}"] = direction
                if number == metric.name:
                    known[f"{prefix}{name}"] = direction
    return known.get
