"""Components as a configuration selects them: with their options, and the engine's settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from ganforge.config.places import path_exists
from ganforge.errors import DataError, listed
from ganforge.plugin.base_specs import ComponentSpec
from ganforge.plugin.options import option
from ganforge.plugin.registry import Component
from ganforge.plugin.schedule import Schedule
from ganforge.plugin.specs import Direction, FeaturesSpec, LossSpec, MetricSpec, NetworkSpec
from ganforge.printable import printable

S = TypeVar("S", bound=ComponentSpec, covariant=True)
N = TypeVar("N", bound=NetworkSpec, covariant=True)


@dataclass(frozen=True, kw_only=True)
class Selection(Generic[S]):
    """A component and its options.

    `places` are the absolute paths that relative ones among the options of a stored run meant.
    """

    component: Component[S]
    options: Any
    places: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def located(self) -> Any:
        """The options with relative paths of a stored run where they led then, if they still do.

        They are for builders alone; what is written down are the options as they were typed.
        """
        there = {name: place for name, place in self.places.items() if path_exists(place)}
        return replace(self.options, **there) if there else self.options

    @property
    def spec(self) -> S:
        """The spec of the component."""
        return self.component.spec

    @property
    def label(self) -> str:
        """The component as messages name it, with its package."""
        return self.component.label

    def check_available(self) -> None:
        """Raise DataError where the component finds, without torch, that something is not there."""
        if self.spec.check_available is not None:
            try:
                self.component.call(
                    "cannot tell whether it can be used", self.spec.check_available, self.located
                )
            except DataError as error:
                raise self.with_places(error) from error

    def with_places(self, error: DataError) -> DataError:
        """The error with the places where the data of a stored run was, and is no more."""
        gone = [
            f"{self.component.kind}.{name} = {printable(getattr(self.options, name))!r} was "
            f"{printable(place)}"
            for name, place in self.places.items()
            if not path_exists(place)
        ]
        told = f"{error}. When the run was last trained, {listed(gone)}"
        return DataError(told) if gone else error

    def says(self, attribute: str) -> Any:
        """The spec's value under this name; if it is a function, its result for the options."""
        said = getattr(self.spec, attribute)
        if not callable(said):
            return said
        return self.component.call(f"cannot tell its {attribute}", said, self.options)

    @property
    def config_name(self) -> str:
        """The name that a later session finds it by, whatever has been installed since."""
        component = self.component
        return component.name if component.plugin.bundled else component.qualified_name


@dataclass(frozen=True, kw_only=True)
class NetworkSettings:
    """Settings of the engine for each of the two networks."""

    conditions: tuple[str, ...] = option(
        (), help="fields of the data set that it is told, besides the label of a conditional run"
    )
    init: str | None = option(
        None, help="run or file whose weights it starts from, where name and shape fit"
    )


@dataclass(frozen=True, kw_only=True)
class NetworkSelection(Selection[N]):
    """A network, the conditions that it is told, and where its first weights come from."""

    settings: NetworkSettings = NetworkSettings()


@dataclass(frozen=True, kw_only=True)
class TermSettings:
    """Settings of the engine for every loss term."""

    weight: float | Schedule = option(
        1.0, help="factor of this term in the objective", scheduled=True
    )
    every: int = option(1, help="steps between evaluations; the value is scaled by it", minimum=1)
    start: int = option(0, help="steps before the term begins to count", minimum=0)
    balance: str | None = option(
        None,
        help="loss that this one is scaled to at the generator's last layer (Esser et al., 2021)",
    )


@dataclass(frozen=True, kw_only=True)
class Term(Selection[LossSpec]):
    """A loss term, and what it counts in the objective."""

    settings: TermSettings = TermSettings()

    def balanced_with(self, terms: Sequence[Term]) -> Term:
        """This term, with the one of `terms` that `balance` names under its name in the run."""
        wanted = self.settings.balance
        named = [it for it in terms if wanted in (it.config_name, it.component.qualified_name)]
        named = named or [it for it in terms if wanted == it.spec.name]
        if len(named) != 1:
            return self
        return replace(self, settings=replace(self.settings, balance=named[0].config_name))


@dataclass(frozen=True, kw_only=True)
class MetricSettings:
    """Settings of the engine for every metric."""

    features: str | None = option(
        None, help="extractor that it looks at samples through, where it reads features"
    )


@dataclass(frozen=True, kw_only=True)
class MetricSelection(Selection[MetricSpec]):
    """A metric, and the extractor that it looks through; None where it reads no features."""

    features: Selection[FeaturesSpec] | None = None

    @property
    def settings(self) -> MetricSettings:
        """The settings that select this again."""
        return MetricSettings(features=None if self.features is None else self.features.config_name)

    def full_name(self, number: str, numbers: Sequence[str]) -> str:
        """One of its numbers as files and tables name it: `fid`, or `modes/high_quality`."""
        alone = set(numbers) == {self.component.name}
        return self.config_name if alone else f"{self.config_name}/{number}"

    def direction(self, number: str) -> Direction | None:
        """The better direction of one of its numbers; None where neither is better."""
        return self.spec.better.get(number)
