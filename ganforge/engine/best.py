"""The best checkpoint of a run, by one number of one metric."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ganforge.config.measures import best_number
from ganforge.config.run_config import RunConfig


@dataclass(frozen=True, kw_only=True)
class Best:
    """The best value so far of a number, `metric/fid` for one, and the step that had it."""

    number: str
    value: float
    step: int


class BestSoFar:
    """Keeps account of the best value that `evaluation.best` asks for, where it does.

    The first of several equal values is the best.
    """

    def __init__(self, config: RunConfig) -> None:
        self.best: Best | None = None
        self._names: tuple[str, ...] = ()
        self._sign = 1.0
        if config.evaluation.best is None:
            return
        metric, number = best_number(config.metrics, config.evaluation.best)
        # What it is called in a line of metrics depends on what else the metric gives.
        names = {metric.full_name(number, it) for it in ([number], [number, ""])}
        self._names = tuple(f"metric/{name}" for name in names)
        self._sign = 1.0 if metric.direction(number) == "higher" else -1.0

    @property
    def step(self) -> int | None:
        """The step of the best checkpoint; None before there is one."""
        return None if self.best is None else self.best.step

    def offer(self, step: int, numbers: Mapping[str, float]) -> bool:
        """Note what was measured after a step; true where it is better than all before."""
        for name in self._names:
            if name not in numbers:
                continue
            value = numbers[name]
            if self.best is None or self._sign * (value - self.best.value) > 0:
                self.best = Best(number=name, value=value, step=step)
                return True
        return False

    def record(self) -> dict[str, Any] | None:
        """The best as JSON, for checkpoints and for the generator that is kept."""
        return None if self.best is None else asdict(self.best)

    def restore(self, stored: Mapping[str, Any] | None) -> None:
        """Take up what a checkpoint has noted, unless it is of another number."""
        if stored is not None and stored.get("number") in self._names:
            self.best = Best(**stored)
