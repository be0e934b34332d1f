"""Components that a program gives as objects: its data, its generator, its discriminator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ganforge.plugin.fields import CONDITIONS, SAMPLE, Field
from ganforge.plugin.registry import Component, Plugin, Registry, S
from ganforge.plugin.shapes import ANY_SHAPES
from ganforge.plugin.specs import DatasetSpec, DiscriminatorSpec, GeneratorSpec, SamplerSpec

GIVEN = "given"  # the name of what a program gives
_PLUGIN = Plugin(name=GIVEN, package="this program", version="", module="", bundled=True)
_NOWHERE = "ganforge:nothing"  # a builder that is never asked for


@dataclass(frozen=True, kw_only=True)
class GivenComponent(Component[S]):
    """A component whose builder is a function of this process, rather than of a plugin."""

    function: Callable[[Any, Any], Any]

    def builder(self) -> Any:
        return self.function

    @property
    def origin(self) -> str:
        return "this program"


def with_given_generator(
    registry: Registry, fields: Mapping[str, Field], generator: object
) -> Registry:
    """The registry with a generator that gives as samples what it is fed, and what feeds it so.

    A loop that makes its fakes itself is to the engine a run of this generator.
    """
    components: list[Component[Any]] = [
        GivenComponent(
            spec=GeneratorSpec(
                name=GIVEN,
                summary="The generator of this program",
                build=_NOWHERE,
                shapes=ANY_SHAPES,
                inputs=SAMPLE,
                conditions=CONDITIONS,
                sampler=GIVEN,
            ),
            plugin=_PLUGIN,
            function=lambda problem, options: generator,
        ),
        GivenComponent(
            spec=SamplerSpec(
                name=GIVEN,
                summary="The samples of this program's generator",
                build=_NOWHERE,
                input_shape=lambda options, known: known[SAMPLE].known_shape,
                inputs=SAMPLE,
            ),
            plugin=_PLUGIN,
            function=lambda problem, options: None,
        ),
        GivenComponent(
            spec=DatasetSpec(
                name=GIVEN,
                summary="The data of this program",
                build=_NOWHERE,
                fields=lambda options: fields,
            ),
            plugin=_PLUGIN,
            function=lambda problem, options: None,
        ),
    ]
    return registry.with_components([*registry, *components])


def with_given_discriminator(registry: Registry, network: object) -> Registry:
    """The registry with a network of the program as a discriminator, which is taken at its word."""
    spec = DiscriminatorSpec(
        name=GIVEN,
        summary="The discriminator of this program",
        build=_NOWHERE,
        shapes=ANY_SHAPES,
        conditions=CONDITIONS,
        patches=True,
        several=True,
        batch_independent=True,
    )
    component = GivenComponent(spec=spec, plugin=_PLUGIN, function=lambda problem, options: network)
    return registry.with_components([*registry, component])
