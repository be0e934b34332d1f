"""Steps and terms of networks that a test makes up, built as the engine builds them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from ganforge import Batch, Draw, Game, Inputs, Loss, LossSpec, Problem, Progress, Step, Update
from ganforge.config.run_config import Term, TermSettings
from ganforge.config.settings import TrainingSettings
from ganforge.device.randomness import Randomness
from ganforge.engine.augmenting import Augmenting
from ganforge.engine.finite import FiniteGuard
from ganforge.engine.objective import Objective, ObjectiveTerm
from ganforge.engine.schedules import Schedules
from ganforge.engine.sides import Side, Sides
from ganforge.engine.step import Training
from ganforge.plugin.registry import Component, Plugin
from ganforge.plugin.specs import Side as SideName

BEGINNING = Progress(step=0, num_steps=1, images=0)
LABEL = {"label": ("label",)}


def make_update(
    side: SideName,
    generator: Callable[..., Any],
    discriminator: Callable[..., Any] | None,
    *,
    conditional: bool = False,
    progress: Progress = BEGINNING,
    **settings: Any,
) -> Update:
    """The update of one side; with `conditional` both networks are told the label."""
    keywords = LABEL if conditional else {}
    return Update(
        side=side,
        generator=generator,  # type: ignore[arg-type]
        discriminator=discriminator,  # type: ignore[arg-type]
        progress=progress,
        make_random=lambda: torch.Generator().manual_seed(0),
        generator_keywords=keywords,
        discriminator_keywords=keywords,
        **settings,
    )


def make_step(
    side: SideName,
    real: Batch,
    inputs: Inputs,
    generator: Callable[..., Any],
    discriminator: Callable[..., Any] | None,
    **settings: Any,
) -> Step:
    """The step of the usual game in an update of one side."""
    settings.setdefault("conditional", real.labels is not None)
    return Step(make_update(side, generator, discriminator, **settings), Draw(real, inputs))


def term(
    name: str,
    loss: Loss,
    *,
    origin: str = "test 1.0",
    trains: tuple[SideName, ...] = ("generator",),
    double_backward: tuple[SideName, ...] = (),
    **settings: Any,
) -> ObjectiveTerm:
    """A term of a run, with a spec that says what it trains."""
    spec = LossSpec(
        name=name.replace("_", "-"),
        summary="A test's",
        build="nowhere:build",
        trains=trains,
        reads=("real_scores", "fake_scores") if trains else (),
        double_backward=double_backward,
    )
    package, _, version = origin.partition(" ")
    plugin = Plugin(name="test", package=package, version=version, module="test", bundled=False)
    selection = Term(
        component=Component(spec=spec, plugin=plugin),
        options=None,
        settings=TermSettings(**settings),
    )
    return ObjectiveTerm(name=name, selection=selection, loss=loss)


def weights(network: nn.Module) -> list[torch.Tensor]:
    """Copies of all parameters."""
    return [parameter.detach().clone() for parameter in network.parameters()]


def small_training(
    generator: Side,
    objective: Objective,
    guard: FiniteGuard,
    discriminator: Side | None = None,
) -> Training:
    """What an update of made-up networks works on."""
    problem = Problem(sample_shape=(3,), input_shape=(2,))
    return Training(
        settings=TrainingSettings(steps=10, batch_size=4),
        sides=Sides(generator=generator, discriminator=discriminator, ema=None),
        game=Game(problem),
        objective=objective,
        feed=None,  # type: ignore[arg-type]
        augmenting=Augmenting([]),
        schedules=Schedules([], []),
        guard=guard,
        randomness=Randomness(0, torch.device("cpu")),
        num_steps=10,
        keywords={"generator": {}, "discriminator": {}},
    )
