"""Penalties that come with a loss: where a person names losses, or none, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ganforge.config.choosing import DEFAULT
from ganforge.config.layers import Flag, Layer, Names, from_settings, from_text
from ganforge.config.resolve import resolve
from ganforge.config.run_config import RunConfig
from ganforge.errors import ConfigError
from ganforge.plugin.discovery import discover
from ganforge.plugin.specs import LossSpec
from tests.conftest import Command

Configured = Callable[..., RunConfig]


@pytest.fixture
def configured() -> Configured:
    registry = discover(third_party=False).registry

    def make(
        *losses: str, settings: tuple[str, ...] = (), file: str = "", companions: bool = True
    ) -> RunConfig:
        named = Names(losses, Flag("--loss"))
        layers = [from_text(file, "run.toml"), from_settings(settings)]
        layers.append(Layer(tables={"loss": named} if losses else {}, companions=companions))
        return resolve(layers, registry)

    return make


def names(config: RunConfig) -> list[str]:
    return [term.config_name for term in config.losses]


@pytest.mark.parametrize("loss", ["nonsat", "minimax", "bce", "hinge", "lsgan", "rpgan", "kl"])
def test_a_loss_that_is_named_gets_its_companions(configured: Configured, loss: str) -> None:
    config = configured(loss)
    assert names(config) == [loss, "r1", "r2"]
    assert config.companions == ("r1", "r2")
    assert [it.settings.every for it in config.losses] == [1, 4, 4]


def test_what_is_set_of_a_companion_stands_over_what_it_comes_with(configured: Configured) -> None:
    config = configured("hinge", settings=("loss.r1.gamma=2.0", "loss.r2.every=1"))
    r1, r2 = config.losses[1:]
    assert (r1.options.gamma, r1.settings.every) == (2.0, 4)
    assert (r2.options.gamma, r2.settings.every) == (0.3, 1)


@pytest.mark.parametrize(
    ("losses", "expected"),
    [
        (("nonsat", "r1"), ["nonsat", "r1"]),
        (("hinge", "gradient-penalty"), ["hinge", "gradient-penalty"]),
        (("wasserstein",), ["wasserstein"]),
        (("nonsat", "hinge"), ["nonsat", "hinge", "r1", "r2"]),
    ],
)
def test_who_names_a_penalty_gets_no_other(
    configured: Configured, losses: tuple[str, ...], expected: list[str]
) -> None:
    assert names(configured(*losses)) == expected


def test_a_file_that_lists_its_losses_has_no_more(configured: Configured) -> None:
    assert names(configured(file="[loss.nonsat]\n")) == ["nonsat"]
    assert names(configured(file="[training]\nsteps = 5\n")) == ["nonsat", "r1", "r2"]
    assert names(configured("hinge", file="[loss.nonsat]\n")) == ["hinge", "r1", "r2"]


@pytest.mark.parametrize(
    "settings",
    [
        ("discriminator.normalisation=batch",),  # scores of a sample by the whole batch
        ("discriminator.name=none", "generator.name=autoencoder"),
    ],
)
def test_a_discriminator_that_cannot_have_them_does_without(
    configured: Configured, settings: tuple[str, ...]
) -> None:
    losses = ("mse",) if "none" in settings[0] else ("nonsat",)
    assert names(configured(*losses, settings=settings)) == [*losses]


def test_one_switch_leaves_them_out(configured: Configured) -> None:
    assert names(configured("nonsat", companions=False)) == ["nonsat"]
    assert names(configured(companions=False)) == ["nonsat"]
    with pytest.raises(ConfigError) as caught:
        configured(file="[loss.nonsat]\n", companions=False)
    assert str(caught.value.complaints[0]).startswith("--no-companions: has no effect: the losses")


def test_a_run_says_what_came_with_its_loss_and_keeps_it(cli: Command, tmp_path: Path) -> None:
    small = ["--image-size", "8", "--batch-size", "4", "--set", "generator.width=2"]
    small += ["--learning-rate", "1e-3"]  # a run that is made longer warns of a rate that falls
    answer = cli("train", "--loss", "nonsat", *small, "--steps", 1, "--out", "run")
    assert answer.code == 0, answer.err
    assert "nonsat + r1 + r2 (r1 and r2 by default; --no-companions for none)" in answer.out
    assert "; a companion of nonsat" in Path("run/config.toml").read_text()
    again = cli("train", "--resume", "run", "--steps", 2)
    assert again.code == 0, again.err
    assert "nonsat + r1 + r2\n" in again.out


def test_companions_are_options_by_name() -> None:
    with pytest.raises(ValueError, match="companions must give options by name of a loss"):
        LossSpec(name="odd", summary="s", build="odd:odd", companions={"r1": 1})  # type: ignore[dict-item]
    assert DEFAULT.text == "default"
