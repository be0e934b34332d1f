"""`build_network`: a network by its name, for programs that use it in a way of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from ganforge.config.arguments import from_arguments
from ganforge.config.choosing import Chooser
from ganforge.config.compatibility import not_told
from ganforge.config.selection import Selection
from ganforge.config.settings import ExecutionSettings
from ganforge.device.execution import Execution
from ganforge.device.randomness import Randomness
from ganforge.engine.building import network_maker
from ganforge.errors import ConfigError, UsageError
from ganforge.plugin.fields import GRIDS, SAMPLE, SHAPES, Field, Kind, grouped
from ganforge.plugin.registry import Registry
from ganforge.plugin.specs import (
    DiscriminatorSpec,
    GeneratorSpec,
    NetworkSpec,
    SamplerSpec,
    Side,
)
from ganforge.printable import printable
from ganforge.problem import Problem

from .registry import found_registry

#: rank of one value -> its kind, where nothing says another
_KINDS: dict[int, Kind] = {1: "vector", 2: "sequence", 3: "image", 4: "video"}

Shape = tuple[int, ...]


def build_network(
    name: str,
    problem: Problem | None = None,
    *,
    side: Side = "generator",
    sample: Field | Shape | None = None,
    input_shape: Shape | None = None,
    conditions: Mapping[str, Field | Shape | int] | None = None,
    seed: int = 0,
    device: str | torch.device = "cpu",
    **options: Any,
) -> nn.Module:
    """A new generator or discriminator that is installed, with the initial weights of a seed.

    `problem` says what for, that of a loaded generator for one; or else `sample` does, a field or a
    shape: `(C, H, W)`, `(D,)`. `input_shape` is what a generator is fed, `(Z,)`, that of its usual
    sampler unless it is given. `conditions` are what it is told, by name: fields, shapes, or the
    number of classes. `options` are those of the component. The weights are those of a run with
    this seed, and the program's random state is left alone.

    Raises UsageError, ConfigError for options, where there is no such network.
    """
    registry = found_registry()
    kind: type[NetworkSpec] = _kind(side)
    chooser = Chooser(
        [from_arguments({side: {"name": name, **options}}, "options of {}")], registry
    )
    component = chooser.named(kind, None)
    selection = None if component is None else chooser.selection((kind.kind,), component)
    if selection is None:
        raise ConfigError(chooser.complaints)
    if problem is None:
        problem = _problem(selection, registry, sample, input_shape, conditions)
    elif sample is not None or input_shape is not None or conditions is not None:
        raise UsageError("a problem has a sample, an input shape and conditions already")
    spec = selection.spec
    for what in (spec.refusal(problem.sample), not_told(spec, grouped(problem.conditions))):
        if what:
            raise UsageError(f"the {side} {printable(name)!r} {what}")
    execution = Execution.from_settings(ExecutionSettings(device=str(device)))
    network = network_maker(selection, Randomness(seed, execution.device))(problem)
    return execution.place(network)


def as_field(given: Field | Shape, name: str = SAMPLE) -> Field:
    """A field, or that of a shape: an image `(C, H, W)` in [-1, 1], a vector `(D,)`.

    Raises UsageError.
    """
    if isinstance(given, Field):
        if given.shape is None:
            raise UsageError(f"the field {printable(name)!r} has no shape")
        return given
    shape = tuple(given)
    if len(shape) not in _KINDS:
        raise UsageError(f"{printable(name)!r}: no kind of field has a shape like {shape}")
    try:
        kind = _KINDS[len(shape)]
        # Of bytes, so that networks keep to [-1, 1], as of a bare shape in a Problem.
        return Field(kind=kind, shape=shape, dtype="uint8" if kind in GRIDS else "float32")
    except ValueError as error:
        raise UsageError(f"{printable(name)!r}: {error}; shapes are {SHAPES}") from error


def as_fields(conditions: Mapping[str, Field | Shape | int] | None) -> dict[str, Field]:
    """Conditions by name as fields; a number is that of the classes of a category."""
    found = {}
    for name, given in (conditions or {}).items():
        if isinstance(given, int):
            found[name] = Field(kind="category", classes=tuple(map(str, range(given))))
        else:
            found[name] = as_field(given, name)
    return found


def _kind(side: Side) -> type[NetworkSpec]:
    if side == "generator":
        return GeneratorSpec
    if side == "discriminator":
        return DiscriminatorSpec
    raise UsageError(f"side= is 'generator' or 'discriminator', not {printable(side)!r}")


def _problem(
    selection: Selection[NetworkSpec],
    registry: Registry,
    sample: Field | Shape | None,
    input_shape: Shape | None,
    conditions: Mapping[str, Field | Shape | int] | None,
) -> Problem:
    if sample is None:
        raise UsageError("say what the samples are: sample=(3, 32, 32), a field, or a problem")
    field, told = as_field(sample), as_fields(conditions)
    spec = selection.spec
    if isinstance(spec, GeneratorSpec) and input_shape is None:
        sampler = registry.find(SamplerSpec, spec.sampler)
        chooser = Chooser([], registry)
        usual = chooser.selection((SamplerSpec.kind,), sampler)
        if usual is None:
            raise UsageError(
                f"say what it is fed by input_shape=: its usual sampler {spec.sampler!r} needs "
                "options to tell"
            )
        input_shape = sampler.shape(
            "input shape", usual.spec.input_shape, usual.options, {SAMPLE: field, **told}
        )
    return Problem(sample=field, input_shape=input_shape or (), conditions=told)
