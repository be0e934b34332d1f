"""Builds what a run names: the only caller of the builders."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar, cast

import torch
from torch import nn

from ganforge.config.run_config import RunConfig, Selection
from ganforge.contracts import Dataset, FeatureExtractor, Game
from ganforge.device.execution import Execution
from ganforge.device.memory import in_parts
from ganforge.device.randomness import Randomness
from ganforge.errors import PluginError
from ganforge.plugin.base_specs import ComponentSpec
from ganforge.plugin.fields import LABEL, SAMPLE, Field
from ganforge.plugin.specs import DatasetSpec, FeaturesSpec, GameSpec, GeneratorSpec
from ganforge.printable import represented
from ganforge.problem import Fit, Problem

T = TypeVar("T")


def build(
    selection: Selection[ComponentSpec],
    problem: Problem,
    randomness: Randomness,
    wanted: Callable[..., T],
) -> T:
    """Build a component. Raises PluginError where the result is not of type `wanted`."""
    component = selection.component
    with randomness.building(f"{component.kind}/{component.name}"):
        built = component.build(problem, selection.located)
    # A callable for the type checker, which takes no abstract class for a type.
    assert isinstance(wanted, type)
    if isinstance(built, wanted):
        return cast(T, built)
    raise PluginError(
        f"{selection.label} must build a {wanted.__module__}.{wanted.__name__}, not "
        f"{type(built).__name__}"
    )


def network_maker(
    selection: Selection[ComponentSpec], randomness: Randomness
) -> Callable[[Problem], nn.Module]:
    """The function with which a game builds a side's networks: the first, the second, and so on.

    Each has initial weights of its own.
    """
    component, count = selection.component, 0

    def make(problem: Problem) -> nn.Module:
        nonlocal count
        count += 1
        stream = f"{component.kind}/{component.name}" + (f"/{count}" if count > 1 else "")
        with randomness.building(stream):
            built = component.build(problem, selection.options)
        if not isinstance(built, nn.Module):
            raise PluginError(
                f"{selection.label} must build a torch.nn.Module, not {type(built).__name__}"
            )
        return built

    return make


@dataclass(frozen=True, kw_only=True)
class BuiltGenerator:
    """The generator's side, and the game that it is built for."""

    game: Game
    network: nn.Module


def build_generator(
    game: Selection[GameSpec],
    generator: Selection[GeneratorSpec],
    problem: Problem,
    randomness: Randomness,
    execution: Execution,
) -> BuiltGenerator:
    """The game, and the generator's side as it builds it, on the device."""
    built = execution.place(build(game, problem, randomness, Game))
    make = network_maker(generator, randomness)
    network = _side(game, "generator", built.build_generator, make)
    return BuiltGenerator(game=built, network=execution.place(network))


def build_discriminator(
    game: Selection[GameSpec],
    built: Game,
    discriminator: Selection[ComponentSpec],
    problem: Problem,
    randomness: Randomness,
    execution: Execution,
) -> nn.Module:
    """The discriminator's side as the game builds it, for the problem of what it judges."""
    make = network_maker(discriminator, randomness)
    return execution.place(_side(game, "discriminator", built.build_discriminator, make, problem))


def _side(
    game: Selection[GameSpec], name: str, build: Callable[..., object], *arguments: object
) -> nn.Module:
    """Build a side of the game. Raises PluginError where that fails, or gives no module."""
    network = game.component.call(f"cannot build the {name}'s side", build, *arguments)
    if not isinstance(network, nn.Module):
        raise PluginError(f"{game.label} must build a torch.nn.Module, not {represented(network)}")
    return network


def build_extractor(
    selection: Selection[FeaturesSpec], fields: Mapping[str, Field], fit: Fit | None
) -> FeatureExtractor:
    """A feature extractor for samples of these fields, the same whatever the run's seed is.

    Of the conditions it is shown the labels alone.
    """
    labels = {name: it for name, it in fields.items() if name == LABEL}
    problem = Problem(sample=fields[SAMPLE], conditions=labels, fit=fit)
    randomness = Randomness(0, torch.device("cpu"))
    return build(selection, problem, randomness, FeatureExtractor)


def build_dataset(
    selection: Selection[DatasetSpec],
    fields: Mapping[str, Field],
    randomness: Randomness,
) -> tuple[Dataset, dict[str, Field]]:
    """A data set, and its fields as its data turned out to have them.

    Raises PluginError where a shape or the names of classes are still unknown.
    """
    problem = Problem(sample=fields["sample"])
    dataset = build(selection, problem, randomness, Dataset)
    known = dict(fields) | dict(dataset.fields)
    label = known.get(LABEL)
    if dataset.classes is not None:
        label = label or Field(kind="category")
        known[LABEL] = replace(label, classes=tuple(dataset.classes))
    elif label is not None and label.classes is None:
        del known[LABEL]  # a spec that leaves it to the data, which has none
    for name, field in known.items():
        if field.shape is None:
            raise PluginError(
                f"{selection.label} does not say which shape its field {name!r} has, neither in "
                "its spec nor, once it was read, in `fields`"
            )
    return dataset, known


def less_memory(config: RunConfig) -> str:
    """Settings with which a step needs less memory: first those that train the same."""
    training = config.training
    size, now = training.batch_size, training.num_accumulation_steps
    parts = in_parts(size, now)
    if parts is None:
        return "A smaller network, or smaller samples, need less."
    share = "in one part" if now == 1 else f"in {now} parts"
    return (
        f"Batches of {size} {share} do not fit: training.num_accumulation_steps={parts} (with "
        "--set, or with --override where a run is resumed) trains on the same batches in parts of "
        f"{size // parts}; a smaller --batch-size is another training."
    )
