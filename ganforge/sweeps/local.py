"""Runs of a sweep as processes of this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from typing import Protocol

from ganforge.runs.run import Run
from ganforge.sweeps.folder import SweepFolder
from ganforge.sweeps.machine import Share

_MAIN = "import sys; from ganforge.cli import main; sys.exit(main())"


class Task(Protocol):
    """A run that is being trained somewhere; it goes on without the sweep if it is `detached`."""

    @property
    def detached(self) -> bool: ...

    def poll(self) -> int | None:
        """The exit code once it has ended, else None."""

    def stop(self) -> None:
        """Ask it to save and to end."""


class Launcher(Protocol):
    """Starts runs of a sweep."""

    @property
    def slots(self) -> int:
        """The number of runs that may be trained at once."""

    def start(self, name: str, slot: int) -> Task:
        """Begin a run, or go on with it."""

    def adopt(self, name: str) -> Task | None:
        """The run where something else trains it already, or is about to."""


def train_command(folder: SweepFolder, name: str, flags: Sequence[str]) -> list[str]:
    """The ordinary `ganforge train` for a run: from its settings, or from where it was left."""
    path = folder.run(name)
    begun = folder.open_run(name) is not None
    arguments = (
        ["--resume", str(path)]
        if begun
        else ["--config", str(folder.config(name)), "--out", str(path)]
    )
    return [sys.executable, "-c", _MAIN, *flags, "train", *arguments]


class LocalLauncher:
    """Starts a process for each run. `flags` are those of `ganforge` itself."""

    def __init__(self, folder: SweepFolder, share: Share, flags: Sequence[str] = ()) -> None:
        self._folder = folder
        self._share = share
        self._flags = flags

    @property
    def slots(self) -> int:
        return self._share.jobs

    def start(self, name: str, slot: int) -> Task:
        with self._folder.log(name).open("ab") as log:
            process = subprocess.Popen(
                train_command(self._folder, name, self._flags),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self._share.environment(slot)},
                # Ctrl-C in a terminal reaches this process alone, which passes it on.
                start_new_session=True,
            )
        return ProcessTask(process)

    def adopt(self, name: str) -> Task | None:
        run = self._folder.open_run(name)
        return OtherTask(run) if run is not None and run.status.state == "running" else None


class ProcessTask:
    """A process of ours."""

    detached = False

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def poll(self) -> int | None:
        return self._process.poll()

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)


class OtherTask:
    """A run that goes on in a process of an earlier sweep, which was killed, or of somebody."""

    detached = True

    def __init__(self, run: Run) -> None:
        self._run = run

    def poll(self) -> int | None:
        state = self._run.status.state
        if state == "running":
            return None
        return 0 if state == "finished" else 1

    def stop(self) -> None:
        """It is not ours to stop."""
