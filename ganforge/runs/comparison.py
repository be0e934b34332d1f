"""A comparison of runs: what differs, and metrics as mean and spread over seeds."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from ganforge.errors import UsageError
from ganforge.plugin.measure_specs import Direction
from ganforge.runs.measures import (
    Directions,
    best_or_last,
    chosen_series,
    measures_of,
    short,
    total,
)
from ganforge.runs.run import Run
from ganforge.runs.settings import SEED, differing, grouped, headings, settings_of, shown

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
    names = _metrics(runs, metrics)
    notes: list[str] = []
    if which == "best" and (without := [short(it) for it in names if better(it) is None]):
        if len(without) == len(names):
            raise UsageError(
                f"no metric here says which direction is better ({', '.join(without)}), so none "
                "has a best value; leave --value out"
            )
        notes.append(f"the last value of what has no direction: {', '.join(without)}")
    settings = [settings_of(run) for run in runs]
    keys = differing(settings)
    groups = []
    for members in grouped(settings, keys):
        kept, step = _furthest(runs, members, notes)
        cells = {
            name: _cell(runs, kept, name, better(name) if which == "best" else None)
            for name in names
        }
        notes += _missing(runs, kept, cells)
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
    for members in grouped(settings, [*keys, SEED]):
        if len(members) > 1:
            twins = ", ".join(runs[it].name for it in members)
            notes.append(f"the same settings and seed, each counted: {twins}")
    return Comparison(
        runs=tuple(runs),
        keys=headings(keys),
        metrics=tuple(names),
        groups=tuple(groups),
        which=which,
        notes=tuple(notes),
    )


def _metrics(runs: Sequence[Run], wanted: Sequence[str]) -> list[str]:
    measured = [*dict.fromkeys(name for run in runs for name in measures_of(run))]
    if not wanted:
        return measured or [it for it in _WITHOUT_METRICS if any(it in run.metrics for run in runs)]
    known = [*dict.fromkeys([*measured, *(name for run in runs for name in run.metrics)])]
    return [*dict.fromkeys(name for word in wanted for name in chosen_series(known, word))]


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


def _cell(runs: Sequence[Run], members: Sequence[int], name: str, better: Direction | None) -> Cell:
    """The values of one metric; a last value of an earlier step than the others' is left out."""
    found = {
        it: best_or_last(name, series, better)
        for it in members
        if (series := runs[it].metrics.get(name))
    }
    if better is None:
        latest = max((it.step for it in found.values()), default=0)
        found = {it: measured for it, measured in found.items() if measured.step == latest}
    return Cell(values={it: measured.value for it, measured in found.items()})


def _missing(
    runs: Sequence[Run], members: Sequence[int], cells: Mapping[str, Cell]
) -> Iterator[str]:
    """A note for each run that lacks metrics, or has them of an earlier step than the others."""
    for it in members:
        names = [short(name) for name, cell in cells.items() if it not in cell.values]
        if names:
            has_some = any(name in runs[it].metrics and short(name) in names for name in cells)
            why = "not of the same step" if has_some else "not measured"
            yield f"{runs[it].name} is left out of {', '.join(names)}: {why}"


def _clock(runs: Sequence[Run], members: Sequence[int], name: str) -> Cell:
    found = {it: runs[it].metrics.get(name) for it in members}
    return Cell(values={it: total(series.values) for it, series in found.items() if series})
