"""Base classes of specs: name and summary, a builder with its options, the samples handled."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ganforge.plugin.fields import Field
from ganforge.plugin.options import NoOptions, describe
from ganforge.plugin.shapes import PLURALS, ImageShapes, Shapes

QUANTITY_PATTERN = re.compile(r"[a-z_]\w*(\.[a-z_]\w*)?")
#: what the diagnosis of a run can find; a spec says in `remedies` what its component helps against
FINDINGS = (
    "divergence",
    "discriminator-won",
    "vanishing-gradient",
    "collapse",
    "collapse-within-classes",
    "memorisation",
)
NAME_PATTERN = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
TARGET_PATTERN = re.compile(r"[A-Za-z_][\w]*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


@dataclass(frozen=True, kw_only=True)
class Spec:
    """Base of everything that a plugin yields.

    `name` is kebab-case and the field's own word; `summary` one line. Raises ValueError or
    TypeError for a spec that breaks the rules, so that a faulty plugin is found where it is loaded.
    """

    kind: ClassVar[str]
    noun: ClassVar[str]  # what messages call one of the kind, which is its kind unless it says so

    name: str
    summary: str

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "kind" in vars(cls) and "noun" not in vars(cls):
            cls.noun = cls.kind

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not NAME_PATTERN.fullmatch(self.name):
            raise ValueError(
                f"{self.name!r} is not a component name: lower-case letters, digits and single "
                "hyphens, such as 'my-gan'"
            )
        if len(self.name) > 64:
            raise ValueError(f"the component name {self.name[:20]!r}... is longer than 64 letters")
        if not isinstance(self.summary, str) or not self.summary.strip() or "\n" in self.summary:
            raise ValueError(f"{self.name}: the summary must be one line of text")
        self._require_flags()

    def _require_flags(self) -> None:
        """Require truth values in the fields that are declared so, or functions that give one."""
        for field in dataclasses.fields(self):
            value, declared = getattr(self, field.name), str(field.type)
            if declared == "bool":
                self._require(
                    isinstance(value, bool), f"{field.name} must be a bool, not {value!r}"
                )
            elif declared.startswith("bool | Callable"):
                self._require(
                    isinstance(value, bool) or callable(value),
                    f"{field.name} must be true, false or a function of the options",
                )

    def _require(self, condition: bool, what: str) -> None:
        if not condition:
            raise ValueError(f"{self.name}: {what}")

    def _require_names(
        self, field: str, value: object, allowed: Sequence[str] | None = None
    ) -> None:
        """Require a tuple of names, of those allowed."""
        sound = isinstance(value, tuple) and all(isinstance(name, str) and name for name in value)
        self._require(sound, f"{field} must be a tuple of names, not {value!r}")
        assert isinstance(value, tuple)
        for name in value if allowed is not None else ():
            known = ", ".join(allowed or ()) or "nothing"
            self._require(name in (allowed or ()), f"{field} names one of {known}, not {name!r}")

    def _require_quantities(self, reads: object) -> None:
        """Require a tuple of names such as `fake_scores` or `fake.features`."""
        self._require_names("reads", reads)
        assert isinstance(reads, tuple)
        for name in reads:
            self._require(
                bool(QUANTITY_PATTERN.fullmatch(name)),
                f"reads names quantities such as 'fake_scores' or 'fake.features', not {name!r}",
            )


@dataclass(frozen=True, kw_only=True)
class ComponentSpec(Spec):
    """Base of the specs of components, which have a builder and options besides a name.

    `build` is a string `"package.module:callable"`, called as `build(problem, options)`; `options`
    a frozen dataclass whose fields are declared with `ganforge.option`. `check_available`, called
    with the options before training starts and not by a dry run, raises `ganforge.DataError` where
    what the component needs (data, an optional package) is not there; it must not import torch.
    """

    #: what the engine lets be set beside the options, in the same table of the configuration
    reserved_options: ClassVar[frozenset[str]] = frozenset({"name", "weight", "every"})

    build: str
    options: type = NoOptions
    check_available: Callable[[Any], None] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.build, str) or not TARGET_PATTERN.fullmatch(self.build):
            raise ValueError(
                f"{self.name}: build must be a string like 'package.module:callable', "
                f"not {self.build!r}"
            )
        for field in describe(self.options):
            if field.name in self.reserved_options:
                raise ValueError(f"{self.name}: an option cannot be called {field.name!r}")
            if not field.required:
                try:
                    field.parse(field.default)
                except ValueError as error:
                    raise ValueError(
                        f"{self.name}: the default of {field.name}: {error}"
                    ) from error
        self._require(
            self.check_available is None or callable(self.check_available),
            "check_available must be a function of the options or None",
        )


@dataclass(frozen=True, kw_only=True)
class RemedySpec(ComponentSpec):
    """Base of the kinds that may help a run that goes wrong.

    `remedies` names what the diagnosis of a run can find that adding the component may help
    against; it is offered there, in runs that it can work in.
    """

    remedies: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require_names("remedies", self.remedies, FINDINGS)


@dataclass(frozen=True, kw_only=True)
class SampleSpec(ComponentSpec):
    """Base of the kinds that work on samples.

    `shapes` are the samples it handles, one object per kind: `(ImageShapes(minimum=8),)`.
    """

    shapes: tuple[Shapes, ...] = (ImageShapes(),)

    def __post_init__(self) -> None:
        super().__post_init__()
        sound = isinstance(self.shapes, tuple) and bool(self.shapes)
        self._require(
            sound and all(isinstance(it, Shapes) for it in self.shapes),
            f"shapes must be a tuple such as (ImageShapes(),), not {self.shapes!r}",
        )
        kinds = [it.kind for it in self.shapes]
        self._require(len(kinds) == len(set(kinds)), "shapes has two objects of one kind")

    def refusal(self, sample: Field) -> str | None:
        """The reason in words why such samples are out of reach; None where they are not."""
        for shapes in self.shapes:
            if shapes.kind == sample.kind:
                return None if sample.shape is None else shapes.refusal(sample.shape)
        handled = " and ".join(it.plural for it in self.shapes)
        return f"handles {handled} only, not {PLURALS[sample.kind]}"
