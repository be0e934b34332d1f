"""Metrics, sample grids and the configuration as events that TensorBoard shows."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from ganforge import Callback, Problem

from . import TensorBoardOptions


class TensorBoard(Callback):
    """Writes event files; `tensorboard --logdir runs` shows all runs side by side."""

    def __init__(self, problem: Problem, options: TensorBoardOptions) -> None:
        self._parent = options.directory
        self._writer: SummaryWriter | None = None
        self._shown = Path()

    def started(self, run_directory: Path, step: int, config: Mapping[str, Any]) -> None:
        if self._parent is None:
            folder = run_directory / "tensorboard"
            self._shown = run_directory.parent  # all runs side by side
        else:
            folder = Path(self._parent).expanduser() / run_directory.resolve().name
            self._shown = folder.parent
        # Events from this step on, which a killed session may have left, are void; those of the
        # step that a run goes on from are not, unless it starts over.
        purge_step = step + 1 if step else 0
        self._writer = SummaryWriter(str(folder), purge_step=purge_step)
        # An indented block is shown as it stands; the text plugin reads Markdown.
        lines = [f"    {key} = {json.dumps(value)}" for key, value in config.items()]
        self._writer.add_text("config", "\n".join(lines), step)

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        if self._writer is not None:
            for name, value in values.items():
                if name != "step":  # it is the axis
                    self._writer.add_scalar(name, value, step)

    def picture(self, step: int, picture: Tensor) -> None:
        if self._writer is not None:
            self._writer.add_image("samples", picture, step, dataformats="HWC")

    def saved(self, step: int, checkpoint: Path) -> None:
        if self._writer is not None:
            self._writer.flush()

    def ended(self, state: str) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def next_command(self) -> str | None:
        return f"tensorboard --logdir {shlex.quote(str(self._shown))}"
