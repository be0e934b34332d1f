"""The data set that stands for data of a Python program, which no file of a run can hold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from ganforge import DataError, Field, Problem, option


@dataclass(frozen=True, kw_only=True)
class PythonOptions:
    fields: str = option(help="what each item consists of, as JSON")
    digest: str = option("", help="digest of the data, which tells other data from it")

    def __post_init__(self) -> None:
        fields_of(self)


def fields_of(options: PythonOptions) -> Mapping[str, Field]:
    """The fields by name, as the options describe them. Raises ValueError where they do not."""
    try:
        stored = json.loads(options.fields)
        return {
            name: Field(**{key: _restored(value) for key, value in field.items()})
            for name, field in stored.items()
        }
    except (TypeError, AttributeError, KeyError) as error:
        raise ValueError(f"fields is no description of fields: {error}") from error


def _restored(value: Any) -> Any:
    """JSON knows no tuples."""
    return tuple(value) if isinstance(value, list) else value


def check_handed_over(options: PythonOptions) -> NoReturn:
    """Raises DataError: a program that hands its data over does not get here."""
    raise DataError(
        "the data of this run came from a Python program, and is in no file: train with it there, "
        "by ganforge.train(resume=RUN, dataset=DATA) for a run that is to go on"
    )


def build(problem: Problem, options: PythonOptions) -> NoReturn:
    """Raises DataError, as `check_handed_over` does."""
    check_handed_over(options)
