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

from ganforge.plugin.fields import KINDS_OF_FIELDS
from ganforge.plugin.options import NoOptions, describe
from ganforge.plugin.shapes import ImageShapes

NAME_PATTERN = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
TARGET_PATTERN = re.compile(r"[A-Za-z_][\w]*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
FILE_PATTERN = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[\w./-]+")
SUFFIX_PATTERN = re.compile(r"\.[a-z0-9]+")
ANY_IMAGES = ImageShapes()
NO_DISCRIMINATOR = "none"  # the name under which a run has none
RESERVED_OPTIONS = frozenset({"name", "weight", "every"})

Conditioning = Literal["none", "optional", "required"]
InputKind = Literal["latents", "images"]


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What everything that a plugin yields says of itself.

    `name` is kebab-case and the field's own word; `summary` one line. Raises ValueError or
    TypeError for a spec that breaks the rules, so that a faulty plugin is found where it is loaded.
    """

    kind: ClassVar[str]

    name: str
    summary: str

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

    def _require(self, condition: bool, what: str) -> None:
        if not condition:
            raise ValueError(f"{self.name}: {what}")


@dataclass(frozen=True, kw_only=True)
class ComponentSpec(Spec):
    """What every kind of component says of itself besides its name.

    `build` is a string `"package.module:callable"`, called as `build(problem, options)`; `options`
    a frozen dataclass whose fields are declared with `ganforge.option`. `check_available`, called
    with the options before training starts and not by a dry run, raises `ganforge.DataError` where
    what the component needs (data, an optional package) is not there; it must not import torch.
    """

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
            if field.name in RESERVED_OPTIONS:
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
class SampleSpec(ComponentSpec):
    """What the kinds share that work on samples.

    `images` are the image shapes it handles (None: no images), `vectors` whether it handles
    samples `(D,)`.
    """

    images: ImageShapes | None = ANY_IMAGES
    vectors: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require(
            self.images is None or isinstance(self.images, ImageShapes),
            f"images must be ImageShapes or None, not {self.images!r}",
        )

    def refusal(self, sample_shape: tuple[int, ...]) -> str | None:
        """Why samples of this shape are out of reach, in words; None where they are not."""
        if len(sample_shape) == 1:
            return None if self.vectors else "handles images only, not vectors"
        if self.images is None:
            return "handles vectors only, not images"
        return self.images.refusal(sample_shape)


@dataclass(frozen=True, kw_only=True)
class NetworkSpec(SampleSpec):
    """What a generator and a discriminator share.

    `labels` says whether it can be, or must be, conditioned on class labels.
    """

    labels: Conditioning = "none"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require(
            self.labels in get_args(Conditioning),
            f"labels must be one of {', '.join(get_args(Conditioning))}, not {self.labels!r}",
        )


@dataclass(frozen=True, kw_only=True)
class GeneratorSpec(NetworkSpec):
    """A generator. `discriminator` and `sampler` name its usual partners.

    `encodes` says that it also has a method `encode(samples [B, *sample_shape])` that gives codes
    `[B, *input_shape]`, of which its `forward` makes samples.
    """

    kind: ClassVar[str] = "generator"

    inputs: InputKind = "latents"
    encodes: bool = False
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
    again, as gradient penalties need. `batch_independent` says that the score of a sample does not
    depend on the others in its batch, as batch normalisation would make it; it is a function of the
    options where they decide.
    """

    kind: ClassVar[str] = "discriminator"

    double_backward: bool = True
    batch_independent: bool | Callable[[Any], bool] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require(
            isinstance(self.batch_independent, bool) or callable(self.batch_independent),
            "batch_independent must be true, false or a function of the options",
        )
        self._require(self.name != NO_DISCRIMINATOR, "this name stands for having none")


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
    needs_reconstruction: bool = False
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
    only the data can tell. `mixture` says that the set is a Gaussian mixture and knows its modes.
    `path_option` names the option that `--dataset PATH` fills.
    """

    kind: ClassVar[str] = "dataset"

    sample_shape: Callable[[Any], tuple[int, ...]]
    labelled: bool | None = None
    mixture: bool = False
    path_option: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require(callable(self.sample_shape), "sample_shape must be a function of the options")
        names = [field.name for field in describe(self.options)]
        self._require(
            self.path_option is None or self.path_option in names,
            f"path_option names no option: {self.path_option!r}",
        )


@dataclass(frozen=True, kw_only=True)
class SamplerSpec(ComponentSpec):
    """Draws what the generator is fed.

    `input_shape` gives the shape of one input from the options and the sample shape. `paired` says
    that input number i is made of real sample number i, so that what is generated can be compared
    with it; `needs_labels` that it makes sense in conditional runs alone.
    """

    kind: ClassVar[str] = "sampler"

    input_shape: Callable[[Any, tuple[int, ...]], tuple[int, ...]]
    inputs: InputKind = "latents"
    paired: bool = False
    needs_labels: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_inputs(self, self.inputs)
        self._require(
            callable(self.input_shape),
            "input_shape must be a function of the options and the sample shape",
        )


@dataclass(frozen=True, kw_only=True)
class MetricSpec(SampleSpec):
    """A measure of how good the samples are, taken between steps.

    `needs_reconstruction` says that it compares real samples with what the generator makes of them,
    `needs_mixture` that it reads the modes of a Gaussian mixture.
    """

    kind: ClassVar[str] = "metric"

    needs_reconstruction: bool = False
    needs_mixture: bool = False


@dataclass(frozen=True, kw_only=True)
class CallbackSpec(ComponentSpec):
    """Something that is told of a run's progress: a logger, for example."""

    kind: ClassVar[str] = "callback"


@dataclass(frozen=True, kw_only=True)
class FormatSpec(ComponentSpec):
    """Shows samples as pictures and writes them to files.

    `kinds` are the kinds of field that it handles. `suffixes` are those of the files that it
    writes, `.png` and `.npz` always among them. `one_file_each` is the suffix of the files in a
    folder with one file per sample; None where samples make sense only together. A format has no
    options: the field of a data set names it, and the field says what it needs to know.
    """

    kind: ClassVar[str] = "format"

    kinds: tuple[str, ...]
    suffixes: tuple[str, ...] = (".png", ".npz")
    one_file_each: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require(self.options is NoOptions, "a format has no options")
        self._require(
            isinstance(self.kinds, tuple)
            and bool(self.kinds)
            and {*self.kinds} <= {*KINDS_OF_FIELDS},
            f"kinds must be a tuple of {', '.join(KINDS_OF_FIELDS)}, not {self.kinds!r}",
        )
        self._require(
            isinstance(self.suffixes, tuple)
            and all(isinstance(it, str) and SUFFIX_PATTERN.fullmatch(it) for it in self.suffixes),
            f"suffixes must be a tuple such as ('.png', '.npz', '.csv'), not {self.suffixes!r}",
        )
        self._require(
            {".png", ".npz"} <= {*self.suffixes},
            "suffixes must have '.png' and '.npz', which ganforge makes for every format",
        )
        self._require(
            self.one_file_each is None or self.one_file_each in self.suffixes,
            f"one_file_each must be one of the suffixes or None, not {self.one_file_each!r}",
        )


@dataclass(frozen=True, kw_only=True)
class RecipeSpec(Spec):
    """A configuration that a plugin ships, to be run by name.

    `file` says where the TOML is, as `"package:path/in/package.toml"`. It begins with comments that
    give the command, the source and the result to expect. `source` names the paper or tutorial in a
    few words.
    """

    kind: ClassVar[str] = "recipe"

    file: str
    source: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require(
            isinstance(self.file, str) and bool(FILE_PATTERN.fullmatch(self.file)),
            f"file must be a string like 'package:recipe.toml', not {self.file!r}",
        )
        self._require(
            isinstance(self.source, str) and "\n" not in self.source,
            "source must be one line of text",
        )


def _check_inputs(spec: ComponentSpec, inputs: object) -> None:
    if inputs not in get_args(InputKind):
        raise ValueError(
            f"{spec.name}: inputs must be one of {', '.join(get_args(InputKind))}, not {inputs!r}"
        )


#: kinds of which a run may have any number, each a table by name in the configuration
TABLES = ("loss", "metric", "callback")

SPECS: tuple[type[Spec], ...] = (
    GeneratorSpec,
    DiscriminatorSpec,
    LossSpec,
    DatasetSpec,
    SamplerSpec,
    MetricSpec,
    CallbackSpec,
    FormatSpec,
    RecipeSpec,
)
KINDS: tuple[str, ...] = tuple(spec.kind for spec in SPECS)
