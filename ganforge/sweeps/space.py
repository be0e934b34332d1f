"""The space of a search: settings with a range or several values, and how these are written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ganforge.config.toml import inline
from ganforge.errors import UsageError
from ganforge.printable import printable
from ganforge.sweeps.axes import Axis, FlagForm, Value, flag_axis, setting_axis

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_RANGE = re.compile(rf"({_NUMBER})\.\.({_NUMBER})(:log)?")


@dataclass(frozen=True, kw_only=True)
class Range:
    """Numbers from `low` to `high`, both included; `log` for those that differ by factors."""

    name: str
    low: float
    high: float
    log: bool
    whole: bool
    form: FlagForm | None

    @property
    def ends(self) -> tuple[float, float]:
        return self.low, self.high

    def value(self, number: float) -> Value:
        # Three digits say enough of what was found by trying, and can be read.
        rounded = min(max(float(f"{number:.3g}"), self.low), self.high)
        text = inline(int(number) if self.whole else rounded)
        if self.form is not None:
            return Value(text=text, arguments=(self.form.flag, text))
        return Value(text=text, arguments=("--set", f"{self.name}={text}"))


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Any of several values, among which there is no order."""

    axis: Axis

    @property
    def name(self) -> str:
        return self.axis.name

    @property
    def ends(self) -> tuple[str, ...]:
        return tuple(value.text for value in self.axis.values)

    def value(self, text: str) -> Value:
        return next(it for it in self.axis.values if it.text == text)


Dimension = Range | Choice


def dimension(assignment: str, forms: Mapping[str, FlagForm]) -> Dimension:
    """`generator.width=16..64`, `learning-rate=1e-5..1e-2:log`, `loss=nonsat,hinge`.

    A key is a flag of `train` or a setting. Raises UsageError.
    """
    where = f"--search {printable(assignment, 100)}"
    key, separator, text = (part.strip() for part in assignment.partition("="))
    if not separator or not key or not text:
        raise UsageError(f"{where}: must look like generator.width=16..64 or loss=nonsat,hinge")
    form = forms.get(key.lstrip("-").replace("_", "-"))
    if form is None and "." not in key:
        raise UsageError(f"{where}: {key!r} is no flag of `ganforge train`, nor a setting")
    found = _RANGE.fullmatch(text)
    if found is None:
        axis = flag_axis(form, text) if form is not None else setting_axis(assignment)
        if len(axis.values) == 1:
            raise UsageError(
                f"{where}: is one value; a range is written 16..64, 1e-5..1e-2:log where numbers "
                "differ by factors, and choices a,b"
            )
        return Choice(axis=axis)
    low, high = float(found[1]), float(found[2])
    if low >= high:
        raise UsageError(f"{where}: {found[1]} must lie below {found[2]}")
    if found[3] and low <= 0:
        raise UsageError(f"{where}: a range with :log begins above 0")
    return Range(
        name=form.flag.lstrip("-") if form is not None else key,
        low=low,
        high=high,
        log=bool(found[3]),
        whole=not set(found[1] + found[2]) & set(".eE"),
        form=form,
    )
