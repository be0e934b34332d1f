"""Conditions by name, as a program gives them: names of classes, numbers, tensors, arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from ganforge.errors import UsageError, did_you_mean, listed
from ganforge.plugin.fields import LABEL, Field
from ganforge.printable import printable
from ganforge.sampling.conditions import checked_values
from ganforge.sampling.labels import find_labels
from ganforge.sampling.trained_generator import TrainedGenerator

from .values import as_tensor


def as_conditions(trained: TrainedGenerator, given: Mapping[str, Any] | None) -> dict[str, Tensor]:
    """The conditions by name, each `[N, ...]` as networks see them, N = 1 for one value.

    Raises UsageError.
    """
    fields = trained.problem.conditions
    found = {}
    for name, value in (given or {}).items():
        if name not in fields:
            if not fields:
                raise UsageError(
                    f"conditions= has {printable(name, 40)!r}, and this generator was trained "
                    f"without {'labels' if name == LABEL else 'conditions'}"
                )
            near = did_you_mean(name, fields) or f"; it is told {listed([*fields])}"
            raise UsageError(f"this generator is not told {printable(name, 40)!r}{near}")
        shown = f"conditions={{{name!r}: ...}}"
        field = fields[name]
        if field.kind == "category":
            found[name] = as_labels(value, field, shown)
        else:
            values = as_tensor(value, shown)
            if values.dtype != torch.uint8:
                values = values.float()
            found[name] = checked_values(field, name, values, shown)
    return found


def as_labels(given: Any, field: Field, shown: str) -> Tensor:
    """Labels int64 `[N]` of names, numbers, or a tensor of numbers. Raises UsageError."""
    if isinstance(given, str) or not isinstance(given, Sequence):
        listed_ = [given] if isinstance(given, str | int) else as_tensor(given, shown)
    else:
        listed_ = [*given]
    if isinstance(listed_, Tensor):
        if listed_.is_floating_point() or listed_.dim() > 1:
            raise UsageError(f"{shown}: labels are whole numbers [N] or names of classes")
        listed_ = listed_.reshape(-1).tolist()
    if not listed_:
        raise UsageError(f"{shown} has no labels")
    for it in listed_:
        if isinstance(it, bool) or not isinstance(it, int | str):
            what = f"{shown}: a label is a class or its number, not {printable(repr(it), 40)}"
            raise UsageError(what)
    # A number is a number here, whatever a class may be called.
    classes = field.classes or ()
    numbers = [
        it if isinstance(it, int) else find_labels([it], classes, shown)[0] for it in listed_
    ]
    return torch.tensor([find_number(it, classes, shown) for it in numbers])


def find_number(number: int, classes: Sequence[str], shown: str) -> int:
    """The number of a class, where there is such a class. Raises UsageError."""
    if not 0 <= number < len(classes):
        raise UsageError(
            f"{shown}: there is no class number {number}: they go from 0 to {len(classes) - 1}"
        )
    return number
