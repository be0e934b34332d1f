"""`RunConfig`: everything that defines a run, and its form in TOML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ganforge import sharing
from ganforge.config import toml
from ganforge.config.selection import MetricSelection as MetricSelection
from ganforge.config.selection import MetricSettings as MetricSettings
from ganforge.config.selection import NetworkSelection as NetworkSelection
from ganforge.config.selection import NetworkSettings as NetworkSettings
from ganforge.config.selection import Selection as Selection
from ganforge.config.selection import Term as Term
from ganforge.config.selection import TermSettings as TermSettings
from ganforge.config.settings import (
    SECTIONS,
    DataSettings,
    EMASettings,
    EvaluationSettings,
    ExecutionSettings,
    OutputSettings,
    TrainingSettings,
)
from ganforge.errors import PluginError
from ganforge.plugin.base_specs import ComponentSpec
from ganforge.plugin.fields import LABEL, SAMPLE, Field, grouped
from ganforge.plugin.options import describe, to_toml
from ganforge.plugin.specs import (
    NO_DISCRIMINATOR,
    TABLES,
    AugmentationSpec,
    CallbackSpec,
    DatasetSpec,
    DiscriminatorSpec,
    FeaturesSpec,
    FormatSpec,
    GameSpec,
    GeneratorSpec,
    OptimizerSpec,
    SamplerSpec,
    Side,
)
from ganforge.printable import printable, represented

KeyPath = tuple[str, ...]

COMPONENT_SECTIONS = ("generator", "discriminator", "game", "sampler", "dataset")
OPTIMIZER_SECTIONS = ("generator_optimizer", "discriminator_optimizer")
ALL_SECTIONS = (*COMPONENT_SECTIONS, *TABLES, *OPTIMIZER_SECTIONS, *SECTIONS)


def sections_of(kind: str, name: str) -> tuple[str, ...]:
    """The sections of the configuration that hold the options of a component of this kind."""
    if kind == OptimizerSpec.kind:
        return OPTIMIZER_SECTIONS
    return (f"{kind}.{name}",) if kind in TABLES else (kind,)


def fields_of(dataset: Selection[DatasetSpec]) -> dict[str, Field]:
    """The fields that a data set gives, from its options alone. Raises PluginError."""
    found = dataset.says("fields")
    sound = isinstance(found, Mapping) and isinstance(found.get(SAMPLE), Field)
    if not sound or not all(isinstance(field, Field) for field in found.values()):
        raise PluginError(
            f"{dataset.label} must give its fields by name, one of them {SAMPLE!r}, not "
            f"{represented(found, 100)}"
        )
    return dict(found)


def makes_pairs(sampler: Selection[SamplerSpec], fields: Mapping[str, Field]) -> bool:
    """True where a sampler makes its inputs of real samples, or of a field that belongs to them.

    What the generator makes of input number i is then to be compared with sample number i.
    """
    read = {*sampler.says("reads")}
    return "samples" in read or any(
        name in fields and fields[name].paired and fields[name].kind != "category" for name in read
    )


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """A resolved configuration. `discriminator` is None for a run without one.

    `format` shows the samples; it follows from their field, and no key of the configuration names
    it. `companions` names the losses that came with those that were named, and `usual_labels` says
    that labels are told because they usually are on this data set; a configuration that is written
    down lists both like all else.
    """

    generator: NetworkSelection[GeneratorSpec]
    discriminator: NetworkSelection[DiscriminatorSpec] | None
    game: Selection[GameSpec]
    sampler: Selection[SamplerSpec]
    dataset: Selection[DatasetSpec]
    format: Selection[FormatSpec]
    losses: tuple[Term, ...]
    augmentations: tuple[Selection[AugmentationSpec], ...]
    metrics: tuple[MetricSelection, ...]
    callbacks: tuple[Selection[CallbackSpec], ...]
    generator_optimizer: Selection[OptimizerSpec]
    discriminator_optimizer: Selection[OptimizerSpec]
    training: TrainingSettings
    data: DataSettings
    ema: EMASettings
    evaluation: EvaluationSettings
    output: OutputSettings
    execution: ExecutionSettings
    companions: tuple[str, ...] = field(default=(), compare=False)
    usual_labels: bool = field(default=False, compare=False)

    @property
    def fields(self) -> dict[str, Field]:
        """The fields that the data set gives, from its options alone. Raises PluginError."""
        return fields_of(self.dataset)

    @property
    def sample(self) -> Field:
        """The field that is generated."""
        return self.fields[SAMPLE]

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """The shape of a sample. Raises ValueError where only the data can tell."""
        return self.sample.known_shape

    def input_shape(self, fields: Mapping[str, Field]) -> tuple[int, ...]:
        """The shape of one generator input, for fields whose shapes are known."""
        return self.sampler.component.shape(
            "input shape", self.sampler.spec.input_shape, self.sampler.options, fields
        )

    def input_kind(self, fields: Mapping[str, Field]) -> str:
        """The kind of input that the sampler draws: latents, or the kind of a field."""
        inputs = self.sampler.spec.inputs
        if callable(inputs):
            inputs = str(
                self.sampler.component.call(
                    "cannot tell what it draws", inputs, self.sampler.options, fields
                )
            )
        return fields[SAMPLE].kind if inputs == SAMPLE else inputs

    @property
    def input_parts(self) -> dict[str, tuple[int, int]]:
        """The named parts of an input, each as a range along its first axis."""
        parts = {} if self.sampler.spec.parts is None else self.sampler.says("parts")
        found: dict[str, tuple[int, int]] = {}
        start = 0
        for name, size in parts.items():
            found[name] = (start, start + size)
            start += size
        return found

    def conditions(self, side: Side) -> tuple[str, ...]:
        """The names of the fields that one side is told."""
        selection = self.generator if side == "generator" else self.discriminator
        if selection is None:
            return ()
        named = selection.settings.conditions
        if self.training.conditional and LABEL not in named:
            return (LABEL, *named)
        return named

    def judged(self, sample: Field, input_shape: tuple[int, ...]) -> Field:
        """The field that the discriminator judges."""
        judged = self.game.spec.judged
        if judged is None:
            return sample
        found: Field = self.game.component.call(
            "cannot tell what is judged", judged, self.game.options, sample, input_shape
        )
        return found

    def told(self, sample: Field, input_shape: tuple[int, ...]) -> dict[str, Field]:
        """The conditions that the game itself tells the discriminator."""
        told = self.game.spec.told
        if told is None:
            return {}
        return dict(
            self.game.component.call(
                "cannot tell its conditions", told, self.game.options, sample, input_shape
            )
        )

    def condition_fields(self, side: Side, fields: Mapping[str, Field]) -> dict[str, Field]:
        """The conditions that one side is told, as far as `fields` has them.

        Those that the game adds for the discriminator are there where shapes are known.
        """
        found = {it: fields[it] for it in self.conditions(side) if it in fields and it != SAMPLE}
        sample = fields[SAMPLE]
        if side == "discriminator" and sample.shape is not None:
            found |= self.told(sample, self.input_shape(fields))
        return found

    def keywords(self, side: Side, fields: Mapping[str, Field]) -> dict[str, tuple[str, ...]]:
        """The keywords by which one side is told its conditions, with the names in each."""
        return grouped(self.condition_fields(side, fields))

    @property
    def used_fields(self) -> set[str]:
        """The names of the fields besides the sample that something in this run reads."""
        read = {*self.conditions("generator"), *self.conditions("discriminator")}
        read |= {*self.sampler.says("reads"), *self.game.says("reads")}
        read |= {name for term in self.losses for name in term.spec.reads}
        read |= {name for metric in self.metrics for name in metric.spec.reads}
        if "labels" in read or any(it.spec.needs_labels for it in self.features):
            read.add(LABEL)
        return (read & self.fields.keys()) - {SAMPLE}

    def paired(self, fields: Mapping[str, Field]) -> bool:
        """True where what the generator makes belongs to the real samples, one by one."""
        return makes_pairs(self.sampler, fields)

    @property
    def features(self) -> tuple[Selection[FeaturesSpec], ...]:
        """The extractors that metrics of the run look through."""
        found = {it.features.config_name: it.features for it in self.metrics if it.features}
        return tuple(found.values())

    @property
    def selections(self) -> tuple[Selection[ComponentSpec], ...]:
        """Every component of the run."""
        single = (
            *(self.generator, self.discriminator, self.game),
            *(self.sampler, self.dataset, self.format),
        )
        several = (
            *(*self.losses, *self.augmentations),
            *(*self.metrics, *self.features, *self.callbacks),
        )
        return (*(it for it in single if it is not None), *several, *self.optimizers.values())

    def check_available(self) -> None:
        """Raise DataError where data, or an optional package, is found not to be there."""
        for selection in self.selections:
            selection.check_available()

    @property
    def optimizers(self) -> dict[Side, Selection[OptimizerSpec]]:
        """The optimizer of each side that there is."""
        found: dict[Side, Selection[OptimizerSpec]] = {"generator": self.generator_optimizer}
        if self.discriminator is not None:
            found["discriminator"] = self.discriminator_optimizer
        return found

    @property
    def tables(self) -> dict[str, tuple[Selection[ComponentSpec], ...]]:
        """The components of each kind of which a run has any number."""
        return {
            "loss": self.losses,
            "augmentation": self.augmentations,
            "metric": self.metrics,
            "features": self.features,
            "callback": self.callbacks,
        }

    def to_toml(self, *, portable: bool = False) -> str:
        """The configuration as TOML that resolves to it again, each key with its help.

        Secrets are left out: what goes on from the file is given them again. One that is `portable`
        does not tell where on this machine things lie.
        """
        change = _portable if portable else _without_secret
        return "\n".join(
            toml.table(path, map(change, lines), comment) for path, lines, comment in _rows(self)
        )

    def values(self) -> dict[KeyPath, ConfigLine]:
        """Every key of the configuration with its value, as plain data."""
        return {(*path, line.key): line for path, lines, _ in _rows(self) for line in lines}


@dataclass(frozen=True, kw_only=True)
class ConfigLine(toml.Line):
    """A key of the configuration; a resumed run may change it where it is `mutable`."""

    mutable: bool = False


def _rows(config: RunConfig) -> Iterator[tuple[KeyPath, list[ConfigLine], str]]:
    """The tables of the configuration, in order, each with its lines and a comment."""
    for section in COMPONENT_SECTIONS:
        selection: Selection[ComponentSpec] | None = getattr(config, section)
        if selection is not None:
            lines = [ConfigLine(key="name", value=selection.config_name), *_settings(selection)]
            yield (
                (section,),
                [*lines, *_lines(selection.options)],
                printable(selection.spec.summary),
            )
        elif section == "discriminator":
            # Said, or reading it again would bring back the generator's usual partner.
            yield (section,), [ConfigLine(key="name", value=NO_DISCRIMINATOR)], "there is none"
    for kind, chosen in config.tables.items():
        for selection in chosen:
            lines = [*_settings(selection), *_lines(selection.options)]
            comment = selection.spec.summary
            for term in config.losses if kind == "loss" else ():
                if selection.component.name in term.spec.companions:
                    comment += f"; a companion of {term.component.name}"
                    break
            yield (kind, selection.config_name), lines, printable(comment)
    for section in OPTIMIZER_SECTIONS:
        optimizer: Selection[OptimizerSpec] = getattr(config, section)
        lines = [ConfigLine(key="name", value=optimizer.config_name), *_lines(optimizer.options)]
        if section in {f"{side}_optimizer" for side in config.optimizers}:
            yield (section,), lines, printable(optimizer.spec.summary)
    for section in SECTIONS:
        yield (section,), _lines(getattr(config, section)), ""


def _portable(line: ConfigLine) -> ConfigLine:
    return replace(_without_secret(line), value=sharing.portable(_without_secret(line).value))


def _without_secret(line: ConfigLine) -> ConfigLine:
    if line.value in (None, "") or not sharing.is_secret(line.key):
        return line
    return replace(line, value=None, comment="a secret, which is not written down")


def _settings(selection: Selection[ComponentSpec]) -> list[ConfigLine]:
    """The engine's settings for a component, which stand beside its own options."""
    if isinstance(selection, NetworkSelection | Term):
        return _lines(selection.settings)
    if isinstance(selection, MetricSelection) and selection.features is not None:
        return _lines(selection.settings)
    return []


def _lines(options: Any) -> list[ConfigLine]:
    return [
        ConfigLine(
            key=field.name,
            value=to_toml(getattr(options, field.name)),
            comment=printable(field.help),
            mutable=field.mutable,
        )
        for field in describe(type(options))
    ]
