"""What follows from progress alone, set before each step: schedules, and who is told of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from torch import nn

from ganforge.config.settings import OptimizerSettings
from ganforge.contracts import Progress

from .optimizers import learning_rate, set_learning_rate
from .sides import Side


@runtime_checkable
class FollowsProgress(Protocol):
    """A module that is told how far training is, before each step."""

    def set_progress(self, progress: Progress) -> None: ...


class Schedules:
    """Sets what is scheduled. It costs nothing where nothing is."""

    def __init__(
        self, optimizers: Sequence[tuple[Side, OptimizerSettings]], modules: Sequence[nn.Module]
    ) -> None:
        self._optimizers = [(side, it) for side, it in optimizers if it.schedule != "constant"]
        self._followers = [
            part for module in modules for part in module.modules() if is_follower(part)
        ]

    def set(self, progress: Progress) -> None:
        """Set everything for the step that follows."""
        for side, settings in self._optimizers:
            rate = learning_rate(settings, progress.step, progress.num_steps)
            set_learning_rate(side.optimizer, rate)
        self.tell(progress)

    def tell(self, progress: Progress) -> None:
        """Tell the modules that follow progress how far training is."""
        for module in self._followers:
            module.set_progress(progress)  # type: ignore[operator]


def is_follower(module: nn.Module) -> bool:
    """True for a module that wants to be told of progress."""
    return isinstance(module, FollowsProgress)
