"""`Callback`: told of a run's progress."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from ganforge.problem import Problem


class Callback:
    """Observer of a run's progress, never called within a step.

    An exception disables it with a warning. A method that a callback does not need stays as it is.
    """

    def __init__(self, problem: Problem | None = None, options: Any = None) -> None:
        self.problem = problem
        self.options = options

    def started(self, run_directory: Path, step: int, config: Mapping[str, Any]) -> None:
        """Training begins, or goes on after `step` steps; what was told of later ones is void.

        `config` holds every value of the configuration by its dotted key.
        """

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        """A line of `metrics.jsonl`, after `step` steps."""

    def found(self, step: int, name: str, text: str) -> None:
        """The diagnosis has found something that goes wrong, `collapse` for one: once in a run."""

    def picture(self, step: int, picture: Tensor) -> None:
        """The sample grid after `step` steps, uint8 `[H, W, C]` on the CPU."""

    def saved(self, step: int, checkpoint: Path) -> None:
        """A checkpoint was written."""

    def ended(self, state: str) -> None:
        """The session is over: `finished`, `interrupted`, `terminated`, `preempted` or `failed`."""

    def next_command(self) -> str | None:
        """The command that shows what the callback has written, if there is one.

        It is printed with the others at the end of a run, after `ended`.
        """
        return None
