"""Metrics, sample grids and the configuration for Trackio, whose store is a local database."""

from __future__ import annotations

import contextlib
import io
import os
import shlex
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from ganforge import Callback, Problem

from . import TrackioOptions
from .drawn import as_image
from .remembered import recall, remember

TRACKER = "trackio"


class Trackio(Callback):
    """Logs to Trackio's folder (`TRACKIO_DIR`), and to a Space where the user names one.

    Trackio finds a run by its name, so one that was given none gets a name that no other has.
    """

    def __init__(self, problem: Problem, options: TrackioOptions) -> None:
        self._options = options
        self._run: Any = None
        self._step = 0

    def started(self, run_directory: Path, step: int, config: Mapping[str, Any]) -> None:
        os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
        import trackio

        self._step = step
        usual = f"{run_directory.resolve().name}-{uuid.uuid4().hex[:6]}"
        known = recall(run_directory, TRACKER) if step else None
        name = known or self._options.run_name or usual
        remember(run_directory, TRACKER, name)
        with _quiet():
            self._run = trackio.init(
                self._options.project,
                name=name,
                space_id=self._options.space,
                config=dict(config),
                resume="allow" if known else "never",
                embed=False,
                auto_log_cpu=False,
                auto_log_gpu=False,
            )

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        self._step = step
        self._run.log({name: value for name, value in values.items() if name != "step"}, step=step)

    def found(self, step: int, name: str, text: str) -> None:
        with _quiet():
            self._run.alert(name, text, step=step)

    def picture(self, step: int, picture: Tensor) -> None:
        import trackio

        self._run.log({"samples": trackio.Image(as_image(picture))}, step=step)

    def ended(self, state: str) -> None:
        if self._run is None:
            return
        import trackio

        run, self._run = self._run, None
        with _quiet():
            run.log({"state": state}, step=self._step)
            # Through the module, which would otherwise finish the run again at exit.
            trackio.finish()

    def next_command(self) -> str | None:
        return f"trackio show --project {shlex.quote(self._options.project)}"


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep what Trackio prints out of the display."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield
