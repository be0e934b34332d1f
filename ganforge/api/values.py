"""Values of one's own as tensors, and the fields that they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy
import torch
from PIL import Image
from torch import Tensor

from ganforge.errors import DataError
from ganforge.plugin.fields import GRIDS, Field, Kind, natural_order
from ganforge.printable import printable

#: rank of one value -> its kind, where nothing says another
_KINDS: dict[int, Kind] = {1: "vector", 2: "sequence", 3: "image", 4: "video"}
#: numbers of channels that images have whose channels come last
_COLOURS = (1, 3, 4)

Range = tuple[float, float]
BYTES: Range = (0.0, 255.0)


def as_tensor(value: Any, name: str) -> Tensor:
    """A tensor, an array, a picture or nested numbers as a tensor, of its own type, on the CPU.

    A picture is uint8 `[C, H, W]`. Raises DataError for what is no array of numbers.
    """
    if isinstance(value, Tensor):
        return value.detach()
    if isinstance(value, Image.Image):
        pixels = torch.from_numpy(numpy.array(value.convert("L") if value.mode == "1" else value))
        return pixels[None] if pixels.dim() == 2 else pixels.permute(2, 0, 1).contiguous()
    try:
        array = numpy.asarray(value)
        if array.dtype.kind not in "biuf":
            raise TypeError(f"its type is {array.dtype}")
        # Not every type of NumPy is one of torch's, and big-endian numbers are none.
        if array.dtype == numpy.uint8:
            return torch.from_numpy(numpy.require(array, requirements=["C", "W"]))
        wanted = numpy.float32 if array.dtype.kind == "f" else numpy.int64
        return torch.from_numpy(numpy.require(array, wanted, ["C", "W"]))
    except (TypeError, ValueError) as error:
        raise DataError(f"{name} is no array of numbers: {printable(error, 200)}") from error


def stored(values: Tensor, field: Field) -> Tensor:
    """Values of any type as the field stores them: bytes, float32, or int64 of a category."""
    if field.kind == "category":
        return values.to(torch.int64)
    return values.to(torch.uint8 if field.dtype == "uint8" else torch.float32)


def field_of(values: Tensor, name: str, kind: Kind | None, value_range: Range | None) -> Field:
    """The field of values `[N, *shape]`, by their rank, type and extremes.

    Raises DataError where these could mean several things, with what to say.
    """
    shape = tuple(values.shape[1:])
    if kind == "category" or (kind is None and not shape):
        raise DataError(f"{name} has one number for each sample: say what it is, by fields=")
    if kind is None and len(shape) not in _KINDS:
        raise DataError(f"{name} is {_shown(values)}, and no kind of field has values of that rank")
    found = kind or _KINDS[len(shape)]
    dtype = _dtype(values, name, found, value_range, said=kind is not None)
    if len(shape) == 3 and kind is None and shape[0] > 16 and shape[2] in _COLOURS:
        raise DataError(
            f"{name} is {_shown(values)}, which looks as if its channels came last: give "
            "[N, C, H, W], by permute(0, 3, 1, 2), or say kind='image' where it is that"
        )
    if dtype == "float32":
        _check_floats(values, name, found, value_range)
    try:
        limits = None if dtype == "uint8" else value_range
        return Field(kind=found, shape=shape, dtype=dtype, range=limits)
    except ValueError as error:
        raise DataError(f"{name}: {error}") from error


def _dtype(
    values: Tensor, name: str, kind: Kind, value_range: Range | None, *, said: bool
) -> Literal["uint8", "float32"]:
    """The type that values are stored in."""
    if values.dtype != torch.uint8 or value_range not in (None, BYTES):
        return "float32"
    if kind in GRIDS:
        return "uint8"
    if kind == "sequence" and not said:
        raise DataError(
            f"{name} is {_shown(values)}: grey images are [N, 1, H, W], by unsqueeze(1), and "
            "sequences [N, C, T] are floats"
        )
    return "float32"


def _check_floats(values: Tensor, name: str, kind: Kind, value_range: Range | None) -> None:
    """Require finite values, and a range that is said where the values do not tell it."""
    if values.is_floating_point() and not values.isfinite().all():
        number = int((~values.isfinite()).sum())
        raise DataError(f"{name} has {number:,} values that are not finite")
    if not values.numel():
        return
    low, high = float(values.min()), float(values.max())
    if value_range is not None:
        if low < value_range[0] or high > value_range[1]:
            raise DataError(
                f"{name} has values from {low:g} to {high:g}, and range={value_range} does not "
                "hold them"
            )
    elif kind in GRIDS and (low >= 0 or low < -1 or high > 1):
        likely = (0, 1) if high <= 1 else (0, 255) if low >= 0 and high <= 255 else (low, high)
        raise DataError(
            f"{name} has values from {low:g} to {high:g}: say what is black and what is white, "
            f"such as range=({likely[0]:g}, {likely[1]:g}), or range=(-1, 1)"
        )


def category_of(
    labels: Any, name: str, classes: Sequence[object] | None
) -> tuple[Tensor, tuple[str, ...]]:
    """Labels int64 `[N]` and the names of their classes.

    `labels` are numbers in [0, K), or names, which are in natural order where `classes` does not
    say another. Raises DataError.
    """
    names = None if classes is None else tuple(map(str, classes))
    if names is not None and len(set(names)) < len(names):
        raise DataError(f"{name}: two classes have the same name")
    listed = labels.tolist() if isinstance(labels, Tensor | numpy.ndarray) else [*labels]
    if listed and isinstance(listed[0], str):
        names = names or tuple(sorted({str(it) for it in listed}, key=natural_order))
        numbers = {it: number for number, it in enumerate(names)}
        if unknown := sorted({str(it) for it in listed} - numbers.keys()):
            raise DataError(f"{name} has {printable(unknown[0], 60)!r}, which is none of classes")
        return torch.tensor([numbers[str(it)] for it in listed]), names
    found = as_tensor(labels, name)
    if found.dim() == 2 and found.shape[1] == 1:
        found = found[:, 0]
    if found.dim() != 1 or found.is_floating_point():
        raise DataError(f"{name} must be whole numbers [N] or names, not {_shown(found)}")
    found = found.to(torch.int64)
    if len(found) and int(found.min()) < 0:
        raise DataError(f"{name} has the number {int(found.min())}; classes count from 0")
    names = names or tuple(map(str, range(int(found.max()) + 1 if len(found) else 0)))
    if len(found) and int(found.max()) >= len(names):
        raise DataError(
            f"{name} has the number {int(found.max())}, and there are {len(names)} classes"
        )
    return found, names


def _shown(values: Tensor) -> str:
    return f"{str(values.dtype).removeprefix('torch.')} {[*values.shape]}"


def described(fields: Mapping[str, Field]) -> dict[str, dict[str, Any]]:
    """Fields as JSON, without what is usual."""
    usual = Field.__dataclass_fields__
    return {
        name: {
            key: value
            for key in usual
            if (value := getattr(field, key)) != usual[key].default
            and not (field.kind == "category" and key == "shape")
        }
        for name, field in fields.items()
    }
