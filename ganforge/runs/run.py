"""`Run`: what a run directory says of its run. Nothing here writes, or disturbs training."""

from __future__ import annotations

import json
import math
import os
import re
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from ganforge.config.layers import KeyPath, Layer, from_run
from ganforge.errors import CheckpointError
from ganforge.printable import printable
from ganforge.storage.run_directory import RunDirectory, State, is_locked
from ganforge.storage.tensor_header import GENERATOR, read_document

#: as in `status.json`; `lost` is a run whose process is gone without a word, `unknown` one that
#: has left no status that can be read
RunState = State | Literal["lost", "unknown"]

_ENDED = ("finished", "interrupted", "terminated", "preempted", "failed")
_GRID = re.compile(r"(\d{8,})\.png")


@dataclass(frozen=True, kw_only=True)
class Series:
    """One quantity of a run: its values, and the steps after which it had them."""

    steps: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.steps)


@dataclass(frozen=True, kw_only=True)
class Status:
    """Last word of a run on itself."""

    state: RunState
    step: int = 0
    detail: str = ""


class Run:
    """A run, read from its directory; each part when it is first asked for, once.

    Raises UsageError where there is no run, and ConfigError where its `config.toml` is no
    configuration.
    """

    def __init__(self, path: Path | str) -> None:
        self.directory = RunDirectory.open(Path(path))

    @property
    def path(self) -> Path:
        return self.directory.path

    @property
    def name(self) -> str:
        """The name of the directory, made safe to print."""
        return printable(self.path.resolve().name)

    @cached_property
    def _layer(self) -> Layer:
        return from_run(self.directory.config)

    @cached_property
    def settings(self) -> Mapping[str, object]:
        """Every setting by its key: `{"training.steps": 1200, "loss.nonsat.weight": 1.0, ...}`."""
        return {".".join(entry.path): entry.value for entry in self._layer.entries}

    @property
    def entries(self) -> list[tuple[KeyPath, object]]:
        """Every setting with its place in the configuration, in the order of the file."""
        return [(entry.path, entry.value) for entry in self._layer.entries]

    def components(self, kind: str) -> tuple[str, ...]:
        """The names of the components of a kind: of `generator` one, of `loss` any number."""
        if kind in self._layer.tables:
            return self._layer.tables[kind].names
        name = self.settings.get(f"{kind}.name")
        return (name,) if isinstance(name, str) else ()

    @property
    def status(self) -> Status:
        """The status of the run, read anew each time."""
        try:
            stored = json.loads(self.directory.status.read_text(encoding="utf-8"))
            state, step = stored["state"], int(stored["step"])
            pid, host = int(stored["pid"]), stored["host"]
            detail = str(stored.get("detail", ""))
        except (OSError, ValueError, KeyError, TypeError):
            return Status(state="unknown", step=self._last_step)
        if state in _ENDED:
            return Status(state=state, step=step, detail=printable(detail, 2000))
        if state != "running":
            return Status(state="unknown", step=step)
        # The number of a process that is gone may be another one's by now, which has no lock. The
        # lock is asked for only then, since asking holds it for a moment.
        here = host == socket.gethostname()
        gone = here and (not _is_alive(pid) or is_locked(self.directory) is False)
        return Status(state="lost" if gone else "running", step=max(step, self._last_step))

    @property
    def _last_step(self) -> int:
        return max(
            (series.steps[-1] for series in read_metrics(self.directory.metrics).values()),
            default=0,
        )

    @cached_property
    def metrics(self) -> Mapping[str, Series]:
        """Every quantity of `metrics.jsonl` by its name, in the order in which they came up."""
        return read_metrics(self.directory.metrics)

    @cached_property
    def sessions(self) -> Sequence[Mapping[str, Any]]:
        """The environment of each session, the first one first."""
        return [it for it in self.directory.sessions() if isinstance(it, dict)]

    @property
    def checkpoints(self) -> list[tuple[int, Path]]:
        """Step and path of every checkpoint, newest first."""
        return self.directory.list_checkpoints()

    @cached_property
    def evaluations(self) -> Sequence[Mapping[str, Any]]:
        """The evaluations of it by `ganforge evaluate`, the first one first."""
        try:
            lines = self.directory.evaluations.read_text(encoding="utf-8").splitlines()
        except OSError:
            return []
        return [found for line in lines if isinstance(found := _json(line), dict)]

    @cached_property
    def best(self) -> Mapping[str, Any] | None:
        """The step, the number and its value of the best generator that is kept, if one is."""
        try:
            found = read_document(self.directory.best, GENERATOR).get("best")
        except CheckpointError:
            return None
        return found if isinstance(found, dict) else None

    @property
    def grids(self) -> list[tuple[int, Path]]:
        """Step and path of every picture of samples, the first one first."""
        if not self.directory.samples.is_dir():
            return []
        paths = self.directory.samples.iterdir()
        return sorted((int(m[1]), path) for path in paths if (m := _GRID.fullmatch(path.name)))


def read_metrics(path: Path) -> dict[str, Series]:
    """The quantities of a file of metrics by name; lines that are damaged are left out."""
    found: dict[str, Series] = {}
    for step, values in _lines(path):
        for name, value in values.items():
            if name != "step" and type(value) in (int, float) and math.isfinite(value):
                series = found.setdefault(name, Series())
                series.steps.append(step)
                series.values.append(float(value))
    return found


def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    for line in text.splitlines():
        try:
            values = json.loads(line)
            step = int(values["step"])
        except (ValueError, KeyError, TypeError, RecursionError):
            continue  # one that was cut off
        yield step, values


def _json(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None  # one that was cut off


def _is_alive(pid: int) -> bool:
    """False where no process of this machine has the number; signal 0 asks, and does nothing."""
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True  # somebody else's
    return True
