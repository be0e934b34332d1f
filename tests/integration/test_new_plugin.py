"""What `ganforge new-plugin` writes works at once: it trains, passes the kit and its own tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from PIL import Image

from ganforge.config.run_config import sections_of
from ganforge.templates import KINDS
from tests.conftest import Command

NAME = "ganforge-tinygan"
FAST = ("--image-size", "32", "--batch-size", "4", "--device", "cpu", "--steps", "2")
ROOT = Path(__file__).parents[2]

Installed = Callable[..., Path]


@pytest.fixture
def new_plugin(
    ganforge: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Installed]:
    """Write a plugin with these kinds and install it, by writing what pip would have written."""

    def write(*kinds: str) -> Path:
        answer = ganforge("new-plugin", NAME, *(f"--kind={kind}" for kind in kinds))
        assert (answer.code, answer.err) == (0, "")
        folder = tmp_path / NAME
        project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
        information = tmp_path / "site" / f"ganforge_tinygan-{project['version']}.dist-info"
        information.mkdir(parents=True)
        requires = "".join(f"Requires-Dist: {it}\n" for it in project["dependencies"])
        (information / "METADATA").write_text(
            f"Metadata-Version: 2.4\nName: {NAME}\nVersion: {project['version']}\n{requires}"
        )
        points = project["entry-points"]["ganforge"].items()
        (information / "entry_points.txt").write_text(
            "\n".join(["[ganforge]", *(f"{name} = {module}" for name, module in points)])
        )
        monkeypatch.syspath_prepend(folder)
        monkeypatch.syspath_prepend(information.parent)
        return folder

    yield write
    for name in [name for name in sys.modules if name.partition(".")[0] == "ganforge_tinygan"]:
        del sys.modules[name]


#: each that a command can choose by itself, all that have a flag, and all
CHOICES = [
    *((kind,) for kind, template in KINDS.items() if template.flags),
    tuple(kind for kind in KINDS if kind != "recipe"),
    tuple(KINDS),
]


@pytest.mark.parametrize("kinds", CHOICES, ids="+".join)
def test_the_command_that_is_recommended_trains(
    ganforge: Command, new_plugin: Installed, tmp_path: Path, kinds: tuple[str, ...]
) -> None:
    readme = (new_plugin(*kinds) / "README.md").read_text()
    line, again = [line for line in readme.splitlines() if line.startswith("ganforge train")]
    assert again == f"{line} --steps 100"
    often = ("--set=output.log_every=1", "--set=evaluation.every=1", "--sample-every=1")
    few = ("--set=evaluation.num_samples=8", "--set=output.grid_samples=4")
    answer = ganforge(*line.split()[1:], *FAST, *often, *few, "--out", "run")
    assert (answer.code, answer.err) == (0, "")
    run = tmp_path / "run"
    config = tomllib.loads((run / "config.toml").read_text())
    # What a data set chooses, what makes a configuration, and what is used after training.
    for kind in [it for it in kinds if it not in ("format", "recipe", "refinement")]:
        for section in sections_of(kind, f"{NAME}/tinygan"):
            table, _, name = section.partition(".")
            assert (name in config[table]) if name else config[table]["name"] == f"{NAME}/tinygan"
    if "metric" in kinds:
        line = json.loads((run / "metrics.jsonl").read_text().splitlines()[-1])
        names = ("mean_distance", "std_distance")
        assert {f"metric/{NAME}/tinygan/{name}" for name in names} <= set(line)
    if "callback" in kinds:
        lines = (run / "metrics.txt").read_text().splitlines()
        assert {line.partition(": ")[0] for line in lines} == {"1", "2"}
        assert "loss/generator " in lines[0]
    if {"dataset", "format"} <= set(kinds):
        picture = next((run / "samples").glob("*.png"))
        with Image.open(picture) as image:
            assert image.size == (4 * 36, 36)


def test_what_the_callback_has_written_of_later_steps_is_cut_off(
    new_plugin: Installed, tmp_path: Path
) -> None:
    new_plugin("callback")
    module = import_module("ganforge_tinygan.callback")
    options = import_module("ganforge_tinygan").CallbackOptions()
    file = tmp_path / "metrics.txt"
    for first, last in ((0, 3), (2, 4)):
        callback = module.Lines(None, options)
        callback.started(tmp_path, first, {})
        for step in range(first + 1, last + 1):
            callback.metrics(step, {"step": step, "loss/generator": 10.0 * first + step})
        with file.open("a") as torn:
            torn.write("9")
    assert file.read_text().splitlines() == [
        "1: loss/generator 1",
        "2: loss/generator 2",
        "3: loss/generator 23",
        "4: loss/generator 24",
        "9",
    ]


def test_lion_is_that_of_the_paper(new_plugin: Installed) -> None:
    new_plugin("optimizer")
    options = import_module("ganforge_tinygan").OptimizerOptions
    build = import_module("ganforge_tinygan.optimizer").build
    weight = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
    lion = build([weight], options(learning_rate=0.1, betas=(0.5, 0.75), weight_decay=0.5))
    value, average = torch.tensor([1.0, -2.0]), torch.zeros(2)
    for gradient in (torch.tensor([1.0, -4.0]), torch.tensor([-0.5, -1.0])):
        weight.grad = gradient.clone()
        lion.step()
        # Algorithm 2: c = b1 m + (1 - b1) g; w -= rate (sign(c) + decay w); m = b2 m + (1 - b2) g
        value = value - 0.1 * ((0.5 * average + 0.5 * gradient).sign() + 0.5 * value)
        average = 0.75 * average + 0.25 * gradient
        assert torch.allclose(weight, value)
    assert torch.equal(weight.grad, gradient)


def test_the_portable_pixmap_can_be_read(
    ganforge: Command, new_plugin: Installed, tmp_path: Path
) -> None:
    new_plugin("dataset", "format")
    networks = (
        "--generator",
        "mlp",
        "--set=generator.hidden=[4]",
        "--set=discriminator.hidden=[4]",
    )
    answer = ganforge("train", "--dataset", "tinygan", *networks, *FAST[2:], "--out", "run")
    assert (answer.code, answer.err) == (0, "")
    answer = ganforge("sample", "run", "--num", "3", "--out", "three.ppm")
    assert (answer.code, answer.err) == (0, "")
    with Image.open(tmp_path / "three.ppm") as image:
        assert (image.format, image.mode, image.size) == ("PPM", "RGB", (3 * 36, 36))


def test_the_networks_handle_vectors_too(ganforge: Command, new_plugin: Installed) -> None:
    new_plugin("generator", "discriminator")
    flags = ("--generator", "tinygan", "--dataset", "ring", "--steps", "2", "--device", "cpu")
    answer = ganforge("train", *flags, "--out", "run")
    assert (answer.code, answer.err) == (0, "")


def test_the_plugin_passes_the_kit(ganforge: Command, new_plugin: Installed) -> None:
    new_plugin(*KINDS)
    answer = ganforge("check-plugin", NAME)
    assert (answer.code, answer.err) == (0, "")
    last = answer.out.splitlines()[-1]
    assert f" of {len(KINDS)} components: " in last
    assert " 0 failed" in last


def test_the_tests_of_the_plugin_pass_before_it_is_installed(
    ganforge: Command, tmp_path: Path
) -> None:
    ganforge("new-plugin", NAME, "--kind", "loss", "--kind", "sampler")
    answer = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path / NAME,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert " passed" in answer.stdout.splitlines()[-1]


@pytest.mark.skipif(find_spec("mypy") is None, reason="mypy is not installed")
def test_the_plugin_is_typed(ganforge: Command, tmp_path: Path) -> None:
    ganforge("new-plugin", NAME, *(f"--kind={kind}" for kind in KINDS))
    answer = subprocess.run(
        [sys.executable, "-m", "mypy", "--cache-dir", str(ROOT / ".mypy_cache")],
        cwd=tmp_path / NAME,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
