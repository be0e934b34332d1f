"""Specs that a plugin yields: one frozen record per component, readable without torch.

A spec says what can be known of a component before it is built: its name, one line of summary,
where its builder lives (imported when the component is used), its options and what it can do.
The capabilities make a pairing that cannot work an error before torch is loaded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, get_args

from ganforge.plugin.base_specs import ComponentSpec, RemedySpec, SampleSpec, Spec
from ganforge.plugin.dataset_spec import DatasetSpec as DatasetSpec
from ganforge.plugin.fields import KINDS_OF_FIELDS, Field
from ganforge.plugin.measure_specs import Direction as Direction
from ganforge.plugin.measure_specs import FeaturesSpec as FeaturesSpec
from ganforge.plugin.measure_specs import MetricSpec as MetricSpec
from ganforge.plugin.network_specs import NO_DISCRIMINATOR as NO_DISCRIMINATOR
from ganforge.plugin.network_specs import DiscriminatorSpec as DiscriminatorSpec
from ganforge.plugin.network_specs import GeneratorSpec as GeneratorSpec
from ganforge.plugin.network_specs import NetworkSpec as NetworkSpec
from ganforge.plugin.network_specs import check_inputs
from ganforge.plugin.options import NoOptions, describe
from ganforge.plugin.refinement_spec import RefinementSpec as RefinementSpec

FILE_PATTERN = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[\w./-]+")
SUFFIX_PATTERN = re.compile(r"\.[a-z0-9]+")
PARAM_GROUP_KEYS = {"learning_rate": "lr", "epsilon": "eps"}  # torch's words for an option

Side = Literal["discriminator", "generator"]
SIDES: tuple[Side, ...] = get_args(Side)

#: what is real and what is fake in each step of an update, in the letters of papers
Pairs = tuple[tuple[str, str], ...]

#: what every game lets a term read
QUANTITIES = ("samples", "inputs", "real", "fake", "real_scores", "fake_scores")
#: where the named results of a network are read, as in `fake.features`, and whose they are
TRACED: dict[str, Side] = {
    "real": "discriminator",
    "fake": "discriminator",
    "generated": "generator",
}


@dataclass(frozen=True, kw_only=True)
class LossSpec(RemedySpec):
    """One term of the objective.

    `trains` names the sides that it has a loss for, none where it only observes updates or
    constrains weights. `reads` names the quantities of the step that it reads: `real_scores`,
    `fake_scores`, `samples`, `labels`, `reconstruction` and what else the game of the run provides,
    `real.NAME` and `fake.NAME` of what the discriminator gives, `generated.NAME` of what the
    generator gives, `inputs.NAME` for a part of the inputs. `every` is the usual interval, in
    steps, of a lazily evaluated term (its value is multiplied by it). `double_backward` names the
    networks that it differentiates twice, `parameters` the side with which its own are trained.
    `companions` are the penalties that usually go with it, by name, each with its options: a run
    whose losses were named one by one, or not at all, gets them where it names no penalty itself.
    """

    kind: ClassVar[str] = "loss"
    reserved_options = ComponentSpec.reserved_options | {"start", "balance"}

    trains: tuple[Side, ...] = SIDES
    reads: tuple[str, ...] = ("real_scores", "fake_scores")
    double_backward: tuple[Side, ...] = ()
    parameters: Side | None = None
    every: int = 1
    companions: Mapping[str, Mapping[str, object]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require(
            isinstance(self.companions, Mapping)
            and all(isinstance(it, Mapping) for it in self.companions.values()),
            f"companions must give options by name of a loss, not {self.companions!r}",
        )
        self._require_names("trains", self.trains, SIDES)
        self._require_quantities(self.reads)
        self._require_names("double_backward", self.double_backward, SIDES)
        self._require(
            self.parameters is None or self.parameters in self.trains,
            f"parameters must be a side that the term trains, not {self.parameters!r}",
        )
        self._require(
            type(self.every) is int and self.every >= 1,
            f"every must be a number of steps, not {self.every!r}",
        )
        self._require(
            bool(self.trains) or not (self.reads or self.double_backward or self.every > 1),
            "a term without a loss is given no step: it has reads=(), no double_backward, no every",
        )

    @property
    def needs_discriminator(self) -> bool:
        """True where the term makes no sense without a discriminator."""
        return (
            not self.trains  # what it constrains is the discriminator, and what it observes scores
            or "discriminator" in self.trains
            or not {"real_scores", "fake_scores"}.isdisjoint(self.reads)
            or any(TRACED[name.partition(".")[0]] == "discriminator" for name in self.traced)
        )

    @property
    def is_penalty(self) -> bool:
        """True for a term on the discriminator's own gradient."""
        return "discriminator" in self.double_backward

    @property
    def traced(self) -> tuple[str, ...]:
        """The named results of networks that it reads, as in `fake.features`."""
        return tuple(it for it in self.reads if "." in it and it.partition(".")[0] in TRACED)


@dataclass(frozen=True, kw_only=True)
class SamplerSpec(ComponentSpec):
    """Draws what the generator is fed.

    `input_shape` gives the shape of one input from the options and the data set's fields. `reads`
    says what it makes its inputs of: `samples` where input number i is made of real sample number
    i, so that what is generated can be compared with it, `labels` where it makes sense in
    conditional runs alone, and the name of any other field; it is a function of the options where
    they decide. `parts` gives the sizes of the named parts that its inputs consist of, in order,
    from the options: `{"noise": 62, "code": 2}`. `inputs` is a function of the options and the
    fields where they decide.
    """

    kind: ClassVar[str] = "sampler"

    input_shape: Callable[[Any, Mapping[str, Field]], tuple[int, ...]]
    inputs: str | Callable[[Any, Mapping[str, Field]], str] = "latents"
    reads: tuple[str, ...] | Callable[[Any], tuple[str, ...]] = ()
    parts: Callable[[Any], Mapping[str, int]] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not callable(self.inputs):
            check_inputs(self, self.inputs)
        if not callable(self.reads):
            self._require_quantities(self.reads)
        self._require(
            callable(self.input_shape),
            "input_shape must be a function of the options and the data set's fields",
        )
        self._require(
            self.parts is None or callable(self.parts), "parts must be a function of the options"
        )


@dataclass(frozen=True, kw_only=True)
class GameSpec(ComponentSpec):
    """A game, which connects the networks of a run: what each side has, what its terms see.

    `provides` names what a term can read of a step besides the usual; `calls` the methods that the
    generator must have; `reads` the fields of the data set, besides the sample, that it needs. All
    three are functions of the options where they decide. `judged` gives the field that the
    discriminator judges, from the options, the sample's field and the input shape; `told` the
    conditions that the game itself tells the discriminator, in the same way. `conditions` is false
    for a game whose steps tell the networks none of the run's. `packing` is the number of samples
    that are judged at once (Lin et al., 2018), of which a batch is then a multiple.

    The rest is for people: `sides` says in words what the generator's and the discriminator's side
    are made of, `pairs` what is real and what is fake in each step of an update, in the letters of
    papers (a function of the options where they decide), and `meanings` what the quantities of a
    step stand for in those letters, where that is not what they are in the usual game.
    """

    kind: ClassVar[str] = "game"

    conditions: bool = True

    provides: tuple[str, ...] | Callable[[Any], tuple[str, ...]] = ()
    calls: tuple[str, ...] | Callable[[Any], tuple[str, ...]] = ()
    reads: tuple[str, ...] | Callable[[Any], tuple[str, ...]] = ()
    judged: Callable[[Any, Field, tuple[int, ...]], Field] | None = None
    told: Callable[[Any, Field, tuple[int, ...]], Mapping[str, Field]] | None = None
    packing: int | Callable[[Any], int] = 1
    sides: tuple[str, str] = ("one generator G", "one discriminator D")
    pairs: Pairs | Callable[[Any], Pairs] = (("x", "G(z)"),)
    meanings: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("provides", "calls", "reads"):
            value = getattr(self, name)
            if not callable(value):
                self._require_names(name, value)
        for name in ("judged", "told"):
            value = getattr(self, name)
            self._require(
                value is None or callable(value),
                f"{name} must be a function of the options, the sample and the input shape",
            )
        self._require(
            callable(self.packing) or (type(self.packing) is int and self.packing > 0),
            f"packing must be a number from 1 up, or a function of the options, not "
            f"{self.packing!r}",
        )
        self._require(
            _are_lines(self.sides, 2), f"sides must be two lines of text, not {self.sides!r}"
        )
        sound = isinstance(self.pairs, tuple) and bool(self.pairs)
        self._require(
            callable(self.pairs) or (sound and all(_are_lines(pair, 2) for pair in self.pairs)),
            f"pairs must be a tuple such as (('x', 'G(z)'),), not {self.pairs!r}",
        )
        self._require(
            isinstance(self.meanings, Mapping)
            and all(_are_lines(entry, 2) for entry in self.meanings.items()),
            f"meanings must give a line of text by quantity, not {self.meanings!r}",
        )


@dataclass(frozen=True, kw_only=True)
class AugmentationSpec(SampleSpec, RemedySpec):
    """A transformation of whatever the discriminator is shown, real and fake alike.

    `double_backward` says that it can be differentiated twice, as gradient penalties need.
    """

    kind: ClassVar[str] = "augmentation"

    double_backward: bool = True


@dataclass(frozen=True, kw_only=True)
class CallbackSpec(ComponentSpec):
    """Something that is told of a run's progress: a logger, for example."""

    kind: ClassVar[str] = "callback"


@dataclass(frozen=True, kw_only=True)
class OptimizerSpec(ComponentSpec):
    """An optimizer of one side.

    `build(parameters, options)` is given a list of `nn.Parameter` on the run's device, and gives a
    `torch.optim.Optimizer` over all of them, fused or not as it likes. A scheduled option has its
    first value there. The engine sets later ones in the parameter groups, before the step, under
    the option's name or the key that `param_groups` gives it; `learning_rate` is `lr` and `epsilon`
    is `eps` unless it says otherwise.

    `found_inf` says that on an accelerator it reads the attribute of this name, a tensor, and skips
    its step where that is not 0, as torch's fused optimizers do.
    """

    kind: ClassVar[str] = "optimizer"

    found_inf: bool = False
    param_groups: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        names = {option.name for option in describe(self.options)}
        self._require(
            isinstance(self.param_groups, Mapping) and names >= set(self.param_groups),
            f"param_groups must give keys by option, not {self.param_groups!r}",
        )

    def key_of(self, option: str) -> str:
        """The key of the parameter groups that holds this option."""
        return {**PARAM_GROUP_KEYS, **self.param_groups}.get(option, option)


@dataclass(frozen=True, kw_only=True)
class FormatSpec(ComponentSpec):
    """Shows samples as pictures and writes them to files.

    `kinds` are the kinds of field that it handles. `suffixes` are those of the files that it
    writes, `.png` and `.npz` always among them; `one_file_each` that of the files in a folder with
    one for each sample, None where samples make sense only together. `unit` is what samples are
    counted in. It has no options: the field of a data set says what it needs to know.
    """

    kind: ClassVar[str] = "format"

    kinds: tuple[str, ...]
    suffixes: tuple[str, ...] = (".png", ".npz")
    one_file_each: str | None = None
    unit: str = "samples"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require(_are_lines((self.unit,), 1), f"unit must be a word, not {self.unit!r}")
        self._require(self.options is NoOptions, "a format has no options")
        self._require_names("kinds", self.kinds, KINDS_OF_FIELDS)
        self._require(bool(self.kinds), "kinds is empty")
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
    few words. `cpu_seconds` is what the whole run takes on one core of a CPU, measured; None where
    nobody has.
    """

    kind: ClassVar[str] = "recipe"

    file: str
    source: str = ""
    cpu_seconds: int | None = None

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
        self._require(
            self.cpu_seconds is None or (type(self.cpu_seconds) is int and self.cpu_seconds > 0),
            f"cpu_seconds must be a number of seconds or None, not {self.cpu_seconds!r}",
        )


def _are_lines(value: object, number: int) -> bool:
    """True for a tuple of so many lines of text."""
    return (
        isinstance(value, tuple)
        and len(value) == number
        and all(isinstance(line, str) and line.strip() and "\n" not in line for line in value)
    )


#: kinds of which a run may have any number, each a table by name in the configuration
TABLES = ("loss", "augmentation", "metric", "features", "callback")

SPECS: tuple[type[Spec], ...] = (
    GeneratorSpec,
    DiscriminatorSpec,
    LossSpec,
    DatasetSpec,
    SamplerSpec,
    RefinementSpec,
    GameSpec,
    AugmentationSpec,
    MetricSpec,
    FeaturesSpec,
    CallbackSpec,
    OptimizerSpec,
    FormatSpec,
    RecipeSpec,
)
KINDS: tuple[str, ...] = tuple(spec.kind for spec in SPECS)
NOUNS: dict[str, str] = {spec.kind: spec.noun for spec in SPECS}
