"""Scales of plots: where a value lies between two others, and the round numbers to write there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["linear", "log", "symlog"]

_WIDE = 100  # the ratio of two values from which both are not seen on one linear scale
_MARGIN = 0.04  # of the range, on either side


@dataclass(frozen=True, kw_only=True)
class Scale:
    """The values from `low` to `high`.

    `log` shows ratios. `symlog` does so for values of both signs, and is linear below `threshold`:
    sign(v) log10(1 + |v| / threshold).
    """

    low: float
    high: float
    kind: Kind = "linear"
    threshold: float = 1.0

    def share(self, value: float) -> float:
        """The place of a value: 0 at `low`, 1 at `high`."""
        low, high = self._bent(self.low), self._bent(self.high)
        return (self._bent(value) - low) / (high - low)

    def ticks(self, num: int = 5) -> list[tuple[float, str]]:
        """At most about `num` round values within the range, each with its text."""
        if self.kind == "linear":
            return self._round_steps(num)
        return [(it, _power(it)) for it in self._powers(num)]

    def _round_steps(self, num: int) -> list[tuple[float, str]]:
        step = _round_step((self.high - self.low) / num)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        digits = max(0, -math.floor(math.log10(step) + 1e-9))
        return [(i * step, shown(i * step, digits)) for i in range(first, last + 1)]

    def _powers(self, num: int) -> list[float]:
        """The powers of ten within the range, and for `symlog` zero and their negatives."""
        signed = self.kind == "symlog"
        largest = max(abs(self.low), abs(self.high))
        last = math.floor(math.log10(largest) + 1e-9)
        first = math.ceil(math.log10(self.threshold if signed else self.low) - 1e-9)
        every = max(1, math.ceil((last - first + 1) * (2 if signed else 1) / num))
        # From the largest on: it is what people look for.
        found = [10.0**it for it in range(last, first if signed else first - 1, -every)]
        found = [*(-it for it in found), 0.0, *found] if signed else found
        return sorted(it for it in found if self.low <= it <= self.high)

    def _bent(self, value: float) -> float:
        if self.kind == "log":
            return math.log10(value)
        if self.kind == "symlog":
            return math.copysign(math.log10(1 + abs(value) / self.threshold), value)
        return value


def scale_of(values: Sequence[float], peaks: Sequence[float] = ()) -> Scale:
    """The scale on which finite values are all seen: logarithmic where a linear one hides some.

    `peaks` are the largest sizes of curves that are each to be seen.
    """
    low, high = min(values), max(values)
    sizes = sorted(abs(value) for value in values if value)
    heights = sorted(peak for peak in peaks if peak)
    kind: Kind = "linear"
    threshold = 1.0
    if low > 0:
        kind = "log" if high / low > _WIDE else "linear"
    elif sizes:
        middle = sizes[len(sizes) // 2]
        if sizes[-1] / min([middle, *heights]) > _WIDE:
            kind = "symlog"
            threshold = 10.0 ** math.floor(math.log10(sizes[len(sizes) // 10]))
    if low == high:
        reach = abs(low) / 2 or 1.0
        return Scale(low=low - reach, high=high + reach)
    if kind == "log":
        factor = (high / low) ** _MARGIN
        return Scale(low=low / factor, high=high * factor, kind=kind)
    if kind == "symlog":
        return Scale(low=low * 1.2, high=high * 1.2, kind=kind, threshold=threshold)
    margin = (high - low) * _MARGIN
    return Scale(low=low - margin, high=high + margin)


def _power(value: float) -> str:
    """A power of ten, plain where that is short."""
    if value == 0 or 1e-3 <= abs(value) <= 1e3:
        return shown(value)
    return f"{'-' if value < 0 else ''}1e{round(math.log10(abs(value)))}"


def shown(value: float, digits: int | None = None) -> str:
    """A number beside an axis: `0.05`, `1,200`, `250k`, `1e-6`."""
    size = abs(value)
    if value == 0:
        return "0"
    if 1e5 <= size < 1e9:
        unit, letter = (1e6, "M") if size >= 1e6 else (1e3, "k")
        return f"{value / unit:g}{letter}"
    if size >= 1e9 or size < 1e-4:
        mantissa, exponent = f"{value:.3e}".split("e")
        return f"{float(mantissa):g}e{int(exponent)}"
    return f"{value:,.{digits}f}" if digits is not None else f"{value:,g}"


def _round_step(step: float) -> float:
    """The least of 1, 2 and 5 times powers of ten that is not smaller."""
    power: float = 10.0 ** math.floor(math.log10(step))
    return next(it * power for it in (1, 2, 5, 10) if it * power >= step * (1 - 1e-9))
