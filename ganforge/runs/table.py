"""A table of the runs in a folder: what each is, how far it is, and how good."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ganforge.errors import ConfigError, UsageError
from ganforge.plugin.fields import natural_order
from ganforge.printable import printable
from ganforge.runs.measures import (
    Directions,
    Measured,
    best_or_last,
    chosen_series,
    measures_in,
    series_of,
)
from ganforge.runs.run import Run, RunState
from ganforge.runs.sizes import size_of

#: column to sort by -> what it means
ORDERS = ("name", "state", "step", "age", "size", "metric")

#: reasons why a folder is no run; any other one says how a run is damaged
FOREIGN, SWEEP = "no run", "a sweep"

_STATES: tuple[RunState, ...] = (
    *("running", "failed", "lost", "interrupted", "terminated"),
    *("preempted", "unknown", "finished"),
)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One run of a table. `written` is when it was last written to, in seconds of the epoch."""

    run: Run
    state: RunState
    detail: str
    step: int
    num_steps: int | None
    written: float
    size: int
    measured: Measured | None

    @property
    def made_of(self) -> tuple[str, str, str]:
        """Generator, losses and data set, safe to print."""
        names = (self.run.components(kind) for kind in ("generator", "loss", "dataset"))
        generator, losses, dataset = (
            printable("+".join(it.rpartition("/")[2] for it in chosen), 60) for chosen in names
        )
        return generator, losses, dataset


@dataclass(frozen=True, kw_only=True)
class RunsTable:
    """The runs of a folder, and what else lies there with the reason why it is none."""

    rows: list[Row]
    others: dict[str, str]


def find_runs(folder: Path) -> tuple[list[Run], dict[str, str]]:
    """The runs in a folder, or the one that it is, and the folders in it that are none.

    Raises UsageError where it is no folder, or cannot be read.
    """
    shown = printable(folder)
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise UsageError(f"{shown} {what}; name a folder that holds runs")
    if (folder / "config.toml").is_file():
        return [Run(folder)], {}
    try:
        found = (it for it in folder.iterdir() if it.is_dir())
        folders = sorted(found, key=lambda it: natural_order(it.name))
    except OSError as error:
        raise UsageError(f"{shown} cannot be read: {error.strerror}") from error
    runs: list[Run] = []
    others: dict[str, str] = {}
    for path in folders:
        try:
            run = Run(path)
            _ = run.settings  # it is damaged where these cannot be read
        except ConfigError as error:
            others[printable(path.name)] = printable(error, 200)
        except (UsageError, OSError):
            if not path.name.startswith("."):
                is_sweep = (path / "sweep.json").is_file()
                others[printable(path.name)] = SWEEP if is_sweep else FOREIGN
        else:
            runs.append(run)
    return runs, others


def table_of(
    folder: Path, better: Directions, *, metric: str | None = None, order: str = "name"
) -> RunsTable:
    """The table of a folder; its metric is each run's first one unless `metric` names another.

    Raises UsageError where there is no such folder, or no such metric in any run.
    """
    runs, others = find_runs(folder)
    wanted = None
    if metric is not None:
        known = dict.fromkeys(name for run in runs for name in measures_in(series_of(run)))
        wanted = chosen_series([*known], metric)
    rows = [_row(run, better, wanted) for run in runs]
    return RunsTable(rows=_sorted(rows, order), others=others)


def _row(run: Run, better: Directions, wanted: Sequence[str] | None) -> Row:
    status = run.status
    steps = run.settings.get("training.steps")
    return Row(
        run=run,
        state=status.state,
        detail=status.detail,
        step=status.step,
        num_steps=steps if isinstance(steps, int) else None,
        written=_last_written(run),
        size=size_of(run.path),
        measured=_measured(run, better, wanted),
    )


def _measured(run: Run, better: Directions, wanted: Sequence[str] | None) -> Measured | None:
    series = series_of(run)
    names = [name for name in measures_in(series) if wanted is None or name in wanted]
    if not names:
        return None
    # One with a direction says more than one without.
    name = next((it for it in names if better(it) is not None), names[0])
    return best_or_last(name, series[name], better(name))


def _last_written(run: Run) -> float:
    times = []
    for path in (run.directory.config, run.directory.status, run.directory.metrics):
        try:
            times.append(path.stat().st_mtime)
        except OSError:
            continue
    return max(times, default=0.0)


def _sorted(rows: list[Row], order: str) -> list[Row]:
    keys = {
        "state": lambda row: _STATES.index(row.state),
        "step": lambda row: -row.step,
        "age": lambda row: -row.written,
        "size": lambda row: -row.size,
        "metric": _goodness,
    }
    return sorted(rows, key=keys[order]) if order in keys else rows


def _goodness(row: Row) -> tuple[str, float]:
    """The best first, measure by measure."""
    if row.measured is None:
        return ("\uffff", 0.0)
    value = row.measured.value
    sign = -1 if row.measured.better == "higher" else 1
    return (row.measured.name, sign * value if math.isfinite(value) else math.inf)
