"""`RunConfig`: everything that defines a run, and its form in TOML."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from . import toml
from .options import describe, option, to_toml
from .printable import printable
from .registry import Component
from .settings import (
    OPTIMIZERS,
    SECTIONS,
    EMASettings,
    ExecutionSettings,
    OptimizerSettings,
    OutputSettings,
    TrainingSettings,
)
from .specs import DatasetSpec, SamplerSpec

KeyPath = tuple[str, ...]

COMPONENT_SECTIONS = ("generator", "discriminator", "sampler", "dataset")
OPTIMIZER_SECTIONS = ("generator_optimizer", "discriminator_optimizer")
ALL_SECTIONS = (*COMPONENT_SECTIONS, "loss", *OPTIMIZER_SECTIONS, *SECTIONS)


@dataclass(frozen=True, kw_only=True)
class Selection:
    """A component and its options."""

    component: Component
    options: Any

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


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """A resolved configuration. `discriminator` is None for a run without one."""

    generator: Selection
    discriminator: Selection | None
    sampler: Selection
    dataset: Selection
    losses: tuple[Term, ...]
    generator_optimizer: OptimizerSettings
    discriminator_optimizer: OptimizerSettings
    training: TrainingSettings
    ema: EMASettings
    output: OutputSettings
    execution: ExecutionSettings

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """The shape of a sample, from the data set's options alone."""
        spec = self.dataset.component.spec
        assert isinstance(spec, DatasetSpec)
        return self.dataset.component.shape("sample shape", spec.sample_shape, self.dataset.options)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one generator input."""
        spec = self.sampler.component.spec
        assert isinstance(spec, SamplerSpec)
        return self.sampler.component.shape(
            "input shape", spec.input_shape, self.sampler.options, self.sample_shape
        )

    def check_available(self) -> None:
        """Raise DataError where the data set finds, without torch, that its data is not there."""
        spec = self.dataset.component.spec
        assert isinstance(spec, DatasetSpec)
        if spec.check_available is not None:
            self.dataset.component.call(
                "cannot tell whether its data is there", spec.check_available, self.dataset.options
            )

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
            name = ConfigLine(key="name", value=selection.config_name)
            comment = printable(selection.component.spec.summary)
            yield (section,), [name, *_lines(selection.options)], comment
    for term in config.losses:
        settings = TermSettings(weight=term.weight, every=term.every)
        lines = [*_lines(settings), *_lines(term.options)]
        yield ("loss", term.config_name), lines, printable(term.component.spec.summary)
    for section in OPTIMIZER_SECTIONS:
        optimizer: OptimizerSettings = getattr(config, section)
        (chosen,) = (name for name, cls in OPTIMIZERS.items() if cls is type(optimizer))
        yield (section,), [ConfigLine(key="name", value=chosen), *_lines(optimizer)], ""
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
