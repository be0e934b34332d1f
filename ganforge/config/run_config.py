"""`RunConfig`: everything that defines a run, and its form in TOML."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ganforge.config import toml
from ganforge.config.settings import (
    OPTIMIZERS,
    SECTIONS,
    EMASettings,
    EvaluationSettings,
    ExecutionSettings,
    InstanceNoiseSettings,
    OptimizerSettings,
    OutputSettings,
    TrainingSettings,
)
from ganforge.plugin.fields import Field
from ganforge.plugin.options import describe, option, to_toml
from ganforge.plugin.registry import Component
from ganforge.plugin.specs import NO_DISCRIMINATOR, TABLES, ComponentSpec, DatasetSpec, SamplerSpec
from ganforge.printable import printable

KeyPath = tuple[str, ...]

COMPONENT_SECTIONS = ("generator", "discriminator", "sampler", "dataset")
OPTIMIZER_SECTIONS = ("generator_optimizer", "discriminator_optimizer")
ALL_SECTIONS = (*COMPONENT_SECTIONS, *TABLES, *OPTIMIZER_SECTIONS, *SECTIONS)


@dataclass(frozen=True, kw_only=True)
class Selection:
    """A component and its options."""

    component: Component
    options: Any

    def check_available(self) -> None:
        """Raise DataError where the component finds, without torch, that something is not there."""
        spec = self.component.spec
        if isinstance(spec, ComponentSpec) and spec.check_available is not None:
            self.component.call(
                "cannot tell whether it can be used", spec.check_available, self.options
            )

    @property
    def config_name(self) -> str:
        """The name that a later session finds it by, whatever has been installed since."""
        component = self.component
        return component.name if component.plugin.bundled else component.qualified_name


@dataclass(frozen=True, kw_only=True)
class Term(Selection):
    """A loss term, its weight in the objective and the steps between its evaluations."""

    weight: float
    every: int


@dataclass(frozen=True, kw_only=True)
class TermSettings:
    """What the engine lets be set for every loss term."""

    weight: float = option(1.0, help="factor of this term in the objective")
    every: int = option(1, help="steps between evaluations, which count that many times", minimum=1)


def sample_field(dataset: Selection) -> Field:
    """The field that is generated, from the data set's options alone."""
    component = dataset.component
    assert isinstance(component.spec, DatasetSpec)
    shape = component.shape("sample shape", component.spec.sample_shape, dataset.options)
    return Field.of_shape(shape)


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """A resolved configuration. `discriminator` is None for a run without one.

    `format` shows the samples; it follows from their field, and no key of the configuration names
    it.
    """

    generator: Selection
    discriminator: Selection | None
    sampler: Selection
    dataset: Selection
    format: Selection
    losses: tuple[Term, ...]
    metrics: tuple[Selection, ...]
    callbacks: tuple[Selection, ...]
    generator_optimizer: OptimizerSettings
    discriminator_optimizer: OptimizerSettings
    training: TrainingSettings
    instance_noise: InstanceNoiseSettings
    ema: EMASettings
    evaluation: EvaluationSettings
    output: OutputSettings
    execution: ExecutionSettings

    @property
    def sample(self) -> Field:
        """The field that is generated, from the data set's options alone."""
        return sample_field(self.dataset)

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """The shape of a sample, from the data set's options alone."""
        return self.sample.known_shape

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one generator input."""
        spec = self.sampler.component.spec
        assert isinstance(spec, SamplerSpec)
        return self.sampler.component.shape(
            "input shape", spec.input_shape, self.sampler.options, self.sample_shape
        )

    @property
    def judged_shape(self) -> tuple[int, ...]:
        """The shape of what the discriminator judges."""
        codes = self.training.discriminate == "codes"
        return self.input_shape if codes else self.sample_shape

    @property
    def selections(self) -> tuple[Selection, ...]:
        """Every component of the run."""
        single = (self.generator, self.discriminator, self.sampler, self.dataset, self.format)
        several = (*self.losses, *self.metrics, *self.callbacks)
        return (*(it for it in single if it is not None), *several)

    def check_available(self) -> None:
        """Raise DataError where data, or an optional package, is found not to be there."""
        for selection in self.selections:
            selection.check_available()

    def to_toml(self) -> str:
        """The configuration as TOML that resolves to it again, each key with its help."""
        return "\n".join(toml.table(path, lines, comment) for path, lines, comment in _rows(self))

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
        selection: Selection | None = getattr(config, section)
        if selection is not None:
            line = ConfigLine(key="name", value=selection.config_name)
            comment = printable(selection.component.spec.summary)
            yield (section,), [line, *_lines(selection.options)], comment
        elif section == "discriminator":
            # Said, or reading it again would bring back the generator's usual partner.
            yield (section,), [ConfigLine(key="name", value=NO_DISCRIMINATOR)], "there is none"
    for term in config.losses:
        settings = TermSettings(weight=term.weight, every=term.every)
        lines = [*_lines(settings), *_lines(term.options)]
        yield ("loss", term.config_name), lines, printable(term.component.spec.summary)
    for kind, chosen in (("metric", config.metrics), ("callback", config.callbacks)):
        for selection in chosen:
            comment = printable(selection.component.spec.summary)
            yield (kind, selection.config_name), _lines(selection.options), comment
    for section in OPTIMIZER_SECTIONS:
        optimizer: OptimizerSettings = getattr(config, section)
        (name,) = (name for name, cls in OPTIMIZERS.items() if cls is type(optimizer))
        yield (section,), [ConfigLine(key="name", value=name), *_lines(optimizer)], ""
    for section in SECTIONS:
        yield (section,), _lines(getattr(config, section)), ""


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
