"""Schedules that a run of another length stretches, and a warning that says so."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

from ganforge.config.run_config import RunConfig
from ganforge.errors import listed
from ganforge.plugin.schedule import Schedule, schedule_from
from ganforge.printable import printable


def warn_of_stretched_schedules(before: RunConfig, after: RunConfig, step: int) -> None:
    """Say that a run which is made longer, or shorter, is not what one of that length would be.

    It is, where its schedules had not begun by this step under the one length or the other.
    """
    lengths = [it.training.steps for it in (before, after)]
    known = [it for it in lengths if it is not None]
    # By the shorter of the two the share of the run is the larger one.
    share = step / min(known) if len(known) == len(lengths) else 1.0
    keys = [key for key, schedule in _kept(before, after) if _start(schedule) < share]
    if not keys:
        return
    length = "that length" if lengths[1] is None else f"{lengths[1]:,} steps"
    warnings.warn(
        f"the run is of another length now, and so is the schedule of {listed(keys)}, which is "
        f"counted in shares of the run: what comes of it is not what a run of {length} from the "
        "start would be. A constant, or a schedule that is counted in images, stays as it is",
        stacklevel=3,
    )


def _kept(before: RunConfig, after: RunConfig) -> Iterator[tuple[str, Schedule]]:
    """The schedules in shares of the run that are the same in both, by their keys."""
    old = before.values()
    for path, line in after.values().items():
        if isinstance(line.value, dict) and path in old and old[path].value == line.value:
            schedule = schedule_from(line.value)
            if schedule.in_shares:
                yield printable(".".join(path)), schedule


def _start(schedule: Schedule) -> float:
    """The share of the run up to which it is constant."""
    places = schedule.until if schedule.shape == "step" else schedule.start
    return 0.0 if places is None else places
