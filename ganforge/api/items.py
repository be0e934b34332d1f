"""Data sets of a program that are read item by item, or one after another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol, runtime_checkable

from torch import Tensor

from ganforge.contracts import MapDataset
from ganforge.contracts.datasets import StreamDataset
from ganforge.errors import DataError
from ganforge.plugin.fields import LABEL, SAMPLE, Field
from ganforge.printable import printable

from .values import as_tensor, stored


@runtime_checkable
class ReadByNumber(Protocol):
    """Anything with a length and items by number, as a map-style data set of torch."""

    def __len__(self) -> int: ...

    def __getitem__(self, number: int, /) -> Any: ...


def by_name(item: Any, where: str) -> dict[str, Any]:
    """The values of an item by field: it is a mapping, `(sample, label)`, or the sample alone."""
    if isinstance(item, Mapping):
        if SAMPLE not in item:
            keys = printable(", ".join(map(str, item)), 100)
            raise DataError(f"{where} has no {SAMPLE!r} among its values by name: {keys}")
        return {str(name): value for name, value in item.items()}
    if isinstance(item, tuple | list) and len(item) == 1:
        return {SAMPLE: item[0]}
    if isinstance(item, tuple | list) and len(item) == 2:
        return {SAMPLE: item[0], LABEL: item[1]}
    if isinstance(item, tuple | list):
        raise DataError(
            f"{where} has {len(item)} values: give (sample, label), or a dictionary with names"
        )
    return {SAMPLE: item}


def values_of(item: Any, fields: Mapping[str, Field], where: str) -> dict[str, Tensor]:
    """The values of an item as the fields store them. Raises DataError where they do not fit."""
    found = by_name(item, where)
    values = {}
    for name, field in fields.items():
        if name not in found:
            raise DataError(f"{where} has no {printable(name)!r}")
        value, what = found[name], f"{name!r} of {where}"
        if field.classes is not None and isinstance(value, str):
            if value not in field.classes:
                raise DataError(f"{what} is {printable(value, 60)!r}, which is none of the classes")
            value = field.classes.index(value)
        tensor = as_tensor(value, what)
        if field.kind == "category":
            tensor = tensor.reshape(())
            if field.classes is not None and not 0 <= int(tensor) < len(field.classes):
                raise DataError(f"{what} is {int(tensor)}, of {len(field.classes)} classes")
        if tuple(tensor.shape) != field.known_shape:
            raise DataError(
                f"{what} has the shape {[*tensor.shape]}, and those before have "
                f"{[*field.known_shape]}"
            )
        values[name] = stored(tensor, field)
    return values


class Items(MapDataset):
    """Items by number, whatever they are, as the values of fields."""

    def __init__(self, source: ReadByNumber, fields: Mapping[str, Field]) -> None:
        self.source = source
        self.fields = dict(fields)
        self.classes = fields[LABEL].classes if LABEL in fields else None

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: int) -> Mapping[str, Tensor | int]:
        values = values_of(self.source[index], self.fields, f"item {index}")
        # A category is an integer in the contract.
        return {
            name: int(value) if self.fields[name].kind == "category" else value
            for name, value in values.items()
        }


class Stream(StreamDataset):
    """Items one after another, whatever they are, as the values of fields."""

    def __init__(self, start: Callable[[], Iterable[Any]], fields: Mapping[str, Field]) -> None:
        self._start = start
        self.fields = dict(fields)
        self.classes = fields[LABEL].classes if LABEL in fields else None

    def __iter__(self) -> Iterator[Mapping[str, Tensor | int]]:
        for number, item in enumerate(self._start()):
            yield values_of(item, self.fields, f"item {number}")
