"""How far a run is, and the numbers that depend on it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a run is: `step` of `num_steps`, counted from 0, and the images seen before it."""

    step: int
    num_steps: int
    images: int

    @property
    def share(self) -> float:
        """The share of the run that is done, in [0, 1]."""
        return self.step / self.num_steps

    def value(self, number: float) -> float:
        """The number that an option stands for now."""
        return number
