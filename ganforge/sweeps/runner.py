"""Trains the runs of a sweep side by side, and goes on where an earlier session was left."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

from ganforge.printable import printable
from ganforge.storage.run_directory import State
from ganforge.sweeps.folder import SweepFolder
from ganforge.sweeps.local import Launcher, Task

#: `left` is a run that was interrupted together with the sweep
Progress = Literal["waiting", "running", "finished", "failed", "left"]

POLL_SECONDS = 0.1
_PATIENCE = 10.0
_LOG_TAIL = 20_000


class Supply(Protocol):
    """The runs of a sweep, one after another."""

    def next(self) -> str | None:
        """The name of a run to be trained now; None where there is none, for now or for good."""

    @property
    def exhausted(self) -> bool:
        """True where no run will come any more."""

    def ended(self, name: str, progress: Progress) -> None:
        """A run that was given has ended."""


class Watcher(Protocol):
    """Told of the runs of a sweep."""

    def started(self, name: str, how: str) -> None:
        """A run has been started; `how` is `started`, `resumed` or `followed`."""

    def ended(self, name: str, progress: Progress, reason: str) -> None:
        """A run has ended."""

    def tick(self) -> None:
        """A moment has passed."""


@dataclass(kw_only=True)
class Outcome:
    """Ends of the runs by name, and the state that a signal stopped the sweep in."""

    progress: dict[str, Progress] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    stopped: State | None = None

    def named(self, progress: Progress) -> list[str]:
        return [name for name, it in self.progress.items() if it == progress]


class GivenRuns:
    """Runs that are known from the beginning."""

    def __init__(self, names: list[str]) -> None:
        self._names = list(names)

    def next(self) -> str | None:
        return self._names.pop(0) if self._names else None

    @property
    def exhausted(self) -> bool:
        return not self._names

    def ended(self, name: str, progress: Progress) -> None:
        """Nothing follows from it."""


def run_all(
    folder: SweepFolder,
    supply: Supply,
    launcher: Launcher,
    watcher: Watcher,
    stop_request: Callable[[], State | None],
) -> Outcome:
    """Train all runs; those that are finished already stay as they are.

    A run that was interrupted, or has failed in an earlier session, goes on; one that fails in this
    one is reported, and the others are trained. What `stop_request` answers ends the session once
    all processes have saved.
    """
    outcome = Outcome()
    active: dict[int, tuple[str, Task]] = {}
    try:
        while True:
            if outcome.stopped is None and (asked := stop_request()):
                outcome.stopped = asked
                for slot, (name, task) in [*active.items()]:
                    task.stop()
                    if task.detached:
                        del active[slot]
                        _end(outcome, supply, name, "left")
                        watcher.ended(name, "left", "it goes on by itself")
            free = [slot for slot in range(launcher.slots) if slot not in active]
            while free and outcome.stopped is None and (given := supply.next()) is not None:
                if is_finished(folder, given):
                    _end(outcome, supply, given, "finished")
                    continue
                task, how = _begin(folder, launcher, given, free[0])
                active[free.pop(0)] = (given, task)
                watcher.started(given, how)
            for slot, (name, task) in [*active.items()]:
                if (code := task.poll()) is None:
                    continue
                del active[slot]
                progress, reason = _verdict(folder, name, code, outcome.stopped is not None)
                _end(outcome, supply, name, progress, reason)
                watcher.ended(name, progress, reason)
            if not active and (outcome.stopped or supply.exhausted):
                return outcome
            watcher.tick()
            time.sleep(POLL_SECONDS)
    except BaseException:
        # A second signal: the processes are told a second time, and end at once.
        for _, task in active.values():
            task.stop()
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline and any(it.poll() is None for _, it in active.values()):
            time.sleep(POLL_SECONDS)
        raise


def is_finished(folder: SweepFolder, name: str) -> bool:
    run = folder.open_run(name)
    return run is not None and run.status.state == "finished"


def _begin(folder: SweepFolder, launcher: Launcher, name: str, slot: int) -> tuple[Task, str]:
    adopted = launcher.adopt(name)
    if adopted is not None:
        return adopted, "followed"
    begun = folder.open_run(name) is not None
    return launcher.start(name, slot), "resumed" if begun else "started"


def _end(outcome: Outcome, supply: Supply, name: str, progress: Progress, reason: str = "") -> None:
    outcome.progress[name] = progress
    if reason:
        outcome.reasons[name] = reason
    supply.ended(name, progress)


def _verdict(folder: SweepFolder, name: str, code: int, stopped: bool) -> tuple[Progress, str]:
    """The end of a run by what it says itself, and why."""
    run = folder.open_run(name)
    state = run.status.state if run is not None else "unknown"
    if code == 0 and state == "finished":
        return "finished", ""
    if run is not None and state == "failed" and run.status.detail:
        return "failed", run.status.detail
    if stopped or state in ("interrupted", "terminated", "preempted"):
        return "left", "" if stopped else f"it was {state}"
    if code < 0:
        return "failed", f"its process was ended by signal {-code}"
    return "failed", last_error(folder, name) or f"exit code {code}"


def last_error(folder: SweepFolder, name: str) -> str:
    """The last error in the log of a run, or its last line."""
    try:
        with folder.log(name).open("rb") as log:
            log.seek(0, 2)
            log.seek(max(log.tell() - _LOG_TAIL, 0))
            lines = log.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    errors = [position for position, line in enumerate(lines) if line.startswith("Error: ")]
    if errors:
        return printable(" ".join(lines[errors[-1] :]).removeprefix("Error: "), 300)
    return printable(lines[-1], 300) if lines else ""
