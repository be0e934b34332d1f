"""The columns of a table within a vector, as the fit of its data set describes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ganforge.problem import Problem


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column: the numbers `start` to `start + size` of a vector.

    A category has `values`, the texts of its classes. A number has `decimals`, to which it is
    rounded, or None; and where it was coded by the mode it lies in, `modes`, float64 `[M, 2]`, the
    offset and the scale of each.
    """

    name: str
    start: int
    size: int = 1
    values: tuple[str, ...] | None = None
    decimals: int | None = None
    modes: Tensor | None = None

    def decoded(self, samples: Tensor, restored: Tensor) -> Tensor:
        """The column `[N]` of samples `[N, D]`: numbers in float64, or of categories the number.

        `restored` are the same samples in the units of the data.
        """
        coded = samples[:, self.start : self.start + self.size].detach()
        if self.values is not None:
            # A category of two may be one number, below or above zero.
            return (coded[:, 0] > 0).long() if self.size == 1 else coded.argmax(dim=1)
        if self.modes is None:
            return restored[:, self.start].detach().double()
        modes = self.modes.to(coded.device)
        offset, scale = modes[coded[:, 1:].argmax(dim=1)].unbind(1)
        return coded[:, 0].double() * scale + offset


def columns_of(problem: Problem) -> list[Column]:
    """The columns that the fact `columns` describes; without it each number of a vector is one.

    Raises ValueError where it does not fit the samples.
    """
    (dimension,) = problem.sample_shape
    described = None if problem.fit is None else problem.fit.facts.get("columns")
    if described is None:
        return [Column(name=f"x{number}", start=number) for number in range(dimension)]
    try:
        columns = [_column(entry) for entry in described]
    except (KeyError, TypeError) as error:
        raise ValueError(f"the fact 'columns' is incomplete: {error}") from error
    for column in columns:
        if not 0 <= column.start <= column.start + column.size <= dimension or column.size < 1:
            raise ValueError(
                f"the column {column.name!r} takes the numbers {column.start} to "
                f"{column.start + column.size - 1}, and a sample has {dimension}"
            )
    names = [column.name for column in columns]
    if len(set(names)) < len(names):
        raise ValueError("the fact 'columns' names a column twice")
    return columns


def _column(entry: Mapping[str, Any]) -> Column:
    name, start, size = str(entry["name"]), int(entry["start"]), int(entry.get("size", 1))
    if entry["kind"] == "category":
        values = tuple("" if value is None else str(value) for value in entry["values"])
        if len(values) != (2 if size == 1 else size):
            raise ValueError(f"the column {name!r} has {len(values)} values, coded by {size}")
        return Column(name=name, start=start, size=size, values=values)
    if entry["kind"] != "number":
        raise ValueError(f"the column {name!r} is of kind {entry['kind']!r}: category or number")
    modes: Sequence[Sequence[float]] | None = entry.get("modes")
    if (modes is None and size != 1) or (modes is not None and len(modes) != size - 1):
        raise ValueError(
            f"the column {name!r} is {size} numbers: one, and one more for each of its modes"
        )
    return Column(
        name=name,
        start=start,
        size=size,
        decimals=entry.get("decimals"),
        modes=None if modes is None else torch.tensor(modes, dtype=torch.float64),
    )
