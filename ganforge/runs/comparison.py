"""A comparison of runs: what differs, and metrics as mean and spread over seeds."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from ganforge.errors import UsageError
from ganforge.plugin.measure_specs import Direction
from ganforge.runs.measures import (
    EVALUATED,
    Directions,
    best_or_last,
    chosen_series,
    evaluated,
    measures_in,
    series_of,
    short,
    total,
)
from ganforge.runs.run import Run, Series
from ganforge.runs.settings import SEED, differing, grouped, merged, settings_of, shown

Which = Literal["last", "best"]

#: series that are compared where no metric was measured
_WITHOUT_METRICS = ("loss/generator", "loss/discriminator")
WALL, CPU = "seconds", "cpu_seconds"


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One quantity over the runs of a group that have it; `values` by the position of the run."""

    values: dict[int, float] = field(default_factory=dict)

    @property
    def n(self) -> int:
        return len(self.values)

    @property
    def mean(self) -> float | None:
        return statistics.fmean(self.values.values()) if self.values else None

    @property
    def std(self) -> float | None:
        """The standard deviation of the sample, whose divisor is n - 1."""
        return statistics.stdev(self.values.values()) if self.n > 1 else None


@dataclass(frozen=True, kw_only=True)
class Group:
    """Runs that differ in their seed alone, and are compared at the same step."""

    runs: tuple[int, ...]
    settings: dict[str, str]
    step: int
    metrics: dict[str, Cell]
    wall: Cell
    cpu: Cell


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Groups of runs. `keys` are the settings that differ, `notes` what the numbers do not say."""

    runs: tuple[Run, ...]
    keys: dict[str, str]
    metrics: tuple[str, ...]
    groups: tuple[Group, ...]
    which: Which
    notes: tuple[str, ...]


def compare(
    runs: Sequence[Run], better: Directions, *, metrics: Sequence[str] = (), which: Which = "last"
) -> Comparison:
    """Compare runs by metrics: those named, or all that were measured.

    `best` takes the best value of each run, for metrics that have a direction. Only runs of a
    group that came equally far are averaged; who is left out, and why, is in the notes.
    Raises UsageError for a metric that no run has.
    """
    series = [series_of(run) for run in runs]
    notes: list[str] = []
    names = _comparable(runs, _metrics(series, metrics), notes)
    if which == "best" and (without := [short(it) for it in names if better(it) is None]):
        if len(without) == len(names):
            raise UsageError(
                f"no metric here says which direction is better ({', '.join(without)}), so none "
                "has a best value; leave --value out"
            )
        notes.append(f"the last value of what has no direction: {', '.join(without)}")
    settings = [settings_of(run) for run in runs]
    differ = differing(settings)
    keys = merged(settings, differ)
    groups = []
    for members in grouped(settings, differ):
        kept, step = _furthest(runs, members, notes)
        cells = {
            name: _cell(series, kept, name, better(name) if which == "best" else None)
            for name in names
        }
        notes += _missing(runs, series, kept, cells)
        groups.append(
            Group(
                runs=kept,
                settings={key: shown(settings[members[0]].get(key)) for key in keys},
                step=step,
                metrics=cells,
                wall=_clock(runs, kept, WALL),
                cpu=_clock(runs, kept, CPU),
            )
        )
    for members in grouped(settings, [*differ, SEED]):
        if len(members) > 1:
            twins = ", ".join(runs[it].name for it in members)
            notes.append(f"the same settings and seed, each counted: {twins}")
    return Comparison(
        runs=tuple(runs),
        keys=keys,
        metrics=tuple(names),
        groups=tuple(groups),
        which=which,
        notes=tuple(notes),
    )


def _metrics(series: Sequence[Mapping[str, Series]], wanted: Sequence[str]) -> list[str]:
    known = [*dict.fromkeys(name for it in series for name in it)]
    measured = measures_in(known)
    if not wanted:
        return measured or [name for name in _WITHOUT_METRICS if name in known]
    return [
        *dict.fromkeys(name for word in wanted for name in chosen_series([*measured, *known], word))
    ]


def _comparable(runs: Sequence[Run], names: Sequence[str], notes: list[str]) -> list[str]:
    """The names without evaluations that came about otherwise in one run than in another."""
    found = [evaluated(run) for run in runs]
    kept = []
    for name in names:
        key = name.removeprefix(EVALUATED)
        ways = {it[key][1]: run.name for it, run in zip(found, runs, strict=True) if key in it}
        if name.startswith(EVALUATED) and len(ways) > 1:
            how = "; ".join(f"{way} ({run})" for way, run in ways.items())
            notes.append(f"{short(name)} is left out, as it was measured differently: {how}")
        else:
            kept.append(name)
    return kept


def _furthest(
    runs: Sequence[Run], members: Sequence[int], notes: list[str]
) -> tuple[tuple[int, ...], int]:
    """The runs of a group that have come as far as any of it, and how far; notes of the others."""
    statuses = {it: runs[it].status for it in members}
    last = max(status.step for status in statuses.values())
    kept = []
    for it, status in statuses.items():
        steps = runs[it].settings.get("training.steps")
        of = f" of {steps:,}" if isinstance(steps, int) else ""
        place = f"{runs[it].name} is {status.state}, at step {status.step:,}{of}"
        if status.step < last:
            notes.append(f"left out, as others of its group are at step {last:,}: {place}")
            continue
        kept.append(it)
        if status.state != "finished":
            notes.append(place)
    return tuple(kept), last


def _cell(
    of_runs: Sequence[Mapping[str, Series]],
    members: Sequence[int],
    name: str,
    better: Direction | None,
) -> Cell:
    """The values of one metric; a last value of an earlier step than the others' is left out."""
    found = {
        it: best_or_last(name, series, better)
        for it in members
        if (series := of_runs[it].get(name))
    }
    if better is None:
        latest = max((it.step for it in found.values()), default=0)
        found = {it: measured for it, measured in found.items() if measured.step == latest}
    return Cell(values={it: measured.value for it, measured in found.items()})


def _missing(
    runs: Sequence[Run],
    of_runs: Sequence[Mapping[str, Series]],
    members: Sequence[int],
    cells: Mapping[str, Cell],
) -> Iterator[str]:
    """A note for each run that lacks metrics, or has them of an earlier step than the others."""
    for it in members:
        names = [short(name) for name, cell in cells.items() if it not in cell.values]
        if names:
            has_some = any(name in of_runs[it] and short(name) in names for name in cells)
            why = "not of the same step" if has_some else "not measured"
            yield f"{runs[it].name} is left out of {', '.join(names)}: {why}"


def _clock(runs: Sequence[Run], members: Sequence[int], name: str) -> Cell:
    found = {it: runs[it].metrics.get(name) for it in members}
    return Cell(values={it: total(series.values) for it, series in found.items() if series})
