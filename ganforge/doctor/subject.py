"""`Subject`: a run that is examined. Each part is read when it is first asked for, once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ganforge.config.layers import from_run
from ganforge.config.resolve import resolve
from ganforge.config.run_config import RunConfig
from ganforge.errors import CheckpointError, GanforgeError, UsageError
from ganforge.plugin.discovery import Discovery
from ganforge.printable import printable
from ganforge.storage.files import open_regular
from ganforge.storage.paths import quoted_from_home
from ganforge.storage.run_directory import RunDirectory, is_locked
from ganforge.storage.tensor_header import CHECKPOINT, GENERATOR
from ganforge.storage.verification import Verified, verify

MOST_TEXT = 10_000_000  # bytes of a record that is read whole


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A file of tensors of a run: what it holds, or the error that says why that is not known."""

    path: Path
    step: int = 0
    verified: Verified | None = None
    error: CheckpointError | None = None


class Subject:
    """A run directory, whatever it holds. Raises UsageError where there is nothing of a run."""

    def __init__(self, path: Path, discovery: Discovery) -> None:
        self.run = RunDirectory(path)
        self.discovery = discovery
        if not self.run.config.exists() and not self.run.list_checkpoints():
            raise UsageError(
                f"there is no run in {self.run}: it has no config.toml and no checkpoints"
            )

    @property
    def resume(self) -> str:
        """The command that goes on with the run."""
        return f"`ganforge train --resume {quoted_from_home(self.run.path)}`"

    @property
    def restore(self) -> str:
        """The way back to the configuration of the newest checkpoint; empty where none has it."""
        if not isinstance(self.document.get("config"), str):
            return ""
        again = f"{self.resume} writes it again from the newest checkpoint"
        if not self.run.config.exists() and not self.run.config.is_symlink():
            return again
        return f"{self.command('rm', self.run.config)}, and {again}"

    def command(self, verb: str, *paths: Path) -> str:
        """`rm r/x`, with paths as a shell takes them."""
        return f"`{verb} {' '.join(map(quoted_from_home, paths))}`"

    @cached_property
    def in_use(self) -> bool:
        """True where a process is training in it at this moment.

        The lock is asked for where the run may be in use, and nowhere else: asking holds it for a
        moment.
        """
        try:
            if self.status.get("state") != "running":
                return False
        except (OSError, ValueError):
            pass
        return is_locked(self.run) is True

    @cached_property
    def status(self) -> Mapping[str, Any]:
        """The last word of the run on itself. Raises OSError or ValueError where it has none."""
        found = read_json(self.run.status)
        if not isinstance(found, dict) or type(found.get("step")) is not int:
            raise ValueError("it does not say a state and a step")
        return found

    @cached_property
    def sessions(self) -> list[dict[str, Any]]:
        """The records of the sessions. Raises OSError or ValueError where they cannot be read."""
        found = read_json(self.run.environment)
        sessions = found.get("sessions") if isinstance(found, dict) else None
        if not isinstance(sessions, list) or not all(isinstance(it, dict) for it in sessions):
            raise ValueError("it holds no list of sessions")
        return sessions

    @cached_property
    def checkpoints(self) -> list[Stored]:
        """Every checkpoint, read whole, newest first; one that has gone meanwhile is none."""
        found = [stored(path, CHECKPOINT, step) for step, path in self.run.list_checkpoints()]
        return [it for it in found if it is not None]

    @cached_property
    def newest(self) -> Stored | None:
        """The newest checkpoint that is sound."""
        return next((it for it in self.checkpoints if it.verified is not None), None)

    @cached_property
    def document(self) -> Mapping[str, Any]:
        """The document of the newest sound checkpoint; empty where there is none."""
        return (
            {}
            if self.newest is None or self.newest.verified is None
            else (self.newest.verified.document)
        )

    @cached_property
    def generator(self) -> Stored | None:
        """The generator as it was saved last; None where it is not there."""
        return stored(self.run.generator, GENERATOR)

    @cached_property
    def best(self) -> Stored | None:
        """The best generator; None where none was kept."""
        return stored(self.run.best, GENERATOR)

    @cached_property
    def config(self) -> RunConfig | GanforgeError:
        """The configuration, or the error that says why it does not work here."""
        try:
            return resolve([from_run(self.run.config)], self.discovery.registry)
        except GanforgeError as error:
            return error


def stored(path: Path, kind: str | None, step: int = 0) -> Stored | None:
    """A file of tensors, read whole; None where it is not there, or no longer."""
    try:
        return Stored(path=path, step=step, verified=verify(path, kind))
    except CheckpointError as error:
        if not path.exists() and not path.is_symlink():
            return None
        return Stored(path=path, step=step, error=error)


def why(error: Exception) -> str:
    """`No such file or directory`, or what else an error says."""
    return printable(getattr(error, "strerror", None) or error)


def read_json(path: Path) -> Any:
    """A small JSON file. Raises OSError or ValueError."""
    with open_regular(path) as file:
        text = file.read(MOST_TEXT + 1)
    if len(text) > MOST_TEXT:
        raise ValueError("it is larger than any that ganforge writes")
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested deeper than any that ganforge writes") from error
