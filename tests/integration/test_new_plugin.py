"""What `ganforge new-plugin` writes works at once: it trains, passes the kit and its own tests."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

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


@pytest.mark.parametrize("kinds", [*((kind,) for kind in KINDS), tuple(KINDS)], ids="+".join)
def test_the_command_that_is_recommended_trains(
    ganforge: Command, new_plugin: Installed, tmp_path: Path, kinds: tuple[str, ...]
) -> None:
    readme = (new_plugin(*kinds) / "README.md").read_text()
    (line,) = {line for line in readme.splitlines() if line.startswith("ganforge train")} - {
        line for line in readme.splitlines() if line.endswith("--steps 100")
    }
    assert line.split()[2::2] == [f"--{kind}" for kind in kinds]
    answer = ganforge(*line.split()[1:], *FAST, "--out", "run")
    assert (answer.code, answer.err) == (0, "")
    config = tomllib.loads((tmp_path / "run" / "config.toml").read_text())
    for kind in kinds:
        chosen = [*config["loss"]] if kind == "loss" else [config[kind]["name"]]
        assert chosen == [f"{NAME}/tinygan"]


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
