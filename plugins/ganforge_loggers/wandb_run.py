"""Metrics, sample grids and the configuration for Weights & Biases, offline unless it is told."""

from __future__ import annotations

import os
import shlex
import uuid
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from torch import Tensor

from ganforge import Callback, Problem

from . import WandBOptions
from .drawn import as_image
from .remembered import recall, remember

TRACKER = "wandb"


class WandB(Callback):
    """Logs to `wandb` in the run directory; `wandb sync` sends that later.

    Nothing leaves the machine unless the option `mode`, or `WANDB_MODE`, says `online`.
    """

    def __init__(self, problem: Problem, options: WandBOptions) -> None:
        self._options = options
        self._run: Any = None
        self._folders: str | None = None

    def started(self, run_directory: Path, step: int, config: Mapping[str, Any]) -> None:
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
        import wandb

        options = self._options
        mode: Any = options.mode
        if mode == "auto":
            mode = os.environ.get("WANDB_MODE", "offline")
        known = recall(run_directory, TRACKER) if step else None
        number = known or uuid.uuid4().hex[:8]
        remember(run_directory, TRACKER, number)
        self._run = wandb.init(
            project=options.project,
            entity=options.entity,
            name=options.run_name or run_directory.resolve().name,
            id=number,
            # Offline, a session is a folder of its own with the same number, and syncing joins
            # them.
            resume="allow" if known and mode == "online" else None,
            mode=mode,
            dir=str(run_directory),
            config=dict(config),
            settings=wandb.Settings(silent=True, console="off", x_disable_stats=True),
        )
        if mode == "offline":
            # One folder for each session of the run; a shell finds them all.
            self._folders = f"{shlex.quote(str(run_directory))}/wandb/offline-run-*-{number}"

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        self._run.log({name: value for name, value in values.items() if name != "step"}, step=step)

    def found(self, step: int, name: str, text: str) -> None:
        self._run.summary[f"found/{name}"] = text

    def picture(self, step: int, picture: Tensor) -> None:
        import wandb

        # A file of our own, since wandb's lies in a folder for the whole process that may be gone.
        with TemporaryDirectory(dir=self._run.dir) as folder:
            path = Path(folder) / "samples.png"
            as_image(picture).save(path)
            self._run.log({"samples": wandb.Image(str(path))}, step=step)

    def ended(self, state: str) -> None:
        if self._run is None:
            return
        import wandb

        run, self._run = self._run, None
        run.summary["state"] = state
        run.finish(exit_code=0 if state == "finished" else 1)
        wandb.teardown()  # its service is a process of its own

    def next_command(self) -> str | None:
        return None if self._folders is None else f"wandb sync {self._folders}"
