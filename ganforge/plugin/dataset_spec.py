"""The spec of a data set: the fields of its items, and where its data comes from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ganforge.plugin.base_specs import ComponentSpec
from ganforge.plugin.fields import Field
from ganforge.plugin.options import describe


@dataclass(frozen=True, kw_only=True)
class DatasetSpec(ComponentSpec):
    """A data set.

    `fields` gives from the options alone what each item consists of: the field `sample`, which is
    generated, and any others, `label` for one. `gives` names what it knows besides its samples
    (`mixture`: the modes of a Gaussian mixture). `path_option` names the option that `--dataset
    PATH` fills. `conditional` says that a run on this set tells both networks its labels unless it
    says otherwise, where both take them. `handed_over` is true for the set that stands for data of
    a Python program: its options `fields` and `digest`, both strings, say what was given to
    `ganforge.train`. `held_out` gives the options of the part that the set itself keeps out of
    training, as a test split is, and None where these options have no such part.
    """

    kind: ClassVar[str] = "dataset"

    fields: Callable[[Any], Mapping[str, Field]]
    gives: tuple[str, ...] = ()
    path_option: str | None = None
    conditional: bool = False
    handed_over: bool = False
    held_out: Callable[[Any], Any] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require(callable(self.fields), "fields must be a function of the options")
        self._require_names("gives", self.gives)
        names = [field.name for field in describe(self.options)]
        self._require(
            self.path_option is None or self.path_option in names,
            f"path_option names no option: {self.path_option!r}",
        )
        self._require(
            self.handed_over is False or {"fields", "digest"} <= {*names},
            "a set whose data is handed over has the options fields and digest",
        )
        self._require(
            self.held_out is None or callable(self.held_out),
            "held_out must be a function of the options or None",
        )
