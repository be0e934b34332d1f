"""Values that follow from progress alone, set before each step, and the modules told of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from torch import nn

from ganforge.plugin.schedule import Progress

from .optimizers import ScheduledOptimizer


@runtime_checkable
class FollowsProgress(Protocol):
    """A module that is told how far training is, before each step."""

    def set_progress(self, progress: Progress) -> None: ...


class Schedules:
    """Sets what is scheduled. It costs nothing where nothing is.

    `told` is what modules that follow progress were told last; None where there are none.
    """

    def __init__(
        self, optimizers: Sequence[ScheduledOptimizer], modules: Sequence[nn.Module]
    ) -> None:
        self.told: Progress | None = None
        self._optimizers = tuple(optimizers)
        self._followers = [
            part for module in modules for part in module.modules() if is_follower(part)
        ]

    def set(self, progress: Progress) -> None:
        """Set everything for the step that follows."""
        for scheduled in self._optimizers:
            scheduled.update(progress)
        self.tell(progress)

    def tell(self, progress: Progress) -> None:
        """Tell the modules that follow progress how far training is."""
        if self._followers:
            self.told = progress
        for module in self._followers:
            module.set_progress(progress)  # type: ignore[operator]


def is_follower(module: nn.Module) -> bool:
    """True for a module that wants to be told of progress."""
    return isinstance(module, FollowsProgress)
