"""`Finding`: something that goes wrong in a run; and the columns that it is seen in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ganforge.runs.run import Series

#: every quantity of a run's metrics by name
Columns = Mapping[str, Series]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that goes wrong, after `step` steps.

    `name` is one of `ganforge.plugin.base_specs.FINDINGS`, `text` a sentence with the numbers, and
    `advice` the flags of `ganforge train` that are worth a try, which exist for the run.
    """

    name: str
    step: int
    text: str
    numbers: Mapping[str, float] = field(default_factory=dict)
    advice: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The finding and its advice in one paragraph."""
        words = self.name.replace("-", " ")
        tried = f" Try {' or '.join(f'`{it}`' for it in self.advice)}." if self.advice else ""
        return f"{words}, step {self.step:,}: {self.text}.{tried}"


def recent(columns: Columns, name: str, num: int) -> Sequence[float]:
    """The last `num` values of a quantity; none where there are not so many yet."""
    values = columns[name].values if name in columns else []
    return values[-num:] if len(values) >= num else []


def last(columns: Columns, name: str) -> float | None:
    """The last value of a quantity, or None where it has none."""
    return columns[name].values[-1] if name in columns else None


def last_step(columns: Columns) -> int:
    """The last step that something was measured after."""
    return max((series.steps[-1] for series in columns.values()), default=0)


def lines(columns: Columns) -> Iterator[dict[str, float]]:
    """The quantities step by step, as they were measured: `{"step": 25, ...}`."""
    found: dict[int, dict[str, float]] = {}
    for name, series in columns.items():
        for step, value in zip(series.steps, series.values, strict=True):
            found.setdefault(step, {"step": step})[name] = value
    for step in sorted(found):
        yield found[step]
