"""The loops of one comparison, built from one configuration with equal initial weights.

Also the proof that the comparison is one of like with like: fed with the engine's own draws, the
hand-written loop computes the engine's losses and weights.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pictures
import torch
from loops import BestLoop, Hyperparameters, TutorialLoop
from torch import Tensor, nn

from ganforge.config.layers import from_settings
from ganforge.config.resolve import resolve
from ganforge.config.run_config import RunConfig
from ganforge.contracts import Batch, Inputs
from ganforge.engine.assemble import Assembly, assemble
from ganforge.engine.observers import Observer
from ganforge.engine.trainer import Trainer
from ganforge.plugin.schedule import Schedule
from ganforge.storage.run_directory import RunDirectory

#: the settings of each comparison that are not the engine's defaults
NETWORKS: dict[str, tuple[str, ...]] = {
    "dcgan": (
        "generator.name=dcgan",
        "dataset.size=32",
        "discriminator.normalisation=batch",
    ),
    "mlp": ("generator.name=mlp", "dataset.size=28"),
}
#: what the hand-written loops do: one loss, and a constant rate
PLAIN = tuple(
    f"{side}_optimizer.{setting}"
    for side in ("generator", "discriminator")
    for setting in ("learning_rate=4e-4", "betas=[0.5, 0.999]")
)


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What the loops of a comparison have in common."""

    network: str
    device: str
    workers: int
    num_pictures: int
    folder: Path

    def config(self, *, reuse_fakes: bool) -> RunConfig:
        settings = (
            f"dataset.name={pictures.NAME}",
            *NETWORKS[self.network],
            *PLAIN,
            f"dataset.count={self.num_pictures}",
            f"execution.device={self.device}",
            f"training.reuse_fakes={'true' if reuse_fakes else 'false'}",
            "training.steps=1000000000",
        )
        layer = replace(from_settings(settings), companions=False)
        return resolve([layer], pictures.registry())

    def trainer(self, assembly: Assembly, name: str) -> Trainer:
        run = RunDirectory.create(self.folder / self.network / name)
        return Trainer(assembly, run, Observer())


class EngineLoop:
    """The engine's own training step, and its lines of metrics at their usual interval.

    Sample grids and checkpoints, every 250 and 500 steps, are left out: the other loops have none.
    """

    def __init__(self, trainer: Trainer) -> None:
        self._trainer = trainer
        self._log_every = trainer.assembly.config.output.log_every

    def step(self) -> None:
        trainer = self._trainer
        trainer.train_step()
        trainer.reports.step(trainer.step)
        if trainer.step % self._log_every == 0:
            trainer.log()


def contenders(setup: Setup) -> dict[str, Callable[[], Any]]:
    """One step of each loop, by name, in an order of no meaning."""
    steps: dict[str, Callable[[], Any]] = {}
    for suffix, reuse_fakes in (("", False), ("_reuse", True)):
        config = setup.config(reuse_fakes=reuse_fakes)
        assembly = assemble(config)
        steps["best" + suffix] = _best(BestLoop, setup, assembly).step
        if not reuse_fakes:
            _, height, _ = assembly.problem.sample_shape
            steps["tutorial"] = TutorialLoop(
                *_copies(assembly),
                _hyperparameters(assembly),
                count=setup.num_pictures,
                size=height if height != pictures.SIDE else None,
                workers=setup.workers,
            ).step
        steps["engine" + suffix] = EngineLoop(setup.trainer(assembly, "engine" + suffix)).step
    return steps


def _copies(assembly: Assembly) -> tuple[nn.Module, nn.Module]:
    sides = assembly.training.sides
    assert sides.discriminator is not None
    return copy.deepcopy(sides.generator.network), copy.deepcopy(sides.discriminator.network)


def _hyperparameters(assembly: Assembly) -> Hyperparameters:
    config = assembly.config
    adam, half_life = config.generator_optimizer.options, config.ema.half_life
    assert config.generator_optimizer.component.name == "adam"
    assert config.generator_optimizer == config.discriminator_optimizer
    assert isinstance(half_life, Schedule)
    assert isinstance(half_life.to, float)
    assert half_life.until_images
    return Hyperparameters(
        batch_size=config.training.batch_size,
        latent_size=assembly.problem.input_shape[0],
        learning_rate=adam.learning_rate,
        betas=adam.betas,
        epsilon=adam.epsilon,
        half_life=half_life.to,
        ramp_up=half_life.to / half_life.until_images,
        device=assembly.execution.device,
    )


def _best(kind: type[BestLoop], setup: Setup, assembly: Assembly) -> BestLoop:
    side = assembly.problem.sample_shape[-1]
    return kind(
        *_copies(assembly),
        pictures.pictures(setup.num_pictures, side),
        _hyperparameters(assembly),
        reuse_fakes=assembly.config.training.reuse_fakes,
    )


class _Recorder:
    """Stands in for the engine's sampler or batches, and keeps what they gave."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.given: list[Tensor] = []

    def sample(self, n: int, *, generator: torch.Generator, real: Batch | None = None) -> Inputs:
        inputs = self._inner.sample(n, generator=generator, real=real)
        self.given.append(inputs.values)
        return inputs

    def batch(self, number: int) -> Batch:
        batch = self._inner.batch(number)
        self.given.append(batch.samples)
        return batch


class _ReplayedLoop(BestLoop):
    """The hand-written loop on the engine's draws."""

    reals: list[Tensor]
    inputs: list[Tensor]

    def real(self) -> Tensor:
        return self.reals.pop(0)

    def latents(self) -> Tensor:
        return self.inputs.pop(0)


def agreement(setup: Setup, *, reuse_fakes: bool, num_steps: int = 3) -> dict[str, float]:
    """How far engine and hand-written loop are apart after a few steps on the same draws.

    `losses` is the largest difference of a loss, relative to it; `weights` the largest mean
    difference of a network's weights (the average is one), relative to the learning rate, which is
    about what a weight moves by in one step.
    """
    assembly = assemble(setup.config(reuse_fakes=reuse_fakes))
    loop = _best(_ReplayedLoop, setup, assembly)
    assert isinstance(loop, _ReplayedLoop)
    feed = assembly.training.feed
    sampler, batches = _Recorder(feed.sampler), _Recorder(feed.batches)
    recorded: Any = {"sampler": sampler, "batches": batches}
    training = dataclasses.replace(assembly.training, feed=dataclasses.replace(feed, **recorded))
    trainer = setup.trainer(
        dataclasses.replace(assembly, training=training), f"agreement-{reuse_fakes}"
    )
    engine = []
    for _ in range(num_steps):
        trainer.train_step()
        means = trainer.averages.read()
        engine += [means["loss/discriminator"], means["loss/generator"]]
    loop.reals, loop.inputs = batches.given, sampler.given
    best = [float(loss) for _ in range(num_steps) for loss in loop.step()]
    sides = assembly.training.sides
    assert sides.discriminator is not None
    assert sides.ema is not None
    pairs = (
        (sides.generator.network, loop.generator),
        (sides.discriminator.network, loop.discriminator),
        (sides.ema.module, loop.average),
    )
    return {
        "losses": max(abs(a - b) / max(abs(b), 1e-12) for a, b in zip(engine, best, strict=True)),
        "weights": max(_mean_difference(*pair) for pair in pairs) / loop.hyper.learning_rate,
    }


@torch.no_grad()
def _mean_difference(one: nn.Module, other: nn.Module) -> float:
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    differences = torch.cat([(a - b).abs().flatten() for a, b in pairs])
    return float(differences.mean())
