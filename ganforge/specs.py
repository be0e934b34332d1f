"""What a plugin yields: one frozen record per component, readable without torch.

A spec says what can be known of a component before it is built: its name, one line of summary,
where its builder lives (imported when the component is used), its options and what it can do.
The capabilities make a pairing that cannot work an error before torch is loaded.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

from .options import NoOptions, describe

NAME_PATTERN = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
TARGET_PATTERN = re.compile(r"[A-Za-z_][\w]*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
RESERVED_OPTIONS = frozenset({"name", "weight", "every"})

Conditioning = Literal["none", "optional", "required"]
InputKind = Literal["latents", "images"]


@dataclass(frozen=True, kw_only=True)
class ImageShapes:
    """The image shapes `(C, H, W)` that a component can handle; the default is any."""

    minimum: int = 1
    maximum: int | None = None
    square: bool = False
    power_of_two: bool = False
    multiple_of: int = 1
    channels: tuple[int, ...] | None = None

    def refusal(self, shape: tuple[int, ...]) -> str | None:
        """Why an image of this shape is out of reach, in words; None where it is not."""
        channels, *sides = shape
        if (
            (self.square and len(set(sides)) > 1)
            or any(not self._fits(side) for side in sides)
            or (self.channels is not None and channels not in self.channels)
        ):
            return f"handles {self}, not {channels} x {' x '.join(map(str, sides))}"
        return None

    def _fits(self, side: int) -> bool:
        return (
            side >= self.minimum
            and (self.maximum is None or side <= self.maximum)
            and (not self.power_of_two or side & (side - 1) == 0)
            and side % self.multiple_of == 0
        )

    def __str__(self) -> str:
        sides = "a power of two" if self.power_of_two else ""
        if self.multiple_of > 1:
            sides += f"{' and ' if sides else ''}a multiple of {self.multiple_of}"
        if self.minimum > 1:
            sides += f" from {self.minimum} {'up' if self.maximum is None else 'to'}"
        elif self.maximum is not None:
            sides += " up to"
        if self.maximum is not None:
            sides += f" {self.maximum}"
        text = "square images" if self.square else "images"
        if sides:
            text += f" whose side is {sides.strip()}"
        if self.channels is not None:
            plural = "" if self.channels == (1,) else "s"
            text += f" with {' or '.join(map(str, self.channels))} channel{plural}"
        return text


@dataclass(frozen=True, kw_only=True)
class ComponentSpec:
    """What every kind of component says of itself.

    `name` is kebab-case and the field's own word; `summary` one line; `build` a string
    `"package.module:callable"`, called as `build(problem, options)`; `options` a frozen dataclass
    whose fields are declared with `ganforge.option`. Raises ValueError or TypeError for a spec that
    breaks these rules, so that a faulty plugin is found where it is loaded.
    """

    kind: ClassVar[str]

    name: str
    summary: str
    build: str
    options: type = NoOptions

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
        if not isinstance(self.build, str) or not TARGET_PATTERN.fullmatch(self.build):
            raise ValueError(
                f"{self.name}: build must be a string like 'package.module:callable', "
                f"not {self.build!r}"
            )
        for field in describe(self.options):
            if field.name in RESERVED_OPTIONS:
                raise ValueError(f"{self.name}: an option cannot be called {field.name!r}")
            if not field.required:
                try:
                    field.parse(field.default)
                except ValueError as error:
                    raise ValueError(
                        f"{self.name}: the default of {field.name}: {error}"
                    ) from error

    def _require(self, condition: bool, what: str) -> None:
        if not condition:
            raise ValueError(f"{self.name}: {what}")


@dataclass(frozen=True, kw_only=True)
class NetworkSpec(ComponentSpec):
    """What a generator and a discriminator share.

    `images` are the image shapes it handles (None: no images), `vectors` whether it handles
    samples `(D,)`, and `labels` whether it can be, or must be, conditioned on class labels.
    """

    images: ImageShapes | None = ImageShapes()
    vectors: bool = False
    labels: Conditioning = "none"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require(
            self.images is None or isinstance(self.images, ImageShapes),
            f"images must be ImageShapes or None, not {self.images!r}",
        )
        self._require(
            self.labels in get_args(Conditioning),
            f"labels must be one of {', '.join(get_args(Conditioning))}, not {self.labels!r}",
        )

    def refusal(self, sample_shape: tuple[int, ...]) -> str | None:
        """Why samples of this shape are out of reach, in words; None where they are not."""
        if len(sample_shape) == 1:
            return None if self.vectors else "handles images only, not vectors"
        if self.images is None:
            return "handles vectors only, not images"
        return self.images.refusal(sample_shape)


@dataclass(frozen=True, kw_only=True)
class GeneratorSpec(NetworkSpec):
    """A generator. `discriminator` and `sampler` name its usual partners."""

    kind: ClassVar[str] = "generator"

    inputs: InputKind = "latents"
    discriminator: str | None = None
    sampler: str = "normal"

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_inputs(self, self.inputs)
        self._require(
            self.discriminator is None or isinstance(self.discriminator, str),
            f"discriminator must be a name or None, not {self.discriminator!r}",
        )
        self._require(
            isinstance(self.sampler, str), f"sampler must be a name, not {self.sampler!r}"
        )


@dataclass(frozen=True, kw_only=True)
class DiscriminatorSpec(NetworkSpec):
    """A discriminator or critic.

    `double_backward` says that its gradient with respect to the samples can be differentiated
    again, as gradient penalties need.
    """

    kind: ClassVar[str] = "discriminator"

    double_backward: bool = True


@dataclass(frozen=True, kw_only=True)
class LossSpec(ComponentSpec):
    """One term of the objective.

    `trains` names the networks that the term has a loss for. `every` is the usual interval, in
    steps, of a lazily evaluated term (its value is multiplied by the interval). `double_backward`
    says that the term differentiates the critic's gradient.
    """

    kind: ClassVar[str] = "loss"

    trains: tuple[Literal["discriminator", "generator"], ...] = ("discriminator", "generator")
    needs_discriminator: bool = True
    needs_labels: bool = False
    double_backward: bool = False
    every: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        networks = {"discriminator", "generator"}
        self._require(
            isinstance(self.trains, tuple) and bool(self.trains) and networks >= {*self.trains},
            f"trains must be a tuple of 'discriminator', 'generator' or both, not {self.trains!r}",
        )
        self._require(
            type(self.every) is int and self.every >= 1,
            f"every must be a number of steps, not {self.every!r}",
        )


@dataclass(frozen=True, kw_only=True)
class DatasetSpec(ComponentSpec):
    """A data set.

    `sample_shape` gives the shape of a sample from the options alone. `labelled` is None where
    only the data can tell. `check_available`, called before training starts and not by a dry run,
    raises `ganforge.DataError` when the data is not there; it must not import torch.
    `path_option` names the option that `--dataset PATH` fills.
    """

    kind: ClassVar[str] = "dataset"

    sample_shape: Callable[[Any], tuple[int, ...]]
    labelled: bool | None = None
    check_available: Callable[[Any], None] | None = None
    path_option: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require(callable(self.sample_shape), "sample_shape must be a function of the options")
        self._require(
            self.check_available is None or callable(self.check_available),
            "check_available must be a function of the options or None",
        )
        names = [field.name for field in describe(self.options)]
        self._require(
            self.path_option is None or self.path_option in names,
            f"path_option names no option: {self.path_option!r}",
        )


@dataclass(frozen=True, kw_only=True)
class SamplerSpec(ComponentSpec):
    """Draws what the generator is fed.

    `input_shape` gives the shape of one input from the options and the sample shape.
    """

    kind: ClassVar[str] = "sampler"

    input_shape: Callable[[Any, tuple[int, ...]], tuple[int, ...]]
    inputs: InputKind = "latents"

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_inputs(self, self.inputs)
        self._require(
            callable(self.input_shape),
            "input_shape must be a function of the options and the sample shape",
        )


def _check_inputs(spec: ComponentSpec, inputs: object) -> None:
    if inputs not in get_args(InputKind):
        raise ValueError(
            f"{spec.name}: inputs must be one of {', '.join(get_args(InputKind))}, not {inputs!r}"
        )


SPECS: tuple[type[ComponentSpec], ...] = (
    GeneratorSpec,
    DiscriminatorSpec,
    LossSpec,
    DatasetSpec,
    SamplerSpec,
)
KINDS: tuple[str, ...] = tuple(spec.kind for spec in SPECS)
