"""Advice exists for the run that it is given to, and is not what the run has already."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import replace

import pytest

from ganforge.config.layers import Layer, Names, from_settings
from ganforge.config.resolve import resolve
from ganforge.config.run_config import RunConfig
from ganforge.diagnosis.advice import MOST, advised
from ganforge.diagnosis.findings import Finding
from ganforge.plugin.base_specs import FINDINGS
from ganforge.plugin.registry import Registry

MakeConfig = Callable[..., RunConfig]


@pytest.fixture
def make_config(bundled: Registry) -> MakeConfig:
    def make(*settings: str, **tables: tuple[str, ...]) -> RunConfig:
        named = {"loss": ("nonsat",), **tables}
        chosen = {kind: Names(names) for kind, names in named.items()}
        return resolve([Layer(tables=chosen, whole=True), from_settings(settings)], bundled)

    return make


def advice(name: str, config: RunConfig, registry: Registry) -> tuple[str, ...]:
    return advised(Finding(name=name, step=500, text="it is so"), config, registry).advice


RUNS: dict[str, tuple[list[str], dict[str, tuple[str, ...]]]] = {
    "default": ([], {}),
    "penalised": ([], {"loss": ("hinge", "r1")}),
    "conditional": (["training.conditional=true"], {}),
    "critic": (
        ["training.num_discriminator_steps=5", "generator_optimizer.name=rmsprop"],
        {"loss": ("wasserstein",)},
    ),
    "points": (["dataset.name=ring", "generator.name=mlp"], {}),
    "augmented": ([], {"augmentation": ("ada",)}),
    "scheduled": (["generator_optimizer.learning_rate={from=0.1, to=0.0}"], {}),
    "autoencoder": (
        ["generator.name=autoencoder", "discriminator.name=none"],
        {"loss": ("mse",)},
    ),
}


@pytest.mark.parametrize("finding", FINDINGS)
@pytest.mark.parametrize("run", RUNS)
def test_advice_can_be_typed_and_changes_the_run(
    make_config: MakeConfig, bundled: Registry, finding: str, run: str
) -> None:
    settings, tables = RUNS[run]
    config = make_config(*settings, **tables)
    flags = advice(finding, config, bundled)
    assert len(flags) <= MOST
    assert flags or (run == "autoencoder" and finding not in ("divergence", "memorisation"))
    for flag in flags:
        assert typed(flag, settings, tables, bundled) != config.values()


def typed(
    flag: str, settings: list[str], tables: dict[str, tuple[str, ...]], registry: Registry
) -> object:
    """The configuration of a run with a flag added to its command."""
    words = shlex.split(flag)
    pairs = [*zip(words[::2], words[1::2], strict=True)]
    shortcuts = {"--steps": "training.steps", "--batch-size": "training.batch_size"}
    changed = [value for name, value in pairs if name == "--set"]
    changed += [f"{shortcuts[name]}={value}" for name, value in pairs if name in shortcuts]
    for name, value in pairs:
        if name == "--learning-rate":
            sides = ("generator", "discriminator")
            changed += [f"{side}_optimizer.learning_rate={value}" for side in sides]
    kinds = {"loss": "--loss", "augmentation": "--augment"}
    named = {kind: tuple(v for n, v in pairs if n == option) for kind, option in kinds.items()}
    chosen = {
        "loss": ("nonsat",),
        **tables,
        **{kind: names for kind, names in named.items() if names},
    }
    handled = {"--set", "--learning-rate", *shortcuts, *kinds.values()}
    assert {name for name, _ in pairs} <= handled
    layer = Layer(tables={kind: Names(names) for kind, names in chosen.items()}, whole=True)
    return resolve([layer, from_settings([*settings, *changed])], registry).values()


def test_a_penalty_is_added_beside_the_losses_and_not_where_there_is_one(
    make_config: MakeConfig, bundled: Registry
) -> None:
    assert "--loss nonsat --loss r1" in advice("collapse", make_config(), bundled)
    penalised = advice("collapse", make_config(loss=("nonsat", "r2")), bundled)
    assert not any("--loss" in flag for flag in penalised)


def test_a_saturating_loss_is_replaced(make_config: MakeConfig, bundled: Registry) -> None:
    config = make_config(loss=("minimax", "r1"))
    assert advice("vanishing-gradient", config, bundled)[0] == "--loss r1 --loss nonsat"


def test_a_learning_rate_far_above_the_usual_comes_first(
    make_config: MakeConfig, bundled: Registry
) -> None:
    sides = ("generator", "discriminator")
    both = make_config(*(f"{side}_optimizer.learning_rate=1e6" for side in sides))
    assert advice("divergence", both, bundled)[0] == "--learning-rate 0.001"
    one = make_config("generator_optimizer.learning_rate=0.5")
    wanted = "--set generator_optimizer.learning_rate=0.001"
    assert advice("collapse", one, bundled)[0] == wanted


def test_an_augmentation_of_images_is_not_offered_for_points(
    make_config: MakeConfig, bundled: Registry
) -> None:
    points = make_config("dataset.name=ring", "generator.name=mlp")
    assert "--augment diffaugment" in advice("memorisation", make_config(), bundled)
    assert advice("memorisation", points, bundled) == ("--steps 250",)


def test_a_remedy_of_a_plugin_is_offered_like_the_bundled_ones(
    make_config: MakeConfig, bundled: Registry
) -> None:
    r1 = bundled.find("loss", "r1")
    plugin = replace(r1.plugin, package="ganforge-mine", bundled=False)
    mine = replace(r1, spec=replace(r1.spec, name="mine"), plugin=plugin)
    config = make_config()
    assert advice("collapse", config, [mine])[0] == "--loss nonsat --loss ganforge-mine/mine"
