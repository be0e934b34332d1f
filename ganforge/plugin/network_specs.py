"""The specs of the two networks: what each handles, is told, and gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from ganforge.plugin.base_specs import ComponentSpec, RemedySpec, SampleSpec
from ganforge.plugin.fields import CONDITIONS, KINDS_OF_FIELDS, SAMPLE

NO_DISCRIMINATOR = "none"  # the name under which a run has none

#: what a generator is fed: latents, something of a kind of field, or whatever a sample is
INPUT_KINDS = ("latents", SAMPLE, *KINDS_OF_FIELDS)


@dataclass(frozen=True, kw_only=True)
class NetworkSpec(SampleSpec, RemedySpec):
    """Base of the specs of generators and discriminators.

    `conditions` are the conditions that it can be told, each by the keyword under which its
    `forward` receives it: `label`, `labels` (several categories), `image`, `vector` and so on;
    `required` are those that it cannot do without. `gives` names what its `trace` returns besides
    the output. `differentiates_itself` says that its `forward` takes a gradient of its own, which
    torch.compile cannot.
    """

    reserved_options = ComponentSpec.reserved_options | {"conditions", "init"}

    conditions: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    gives: tuple[str, ...] = ()
    differentiates_itself: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require_names("conditions", self.conditions, CONDITIONS)
        self._require_names("required", self.required, self.conditions)
        self._require_names("gives", self.gives)


@dataclass(frozen=True, kw_only=True)
class GeneratorSpec(NetworkSpec):
    """A generator. `discriminator`, `sampler` and `game` name its usual partners.

    `inputs` says what it is fed: `latents`, a kind of field (`image`), or `sample`, whatever that
    is. `methods` names what it can do besides `forward`, for games that ask for it: `encode` makes
    codes `[B, *input_shape]` of samples. `truncates` says that it truncates by itself: its
    `forward` takes `truncation`, a scalar that is 1 where nothing is, in place of a narrower draw.
    """

    kind: ClassVar[str] = "generator"

    inputs: str = "latents"
    methods: tuple[str, ...] = ()
    truncates: bool = False
    discriminator: str | None = None
    sampler: str = "normal"
    game: str = "adversarial"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_inputs(self, self.inputs)
        self._require_names("methods", self.methods)
        self._require(
            self.discriminator is None or isinstance(self.discriminator, str),
            f"discriminator must be a name or None, not {self.discriminator!r}",
        )
        for partner in ("sampler", "game"):
            name = getattr(self, partner)
            self._require(isinstance(name, str), f"{partner} must be a name, not {name!r}")


@dataclass(frozen=True, kw_only=True)
class DiscriminatorSpec(NetworkSpec):
    """A discriminator or critic.

    `patches` says that it gives several scores per sample, `[B, ...]`, and `several` that it gives
    a list of scores (multi-scale, multi-period). `double_backward` says that its gradient with
    respect to the samples can be differentiated again, as gradient penalties need.
    `batch_independent` says that the score of a sample does not depend on the others in its batch,
    as batch normalisation would make it. `bounded` says that scores have a bound by design, as
    those of a gradient-normalised network or the energies of an autoencoder. `patches`, `several`,
    `batch_independent` and `bounded` are functions of the options where they decide.
    """

    kind: ClassVar[str] = "discriminator"

    patches: bool | Callable[[Any], bool] = False
    several: bool | Callable[[Any], bool] = False
    double_backward: bool = True
    batch_independent: bool | Callable[[Any], bool] = False
    bounded: bool | Callable[[Any], bool] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require(self.name != NO_DISCRIMINATOR, "reserved name: it means no discriminator")


def check_inputs(spec: ComponentSpec, inputs: object) -> None:
    """Raise ValueError for inputs of no kind that there is."""
    spec._require(
        inputs in INPUT_KINDS, f"inputs must be one of {', '.join(INPUT_KINDS)}, not {inputs!r}"
    )
