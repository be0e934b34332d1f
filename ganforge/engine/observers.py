"""`Observer`: told of everything that happens in a session of a run.

The progress display, the metrics file and the callbacks of plugins are observers. None can change
a run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganforge.config.run_config import RunConfig
from ganforge.diagnosis.findings import Finding
from ganforge.storage.run_directory import RunDirectory

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class SessionFacts:
    """Facts known when training starts.

    Parameters are numbers of trained weights; `unit` is what samples are counted in, and `side`
    the pixels on a side of one in a picture, where samples are pictures themselves. `changes` are
    what the session changes of the configuration: `{"from": ..., "to": ...}` by key. `left_out`
    says what of the data was not taken, and is empty where all was.
    """

    run: RunDirectory
    config: RunConfig
    device: str
    data: str
    left_out: str
    sample: str
    unit: str
    side: int | None
    generator_parameters: int
    discriminator_parameters: int
    first_step: int
    num_steps: int
    changes: Mapping[str, Any]


class Observer:
    """Told of a session between its first step and its last; each method may stay as it is."""

    def preparing(self, what: str) -> None:
        """Before the first step: this is about to be done."""

    def started(self, facts: SessionFacts) -> None:
        """Everything is built, and the first step follows."""

    def step(self, step: int) -> None:
        """A step is done."""

    def measuring(self, what: str, done: int, total: int) -> None:
        """An evaluation has read so many of the samples that it reads."""

    def metrics(self, values: Mapping[str, float]) -> None:
        """A line of metrics, which holds the step."""

    def found(self, finding: Finding) -> None:
        """Something goes wrong; each finding comes once in a run."""

    def picture(self, step: int, picture: Tensor) -> None:
        """The picture of samples after `step` steps, uint8 `[H, W, C]` on the CPU."""

    def saved(self, step: int, checkpoint: Path) -> None:
        """A checkpoint was written."""

    def ended(self, state: str) -> None:
        """The session is over: its state is that of `status.json`."""
