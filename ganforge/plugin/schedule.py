"""`Progress`: how far training is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far training is: `step` steps of `num_steps` done, and `images` real samples seen."""

    step: int
    num_steps: int
    images: int

    @property
    def share(self) -> float:
        """The share of the run that is done, in [0, 1)."""
        return self.step / self.num_steps

    def value(self, setting: Any) -> Any:
        """The number that a setting has now."""
        return setting
