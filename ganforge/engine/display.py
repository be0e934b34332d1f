"""What a person sees of a training session: the protocol that the command line implements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ganforge.config.run_config import RunConfig
from ganforge.plugin.fields import Field
from ganforge.storage.run_directory import RunDirectory


@dataclass(frozen=True, kw_only=True)
class SessionFacts:
    """What is known when training starts. Parameters are numbers of trained weights.

    `sample` is the field that is generated, with the shape that the data turned out to have.
    """

    run: RunDirectory
    config: RunConfig
    sample: Field
    device: str
    data: str
    generator_parameters: int
    discriminator_parameters: int
    first_step: int
    num_steps: int


class Display(Protocol):
    """Told of everything that happens between the first step and the last."""

    def started(self, facts: SessionFacts) -> None:
        """Everything is built, and the first step follows."""

    def step(self, step: int) -> None:
        """A step is done."""

    def metrics(self, values: dict[str, float]) -> None:
        """A line of metrics was written."""

    def stopped(self) -> None:
        """The loop has ended, in whatever way."""
