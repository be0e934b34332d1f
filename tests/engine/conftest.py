"""Small assemblies to train in-process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from ganforge.config.layers import Layer, Names, from_settings
from ganforge.config.resolve import resolve
from ganforge.config.run_config import RunConfig, Selection
from ganforge.engine.assemble import Assembly, assemble
from ganforge.engine.observers import Observer
from ganforge.engine.trainer import Trainer
from ganforge.plugin.discovery import discover
from ganforge.plugin.options import parse
from ganforge.plugin.registry import Registry
from ganforge.plugin.specs import OptimizerSpec
from ganforge.storage.run_directory import RunDirectory

TINY = (
    "generator.name=mlp",
    "generator.hidden=[16]",
    "discriminator.hidden=[16]",
    "sampler.size=4",
    "dataset.size=8",
    "training.batch_size=8",
    "training.steps=6",
    "training.conditional=false",
    "execution.device=cpu",
    "output.grid_samples=4",
)
TINY_DCGAN = (
    "generator.width=2",
    "discriminator.width=2",
    "sampler.size=4",
    "training.batch_size=8",
    "training.steps=6",
    "training.conditional=false",
    "execution.device=cpu",
    "output.grid_samples=4",
)
#: one loss and a constant rate, which a loop written out by hand can follow
PLAIN = tuple(
    f"{side}_optimizer.{setting}"
    for side in ("generator", "discriminator")
    for setting in ("learning_rate=4e-4", "betas=[0.5, 0.999]")
)


class Silent(Observer):
    """Remembers the metrics it is shown."""

    def __init__(self) -> None:
        self.seen: list[dict[str, float]] = []

    def metrics(self, values: Mapping[str, float]) -> None:
        self.seen.append(dict(values))


def trainer_in(path: Path, config: RunConfig) -> Trainer:
    """A trainer for a new run, or for one that is there."""
    run = RunDirectory.open(path) if path.exists() else RunDirectory.create(path)
    run.write_config(config.to_toml())
    run.make_folders()
    observer = Silent()
    trainer = Trainer(assemble(config), run, observer)
    trainer.observer = observer  # type: ignore[attr-defined]
    return trainer


def select_optimizer(registry: Registry, name: str, **options: object) -> Selection:
    """An optimizer as a configuration would choose it, with plain values over its defaults."""
    component = registry.find("optimizer", name)
    assert isinstance(component.spec, OptimizerSpec)
    parsed, complaints = parse(component.spec.options, options)
    assert complaints == {}
    return Selection(component=component, options=parsed)


@pytest.fixture(scope="session")
def registry() -> Registry:
    return discover(third_party=False).registry


@pytest.fixture
def make_config(registry: Registry) -> Callable[..., RunConfig]:
    def make(*settings: str, **tables: tuple[str, ...] | None) -> RunConfig:
        """`losses`, `augmentations`, `metrics` and `callbacks` are names of components.

        Losses come without companions.
        """
        kinds = {
            "losses": "loss",
            "augmentations": "augmentation",
            "metrics": "metric",
            "callbacks": "callback",
        }
        chosen = {kinds[key]: Names(names) for key, names in tables.items() if names}
        first = Layer(tables=chosen, whole=True, companions="loss" in chosen)
        return resolve([first, from_settings(PLAIN), from_settings(settings)], registry)

    return make


@pytest.fixture
def make_assembly(make_config: Callable[..., RunConfig]) -> Callable[..., Assembly]:
    def make(*settings: str, **tables: tuple[str, ...] | None) -> Assembly:
        return assemble(make_config(*TINY, *settings, **tables))

    return make


@pytest.fixture
def make_trainer(make_config: Callable[..., RunConfig], tmp_path: Path) -> Callable[..., Trainer]:
    def make(
        *settings: str,
        base: tuple[str, ...] = TINY,
        name: str = "run",
        **tables: tuple[str, ...] | None,
    ) -> Trainer:
        return trainer_in(tmp_path / name, make_config(*base, *settings, **tables))

    return make
