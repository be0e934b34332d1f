"""A run directory: its layout, its lock, and its state.

config.toml          the resolved configuration; `ganforge train --config` accepts it
environment.json     the versions and the device of each session of the run
data.json            what the run was trained on, and where that lay; for this run alone
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

from ganforge.config.places import DATA_FILE
from ganforge.errors import RunDirectoryError, UsageError
from ganforge.printable import printable
from ganforge.sharing import redacted
from ganforge.storage.files import TEMPORARY_PREFIX, flush_folder, remove_leftovers, write_text
from ganforge.storage.paths import check_path, cut_name, quoted

State = Literal["running", "finished", "interrupted", "terminated", "preempted", "failed"]

_NUMBERED = re.compile(r"(\d+)-.*")
_GRID = re.compile(r"(\d{8,})\.png")
_CHECKPOINT = re.compile(r"step-(\d{8,})\.safetensors")


class RunDirectory:
    """The paths of a run. Raises UsageError for one that no file system takes."""

    def __init__(self, path: Path) -> None:
        check_path(path)
        self.path = path
        self.config = path / "config.toml"
        self.environment = path / "environment.json"
        self.data = path / DATA_FILE
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
    def create(cls, path: Path, *, overwrite: bool = False) -> RunDirectory:
        """A directory for a new run: an empty one, or that of a run to `overwrite`.

        Nothing is removed from that yet. Raises UsageError for one that holds something else, and
        RunDirectoryError where a process is training in it.
        """
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
            if overwrite:
                return run
            run.refuse_another()
        if taken:
            what = "and holds no run that could be overwritten" if overwrite else ""
            raise UsageError(f"{run} is not empty {what}".rstrip() + "; name a new directory")
        return run

    def refuse_another(self) -> None:
        """Raise UsageError where a run is here: a new one would be trained over it."""
        if self.config.exists():
            raise UsageError(
                f"{self} holds a run already, which is left as it is: go on with it by "
                f"`ganforge train --resume {quoted(self.path)}`, replace it with --overwrite, or "
                "name another directory"
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
        for file in (self.config, self.environment, self.data, self.status):
            file.unlink(missing_ok=True)
        for folder in (self.samples, self.checkpoints, self.path):
            with contextlib.suppress(OSError):
                folder.rmdir()

    def record_session(self, environment: dict[str, Any], changes: dict[str, Any]) -> None:
        """Append this session's environment, and what it changed of the configuration."""
        sessions = self.sessions()
        sessions.append({**environment, "changes": changes})
        self._write(self.environment, json.dumps({"sessions": redacted(sessions)}, indent=2) + "\n")

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

    def write_data(self, document: dict[str, Any]) -> None:
        """Write what the run is trained on."""
        self._write(self.data, json.dumps(document) + "\n")

    def read_data(self) -> dict[str, Any] | None:
        """The data that the run was trained on; None where that was not written, as by 0.1.

        Raises ValueError or OSError where it cannot be read.
        """
        try:
            document = json.loads(self.data.read_bytes())
        except FileNotFoundError:
            return None
        if not isinstance(document, dict):
            raise ValueError("it is no JSON object")
        return document

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

    @property
    def saved_step(self) -> int:
        """The step of the newest checkpoint, sound or not; 0 where there is none."""
        return next((step for step, _ in self.list_checkpoints()), 0)

    def sample_grid(self, step: int) -> Path:
        return self.samples / f"{step:08d}.png"

    def later_grids(self, step: int) -> list[Path]:
        """The grids of steps after this one."""
        if not self.samples.is_dir():
            return []
        paths = self.samples.iterdir()
        return [it for it in paths if (m := _GRID.fullmatch(it.name)) and int(m[1]) > step]

    @property
    def real_grid(self) -> Path:
        return self.samples / "real.png"

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


def _held(run: RunDirectory) -> str:
    """The message that a process is in a run directory, and which one."""
    try:
        status = json.loads(run.status.read_text())
        holder = f"process {int(status['pid'])} on {printable(status['host'])}"
    except (OSError, ValueError, KeyError, TypeError):
        holder = "it has not said which"
    return f"another process is training in {run}: {holder}"


def next_directory(parent: Path, name: str) -> Path:
    """`parent/00004-name` where the highest number taken is 3; a long name is cut."""
    taken = [0]
    if parent.is_dir():
        taken += [int(m[1]) for p in parent.iterdir() if (m := _NUMBERED.fullmatch(p.name))]
    return parent / cut_name(f"{max(taken) + 1:05d}-{name}")
