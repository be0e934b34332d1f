"""`Field`: one of the things that a data set gives with each sample, and its kind and shape."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, get_args

Kind = Literal["image", "vector", "category", "sequence", "video", "points", "voxels"]
KINDS_OF_FIELDS: tuple[str, ...] = get_args(Kind)

#: kinds whose last two axes are those of a picture
GRIDS = ("image", "video", "voxels")

SAMPLE = "sample"  # the field that is generated
LABEL = "label"  # the usual category

#: the shape of one value by its letters, as messages write it
SHAPES: dict[str, str] = {
    "image": "(C, H, W)",
    "vector": "(D,)",
    "category": "()",
    "sequence": "(C, T)",
    "video": "(C, T, H, W)",
    "points": "(N, C)",
    "voxels": "(C, D, H, W)",
}
_RANKS = {
    kind: len(letters.strip("()").replace(",", " ").split()) for kind, letters in SHAPES.items()
}
#: the keyword by which a network receives a condition of a kind, where that is not the kind
_KEYWORDS = {"category": "label"}
_DIGITS = re.compile("([0-9]+)")
#: what a spec may name as a condition that a network takes; `labels` are several categories
CONDITIONS = ("label", "labels", *(kind for kind in KINDS_OF_FIELDS if kind != "category"))


@dataclass(frozen=True, kw_only=True)
class Field:
    """A named value of each item of a data set.

    `shape` is that of one value, without the batch; None where only the data can tell. `dtype` is
    that of the stored data: networks see float32, images and everything with a `range` in [-1, 1].
    `range` is the lowest and the highest value of float data in its own units. `classes` are the
    names of a category, None where only the data can tell; with `optional` the data may have none
    at all. `rate` is the sampling rate of audio in Hz, or the frames per second of a video.
    `format` names the format that shows and writes it, where that is not the one of its kind. With
    `paired` false the field has an order of its own: value i does not belong to sample i.

    Raises ValueError for a shape, a type or a range that the kind does not have.
    """

    kind: Kind
    shape: tuple[int, ...] | None = None
    dtype: Literal["uint8", "float32"] = "float32"
    range: tuple[float, float] | None = None
    classes: tuple[str, ...] | None = None
    optional: bool = False
    rate: int | None = None
    format: str | None = None
    paired: bool = True

    def __post_init__(self) -> None:
        if self.kind not in KINDS_OF_FIELDS:
            raise ValueError(f"a field is one of {', '.join(KINDS_OF_FIELDS)}, not {self.kind!r}")
        if self.kind == "category":
            object.__setattr__(self, "shape", ())
        elif self.shape is not None:
            sound = isinstance(self.shape, tuple) and len(self.shape) == _RANKS[self.kind]
            if not sound or not all(type(side) is int and side > 0 for side in self.shape):
                raise ValueError(
                    f"the shape of a field of kind {self.kind} is like {SHAPES[self.kind]}, not "
                    f"{self.shape!r}"
                )
        if self.range is not None and not (len(self.range) == 2 and self.range[0] < self.range[1]):
            raise ValueError(f"range must be (lowest, highest), not {self.range!r}")

    @classmethod
    def of_shape(cls, shape: tuple[int, ...]) -> Field:
        """The field that a bare shape stands for: images of bytes, or vectors."""
        if len(shape) == 3:
            return cls(kind="image", shape=shape, dtype="uint8")
        return cls(kind="vector", shape=shape)

    @property
    def known_shape(self) -> tuple[int, ...]:
        """The shape of a field whose data was read. Raises ValueError where it is not known."""
        if self.shape is None:
            raise ValueError("the shape of this field is known once its data was read")
        return self.shape

    @property
    def num_classes(self) -> int | None:
        """The number of classes K of a category, where it is known."""
        return None if self.classes is None else len(self.classes)

    @property
    def scaled(self) -> bool:
        """True if its values are brought to [-1, 1] for the networks."""
        return self.dtype == "uint8" or self.range is not None

    @property
    def limits(self) -> tuple[float, float]:
        """The values of the stored data that become -1 and 1."""
        return self.range or (0.0, 255.0)

    @property
    def format_name(self) -> str:
        """The name of the format that shows and writes it."""
        return self.format or self.kind

    @property
    def keyword(self) -> str:
        """The keyword by which a network receives it as a condition."""
        return _KEYWORDS.get(self.kind, self.kind)

    def shown(self) -> str:
        """Its shape or its classes in words, as in `3 x 64 x 64`."""
        if self.kind == "category":
            return "a category" if self.classes is None else f"{len(self.classes)} classes"
        if self.shape is None:
            return f"{self.kind} of a shape that only the data can tell"
        return " x ".join(map(str, self.shape))

    def with_shape(self, shape: tuple[int, ...]) -> Field:
        """This field with the shape that its data turned out to have."""
        return replace(self, shape=shape)


def natural_order(name: str) -> tuple[list[str | tuple[int, str]], str]:
    """A key to sort names by as people do: 2 before 10, and b between A and C.

    Names that differ in their case, or in zeros before a number, alone are in the order of their
    letters.
    """
    found: list[str | tuple[int, str]] = []
    # Text and numbers take turns, so that like is compared with like.
    for place, part in enumerate(_DIGITS.split(name)):
        digits = part.lstrip("0")
        found.append((len(digits), digits) if place % 2 else part.casefold())
    return found, name


def undrawn(conditions: Mapping[str, Field]) -> dict[str, Field]:
    """The conditions that no sampler can draw: all but classes."""
    return {name: field for name, field in conditions.items() if field.kind != "category"}


def grouped(conditions: Mapping[str, Field]) -> dict[str, tuple[str, ...]]:
    """The keywords that conditions reach a network by, and the names of the fields in each.

    Several categories go by `labels`, int64 `[B, n]`; several fields of another kind are joined
    along their first axis, in the order of their names here.
    """
    groups: dict[str, tuple[str, ...]] = {}
    for name, field in conditions.items():
        groups[field.keyword] = (*groups.get(field.keyword, ()), name)
    if len(groups.get("label", ())) > 1:
        groups["labels"] = groups.pop("label")
    return groups
