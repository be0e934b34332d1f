"""A quantity of a run in as few points as a plot can show, however long the run was."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .run import Series

CAPACITY = 400  # points of a curve, about as many as a plot is pixels wide


@dataclass(frozen=True, kw_only=True)
class Point:
    """The mean, the lowest and the highest of a few neighbouring values, up to `step`."""

    step: int
    mean: float
    low: float
    high: float


@dataclass(kw_only=True)
class _Bucket:
    step: int
    total: float
    low: float
    high: float
    count: int

    def take(self, other: _Bucket) -> None:
        self.step = other.step
        self.total += other.total
        self.low, self.high = min(self.low, other.low), max(self.high, other.high)
        self.count += other.count


class Thinned:
    """The values of a quantity as they come, in constant memory.

    Every point stands for the same number of values, the last one for those that are left. What is
    given again after a run is resumed makes the same points.
    """

    def __init__(self) -> None:
        self._buckets: list[_Bucket] = []
        self._each = 1

    @classmethod
    def of(cls, series: Series) -> Thinned:
        found = cls()
        found.extend(zip(series.steps, series.values, strict=True))
        return found

    def extend(self, values: Iterable[tuple[int, float]]) -> None:
        for step, value in values:
            self.add(step, value)

    def add(self, step: int, value: float) -> None:
        new = _Bucket(step=step, total=value, low=value, high=value, count=1)
        if self._buckets and self._buckets[-1].count < self._each:
            self._buckets[-1].take(new)
            return
        if len(self._buckets) == CAPACITY:
            for left, right in zip(self._buckets[::2], self._buckets[1::2], strict=True):
                left.take(right)
            del self._buckets[1::2]
            self._each *= 2
        self._buckets.append(new)

    @property
    def points(self) -> tuple[Point, ...]:
        return tuple(
            Point(step=it.step, mean=it.total / it.count, low=it.low, high=it.high)
            for it in self._buckets
        )
