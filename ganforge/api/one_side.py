"""One side of a training alone: configured and built as in a run, for a loop of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from ganforge.config.arguments import Named, Several, from_arguments
from ganforge.config.resolve import resolve
from ganforge.config.run_config import RunConfig
from ganforge.device.execution import Execution
from ganforge.device.randomness import Randomness
from ganforge.engine.augmenting import Augmenting
from ganforge.engine.building import build_discriminator, build_generator
from ganforge.engine.finite import FiniteGuard
from ganforge.engine.objective import Objective
from ganforge.engine.parts import build_augmentations, build_schedules, build_side, build_terms
from ganforge.engine.schedules import is_follower
from ganforge.engine.sides import Side, Sides
from ganforge.engine.step import Setup
from ganforge.errors import UsageError
from ganforge.plugin.fields import SAMPLE, Field
from ganforge.plugin.options import describe
from ganforge.plugin.schedule import Schedule
from ganforge.plugin.specs import NO_DISCRIMINATOR, SIDES
from ganforge.problem import Problem

from .given import GIVEN, with_given_discriminator, with_given_generator
from .registry import found_registry


class _Passing(nn.Module):
    """A generator that gives as samples what it is fed."""

    def forward(self, inputs: Tensor, **conditions: Tensor) -> Tensor:
        return inputs


class _NoOptimizer(Optimizer):
    """The optimizer of the generator's side, which the program trains."""

    def __init__(self) -> None:
        super().__init__([nn.Parameter(torch.empty(0))], {})


def side_configuration(
    fields: Mapping[str, Field],
    discriminator: Named | nn.Module,
    *,
    joint_batch: bool,
    num_steps: int | None,
    seed: int,
    device: str,
    loss: Several,
    augmentation: Several,
    optimizer: Named,
) -> RunConfig:
    """The configuration of a run that has this side, checked as any other."""
    registry = with_given_generator(found_registry(), fields, _Passing())
    execution = {"device": device}
    if isinstance(discriminator, nn.Module):
        registry = with_given_discriminator(registry, discriminator)
        discriminator, execution = GIVEN, {**execution, "memory_format": "contiguous"}
    if discriminator == NO_DISCRIMINATOR:
        raise UsageError(
            f"discriminator=: {NO_DISCRIMINATOR!r} is none, and an adversary needs one"
        )
    told = {"conditions": [name for name in fields if name != SAMPLE]}
    training = {"seed": seed, "joint_batch": joint_batch, "steps": num_steps}
    chosen = {"discriminator": discriminator, "loss": loss, "augmentation": augmentation}
    config = resolve(
        [
            from_arguments({"generator": {"name": GIVEN, **told}, "dataset": GIVEN}),
            from_arguments({"training": training, "execution": execution}, "the settings"),
            # The terms that are named, and none beside them.
            from_arguments(chosen, whole=True),
            from_arguments({"discriminator": told}, "conditions="),
            from_arguments({"discriminator_optimizer": optimizer}, "optimizer="),
        ],
        registry,
    )
    for term in config.losses:
        if term.spec.parameters == "generator":
            raise UsageError(
                f"loss=: {term.label} has weights that are trained with the generator, which is "
                "trained elsewhere here"
            )
    config.check_available()
    return config


def side_setup(config: RunConfig, fields: Mapping[str, Field], execution: Execution) -> Setup:
    """Setup that an update works on, built as for a run."""
    randomness = Randomness(config.training.seed, execution.device)
    problem = Problem(
        sample=fields[SAMPLE],
        input_shape=config.input_shape(fields),
        conditions=config.condition_fields("generator", fields),
    )
    judged = replace(
        problem,
        sample=config.judged(problem.sample, problem.input_shape),
        conditions=config.condition_fields("discriminator", fields),
    )
    built = build_generator(config.game, config.generator, problem, randomness, execution)
    assert config.discriminator is not None
    network = build_discriminator(
        config.game, built.game, config.discriminator, judged, randomness, execution
    )
    terms = build_terms(config, problem, randomness, execution)
    guard = FiniteGuard(terms, execution.device)
    sides = Sides(
        generator=Side(network=built.network, optimizer=_NoOptimizer(), parameters=()),
        discriminator=build_side(config, "discriminator", network, terms, guard),
        ema=None,
    )
    augmentations = build_augmentations(config, judged, randomness, execution)
    assert config.training.steps is not None
    return Setup(
        settings=config.training,
        sides=sides,
        game=built.game,
        objective=Objective(terms),
        augmenting=Augmenting(augmentations),
        schedules=build_schedules(config, sides, built.game, augmentations, terms),
        guard=guard,
        randomness=randomness,
        num_steps=config.training.steps,
        keywords={side: config.keywords(side, fields) for side in SIDES},
    )


def counted_in_shares(config: RunConfig, setup: Setup) -> list[str]:
    """The options with a schedule in shares, and the modules that follow progress, in words."""
    assert config.discriminator is not None
    selections = [
        config.discriminator,
        config.discriminator_optimizer,
        *config.losses,
        *config.augmentations,
    ]
    keys = [
        f"{field.name} of {it.component.name!r}"
        for it in selections
        for options in (it.options, getattr(it, "settings", None))
        if options is not None
        for field in describe(type(options))
        if isinstance(value := getattr(options, field.name), Schedule) and value.in_shares
    ]
    modules = [setup.sides["discriminator"].network, *(it.loss for it in setup.objective.terms)]
    modules += [it.module for it in setup.augmenting.chosen]
    followers = {
        type(part).__name__ for it in modules for part in it.modules() if is_follower(part)
    }
    return [*keys, *sorted(followers)]
