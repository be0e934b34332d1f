"""Conditions as people give them on a command line, for a generator that is told something."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy
import torch
from torch import Tensor

from ganforge.data.scaling import prepared
from ganforge.errors import UsageError, did_you_mean, listed
from ganforge.plugin.fields import LABEL, Field
from ganforge.printable import printable
from ganforge.sampling.labels import find_labels, split_labels
from ganforge.sampling.trained_generator import TrainedGenerator
from ganforge.storage.paths import suffix_of

_ARRAYS = (".npy", ".npz")


def find_conditions(
    trained: TrainedGenerator, labels: Sequence[str] | None, given: Sequence[str]
) -> dict[str, Tensor]:
    """The conditions to generate samples for, by name: each `[N, ...]`, with N = 1 for all.

    `labels` are classes of the condition `label`; `given` are texts `NAME=VALUE`, whose value is
    classes, numbers with commas between them, or an array file, in the units of the data. Raises
    UsageError.
    """
    found: dict[str, Tensor] = {}
    if labels is not None:
        if trained.classes is None:
            raise UsageError(
                "--labels: this generator was trained without labels, and has no classes"
            )
        found[LABEL] = torch.tensor(find_labels(labels, trained.classes))
    fields = trained.problem.conditions
    for text in given:
        name, separator, value = text.partition("=")
        shown = f"--condition {printable(text, 80)}"
        if not separator or not value:
            raise UsageError(f"{shown} must look like caption=caption.npy, or label=3,3,7")
        if name not in fields:
            near = did_you_mean(name, fields) or f"; it is told {listed([*fields])}"
            raise UsageError(f"{shown}: this generator is not told {printable(name, 40)!r}{near}")
        found[name] = _value(fields[name], name, value, shown)
    return found


def num_asked(conditions: Mapping[str, Tensor]) -> int | None:
    """The number of samples that the conditions ask for; None where they fit any number."""
    sizes = {name: len(value) for name, value in conditions.items() if len(value) > 1}
    if len({*sizes.values()}) > 1:
        told = listed([f"{num} of {name!r}" for name, num in sizes.items()])
        raise UsageError(f"the conditions are for different numbers of samples: {told}")
    return next(iter(sizes.values()), None)


def expanded(conditions: Mapping[str, Tensor], num: int) -> dict[str, Tensor]:
    """Conditions for `num` samples; one value alone is that of all."""
    return {
        name: value.expand(num, *value.shape[1:]) if len(value) == 1 else value[:num]
        for name, value in conditions.items()
    }


def _value(field: Field, name: str, text: str, shown: str) -> Tensor:
    if field.kind == "category":
        return torch.tensor(find_labels(split_labels(text), field.classes or ()))
    values = _array(Path(text), name, shown) if text.endswith(_ARRAYS) else _numbers(text, shown)
    return checked_values(field, name, values, shown)


def checked_values(field: Field, name: str, values: Tensor, shown: str) -> Tensor:
    """Values `[*shape]` or `[N, *shape]` in the units of the data as `[N, *shape]` for a network.

    Raises UsageError where they have another shape, or are not finite.
    """
    shape = field.known_shape
    if values.shape == shape:
        values = values[None]
    if values.shape[1:] != shape or not len(values):
        wanted = ", ".join(map(str, shape))
        raise UsageError(
            f"{shown}: {name!r} has the shape [{wanted}], or [N, {wanted}] for N samples, not "
            f"{list(values.shape)}"
        )
    if not values.isfinite().all():
        raise UsageError(f"{shown}: some of its numbers are not finite")
    return prepared(values, field)


def _numbers(text: str, shown: str) -> Tensor:
    try:
        return torch.tensor([float(part) for part in text.split(",")])
    except ValueError as error:
        raise UsageError(
            f"{shown}: a value is numbers with commas between them, or a .npy or .npz file"
        ) from error


def _array(path: Path, name: str, shown: str) -> Tensor:
    try:
        loaded = numpy.load(path, allow_pickle=False)
        if suffix_of(path) == ".npz":
            if name not in loaded:
                there = listed(sorted(loaded.files))
                raise UsageError(f"{shown}: the file has no array {name!r}, but {there}")
            loaded = loaded[name]
        values = numpy.asarray(loaded)
        # Bytes stay bytes, which are brought to [-1, 1] as those of a data set are.
        return torch.from_numpy(values if values.dtype == numpy.uint8 else values.astype("float32"))
    except (OSError, ValueError, TypeError) as error:
        reason = getattr(error, "strerror", None) or "it is not an array of numbers"
        raise UsageError(f"{shown}: {printable(path)} cannot be read: {reason}") from error
