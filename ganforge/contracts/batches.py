"""`Batch` and `Inputs`: tensors with what belongs to them, by the names of the fields."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Self

from torch import Tensor

from ganforge.plugin.fields import LABEL


class _Named:
    """B values, and the values of other fields beside them."""

    __slots__ = ("_values", "others")

    def __init__(self, values: Tensor, labels: Tensor | None = None, /, **others: Tensor) -> None:
        self._values = values
        self.others: Mapping[str, Tensor] = others
        if labels is not None:
            others[LABEL] = labels

    @property
    def labels(self) -> Tensor | None:
        """The field `label`, int64 `[B]`, or None where there is none."""
        return self.others.get(LABEL)

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, part: slice | Tensor) -> Self:
        """Some of the values, with what belongs to them: a slice, or those that are numbered."""
        others = {name: tensor[part] for name, tensor in self.others.items()}
        return type(self)(self._values[part], **others)

    def only(self, names: Collection[str]) -> Self:
        """The values with no other fields than these."""
        others = {name: tensor for name, tensor in self.others.items() if name in names}
        return type(self)(self._values, **others)


class Batch(_Named):
    """Real samples `[B, *sample_shape]` and the other fields of the data set.

    `Batch(samples, labels)` or `Batch(samples, caption=...)`; `others` are the other fields by
    name, each `[B, ...]`.
    """

    __slots__ = ()

    @property
    def samples(self) -> Tensor:
        """The samples `[B, *sample_shape]`."""
        return self._values


class Inputs(_Named):
    """Generator inputs `[B, *input_shape]` and the conditions to generate for.

    `Inputs(values, labels)` or `Inputs(values, caption=...)`; `others` are the conditions by name.
    """

    __slots__ = ()

    @property
    def values(self) -> Tensor:
        """The inputs `[B, *input_shape]`."""
        return self._values
