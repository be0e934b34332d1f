"""A run directory: its layout, its lock, and its state.

config.toml          the resolved configuration; `ganforge train --config` accepts it
environment.json     the versions and the device of each session of the run
status.json          what the run is doing, or how it ended
metrics.jsonl        one object per log step
metrics.png          the same, drawn
samples/             grids, named after the step
checkpoints/         everything that a resumed run needs, a file per checkpoint
generator.safetensors  the generator, alone enough to sample from
best.safetensors     the same, as it was when the metric of `evaluation.best` was best
evaluations.jsonl    one object per `ganforge evaluate` of the run
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from ganforge.errors import RunDirectoryError, UsageError
from ganforge.printable import printable
from ganforge.storage.files import TEMPORARY_PREFIX, flush_folder, remove_leftovers, write_text

State = Literal["running", "finished", "interrupted", "terminated", "failed"]

_NUMBERED = re.compile(r"(\d+)-.*")
_CHECKPOINT = re.compile(r"step-(\d{8,})\.safetensors")


class RunDirectory:
    """The paths of a run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = path / "config.toml"
        self.environment = path / "environment.json"
        self.status = path / "status.json"
        self.metrics = path / "metrics.jsonl"
        self.curves = path / "metrics.png"
        self.samples = path / "samples"
        self.checkpoints = path / "checkpoints"
        self.generator = path / "generator.safetensors"
        self.best = path / "best.safetensors"
        self.evaluations = path / "evaluations.jsonl"

    def __str__(self) -> str:
        return printable(self.path)

    @classmethod
    def create(cls, path: Path) -> RunDirectory:
        """An empty directory for a new run. Raises UsageError for one that holds something."""
        run = cls(path)
        try:
            made = [it for it in (path, *path.parents) if not it.exists()]
            if not made and not path.is_dir():
                raise UsageError(f"{run} is a file; name a new directory for the run")
            path.mkdir(parents=True, exist_ok=True)
            for folder in made:
                flush_folder(folder.parent)
            # What a process left that was killed while it wrote its first file is nothing.
            taken = [it for it in path.iterdir() if not it.name.startswith(TEMPORARY_PREFIX)]
        except OSError as error:
            raise RunDirectoryError(
                f"the run directory {run} cannot be created: {error.strerror}"
            ) from error
        if run.config in taken:
            if is_locked(run):
                raise RunDirectoryError(_held(run))
            run.refuse_another()
        if taken:
            raise UsageError(f"{run} is not empty; name a new directory for the run")
        return run

    def refuse_another(self) -> None:
        """Raise UsageError where a run is here: a new one would be trained over it."""
        if self.config.exists():
            raise UsageError(
                f"{self} holds a run already, which is left as it is: go on with it by "
                f"`ganforge train --resume {self}`, or name another directory"
            )

    @classmethod
    def open(cls, path: Path) -> RunDirectory:
        """An existing run. Raises UsageError where there is none."""
        run = cls(path)
        if not run.config.is_file():
            raise UsageError(f"there is no run in {run}: it has no config.toml")
        return run

    def make_folders(self) -> None:
        """Make the folders of the run. Raises RunDirectoryError."""
        try:
            self.samples.mkdir(exist_ok=True)
            self.checkpoints.mkdir(exist_ok=True)
        except OSError as error:
            raise RunDirectoryError(
                f"the run directory {self} cannot be written: {error.strerror}"
            ) from error

    def discard(self) -> None:
        """Remove a run that never took a step: its few files, and folders that are empty."""
        for file in (self.config, self.environment, self.status):
            file.unlink(missing_ok=True)
        for folder in (self.samples, self.checkpoints, self.path):
            with contextlib.suppress(OSError):
                folder.rmdir()

    def record_session(self, environment: dict[str, Any], changes: dict[str, Any]) -> None:
        """Append this session's environment, and what it changed of the configuration."""
        sessions = self.sessions()
        sessions.append({**environment, "changes": changes})
        self._write(self.environment, json.dumps({"sessions": sessions}, indent=2) + "\n")

    def last_plugins(self) -> dict[str, str]:
        """The components of the last session by qualified name, with their packages' versions."""
        try:
            plugins = self.sessions()[-1]["plugins"]
            return {str(name): str(version) for name, version in plugins.items()}
        except (IndexError, KeyError, TypeError, AttributeError):
            return {}

    def sessions(self) -> list[Any]:
        """The records of the sessions so far, the first one first; none where they are damaged."""
        # A record for people; nothing that is computed depends on it.
        try:
            sessions = json.loads(self.environment.read_text())["sessions"]
        except (OSError, ValueError, KeyError, TypeError):
            return []
        return sessions if isinstance(sessions, list) else []

    def write_config(self, text: str) -> None:
        self._write(self.config, text)

    def write_status(self, state: State, step: int, detail: str = "") -> None:
        document = {"state": state, "step": step, "pid": os.getpid(), "host": socket.gethostname()}
        if detail:
            document["detail"] = detail
        self._write(self.status, json.dumps(document) + "\n")

    def checkpoint(self, step: int) -> Path:
        return self.checkpoints / f"step-{step:08d}.safetensors"

    def list_checkpoints(self) -> list[tuple[int, Path]]:
        """Step and path of every checkpoint, newest first."""
        if not self.checkpoints.is_dir():
            return []
        paths = self.checkpoints.iterdir()
        found = [(int(m[1]), path) for path in paths if (m := _CHECKPOINT.fullmatch(path.name))]
        return sorted(found, reverse=True)

    def sample_grid(self, step: int) -> Path:
        return self.samples / f"{step:08d}.png"

    def _write(self, path: Path, text: str) -> None:
        try:
            write_text(path, text)
        except OSError as error:
            raise RunDirectoryError(
                f"{printable(path)} cannot be written: {error.strerror or error}"
            ) from error


def is_locked(run: RunDirectory) -> bool | None:
    """True where a process is in the run directory; None where the system cannot tell."""
    try:
        import fcntl

        descriptor = os.open(run.path, os.O_RDONLY)
    except (ImportError, OSError):
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return None  # a file system without locks
    finally:
        os.close(descriptor)
    return False


class Lock:
    """Keeps two processes out of one run directory; dies with its process, leaves no file."""

    def __init__(self, run: RunDirectory) -> None:
        self._run = run
        self._descriptor: int | None = None
        if hasattr(os, "register_at_fork"):
            # A worker that outlives its killed parent for a moment must not keep the lock.
            os.register_at_fork(after_in_child=self._close)

    def __enter__(self) -> Self:
        try:
            import fcntl
        except ImportError:  # no advisory locks on this system
            return self
        self._descriptor = os.open(self._run.path, os.O_RDONLY)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._close()
            raise RunDirectoryError(_held(self._run)) from error
        except OSError:
            pass  # a file system without locks
        for folder in (self._run.path, self._run.checkpoints, self._run.samples):
            remove_leftovers(folder)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._close()

    def _close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def generator_file(source: Path, *, best: bool = False) -> Path:
    """The generator of a run directory, the last or the `best` one, or the file itself that is one.

    Raises UsageError where there is none, or where the run has not saved one yet.
    """
    run = RunDirectory(source)
    if best and not source.is_dir():
        raise UsageError(f"the best generator is that of a run directory, and {run} is none")
    path = (run.best if best else run.generator) if source.is_dir() else source
    if path.exists():
        return path
    if best and run.config.is_file():
        raise UsageError(
            f"the run in {run} has kept no best generator: evaluation.best names the metric that "
            "tells it"
        )
    if run.config.is_file():
        raise UsageError(
            f"the run in {run} has not saved a generator yet: it does so with its first checkpoint"
        )
    raise UsageError(f"{run} is neither a run directory nor a generator.safetensors")


def _held(run: RunDirectory) -> str:
    """The message that a process is in a run directory, and which one."""
    try:
        status = json.loads(run.status.read_text())
        holder = f"process {int(status['pid'])} on {printable(status['host'])}"
    except (OSError, ValueError, KeyError, TypeError):
        holder = "it has not said which"
    return f"another process is training in {run}: {holder}"


def next_directory(parent: Path, name: str) -> Path:
    """`parent/00004-name` where the highest number taken is 3."""
    taken = [0]
    if parent.is_dir():
        taken += [int(m[1]) for p in parent.iterdir() if (m := _NUMBERED.fullmatch(p.name))]
    return parent / f"{max(taken) + 1:05d}-{name}"
