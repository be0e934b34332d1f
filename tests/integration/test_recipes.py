"""Every recipe: its file, its configuration without torch, and a few steps of a tiny version."""

from __future__ import annotations

import json
import tomllib
from importlib.resources import files

import pytest
import torch

from ganforge.config.recipes import read_recipe
from ganforge.plugin.discovery import discover
from tests.torchvision_files import write_mnist

RECIPES = {it.name: it for it in discover(third_party=False).registry.of_kind("recipe")}

#: option -> what it shrinks to
SMALL = {
    "width": 2,
    "batch_size": 4,
    "num_samples": 20,
    "grid_samples": 4,
    "num_discriminator_steps": 2,
    "keep_checkpoints": 1,
}


def shrunk(tree: dict) -> list[str]:
    """`--set` arguments that make a resolved configuration tiny and change nothing else."""
    settings = []
    for section, table in tree.items():
        for key, value in table.items():
            if key in ("hidden", "widths") and isinstance(value, list):
                value = [4 if key == "widths" else 8] * len(value)
            elif key not in SMALL or value == 1:
                continue
            else:
                value = SMALL[key]
            settings.append(f"--set={section}.{key}={value}")
    return settings


@pytest.fixture
def data(tmp_path):
    """A folder with a little noise in place of MNIST and Fashion-MNIST."""
    for name in ("mnist", "fashion-mnist"):
        write_mnist(tmp_path / "data", name)
    return ("--set", f"dataset.root={tmp_path / 'data'}")


def assert_within(part, whole, where=""):
    for key, value in part.items():
        if isinstance(value, dict):
            assert_within(value, whole[key], f"{where}{key}.")
        else:
            assert whole[key] == value, f"{where}{key}"


def resolved(ganforge, *arguments):
    answer = ganforge("train", *arguments, "--dry-run")
    assert (answer.code, answer.err) == (0, "")
    return tomllib.loads(answer.out)


def test_the_systems_of_the_classic_tutorials_are_there():
    assert set(RECIPES) >= {
        "mlp-mnist",
        "mnist",
        "dcgan32-mnist",
        "dcgan64",
        "wgan",
        "wgan-gp",
        "minimax",
        "nonsat",
        "gaussian-1d",
        "ring",
        "grid",
        "conditional",
        "autoencoder",
        "adversarial-autoencoder",
        "f-divergence",
    }


def test_every_file_belongs_to_a_recipe():
    folder = files("ganforge_recipes").joinpath("recipes")
    assert {it.name.removesuffix(".toml") for it in folder.iterdir()} == set(RECIPES)


@pytest.mark.parametrize("name", RECIPES)
def test_a_file_begins_with_command_description_and_source(name):
    head = read_recipe(RECIPES[name]).split("\n\n")[0].splitlines()
    assert all(line.startswith("#") for line in head)
    assert head[0].startswith(f"# ganforge train --recipe {name}")
    assert any(line.startswith("# Source: ") for line in head)
    assert any(line.startswith("# Expect: ") for line in head)
    assert all(len(line) <= 100 for line in head)


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_resolves_to_what_it_says(name, ganforge):
    """Every value of the file is in the resolved configuration, and flags go over it."""
    said = tomllib.loads(read_recipe(RECIPES[name]))
    found = resolved(ganforge, "--recipe", name)
    assert_within(said, found)
    assert set(found["loss"]) == set(said["loss"])
    over = resolved(ganforge, "--recipe", name, "--steps", "7", "--seed", "5")
    assert over["training"]["steps"] == 7
    assert over["training"]["seed"] == 5
    assert "epochs" not in over["training"]


CUDA = pytest.param(
    "cuda",
    marks=[
        pytest.mark.gpu,
        pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
    ],
)


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("device", ["cpu", CUDA])
def test_a_tiny_version_trains_draws_and_is_sampled_from(name, device, ganforge, data, tmp_path):
    takes_root = "root" in resolved(ganforge, "--recipe", name)["dataset"]
    arguments = ["--recipe", name, *(data if takes_root else ())]
    tree = resolved(ganforge, *arguments)
    small = shrunk(tree)
    run = tmp_path / "run"
    answer = ganforge("train", *arguments, *small, "--steps", 3, "--device", device, "--out", run)
    assert (answer.code, answer.err) == (0, "")
    assert (run / "samples" / "00000003.png").stat().st_size > 100
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert lines[-1]["step"] == 3
    for metric in tree.get("metric", {}):
        assert any(f"metric/{metric}" in key for line in lines for key in line)
    answer = ganforge("sample", run, "--num", 3, "--out", tmp_path / "three.npz")
    assert (answer.code, answer.err) == (0, "")


def test_the_conditional_recipe_takes_other_labelled_sets(ganforge, data, tmp_path):
    arguments = ["--recipe", "conditional", "--dataset", "mnist", "--image-size", 28, *data]
    small = shrunk(resolved(ganforge, *arguments))
    run = tmp_path / "run"
    answer = ganforge("train", *arguments, *small, "--steps", 1, "--device", "cpu", "--out", run)
    assert answer.code == 0
    answer = ganforge("sample", run, "--labels", "3,3,7", "--out", tmp_path / "digits.npz")
    assert answer.code == 0


def test_a_resumed_recipe_needs_no_name(ganforge, tmp_path):
    run = tmp_path / "run"
    small = shrunk(resolved(ganforge, "--recipe", "ring"))
    answer = ganforge("train", "--recipe", "ring", *small, "--steps", 2, "--out", run)
    assert answer.code == 0
    assert ganforge("train", "--resume", run, "--steps", 3).code == 0
    answer = ganforge("train", "--resume", run, "--recipe", "ring")
    assert answer.code == 2
    assert "leave out --out, --overwrite, --config and --recipe" in answer.text


def test_a_run_of_a_recipe_is_named_after_it(ganforge, tmp_path):
    small = shrunk(resolved(ganforge, "--recipe", "ring"))
    answer = ganforge("train", "--recipe", "ring", *small, "--steps", 1)
    assert answer.code == 0
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["00001-ring"]


def test_a_recipe_that_is_not_there_is_an_error(ganforge):
    answer = ganforge("train", "--recipe", "rign")
    assert answer.code == 2
    assert "there is no recipe called 'rign'; did you mean 'ring'?" in answer.text


STRANGER = """
from ganforge import RecipeSpec, hookimpl

@hookimpl
def ganforge_recipes():
    yield RecipeSpec(name="{name}", summary="A stranger's", file="ganforge_stranger:{file}")
"""


def test_a_strangers_recipe_runs_by_name(fake_plugin, ganforge, monkeypatch, tmp_path):
    site = fake_plugin("ganforge-stranger", STRANGER.format(name="odd", file="odd.toml"))
    (site / "odd.toml").write_text("[generator]\nname = 'mlp'\nhidden = [12]\n")
    assert resolved(ganforge, "--recipe", "odd")["generator"]["hidden"] == [12]
    (site / "odd.toml").write_text("[generator]\nname = 'mlp'\nhiden = [12]\n")
    answer = ganforge("train", "--recipe", "odd", "--dry-run")
    assert answer.code == 2
    assert "recipe odd:3: generator.hiden" in answer.text
    (site / "odd.toml").unlink()
    answer = ganforge("train", "--recipe", "odd", "--dry-run")
    assert answer.code == 1
    assert "the recipe 'odd' of ganforge-stranger 1.0 cannot be read" in answer.text
