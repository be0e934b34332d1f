"""What the shell is offered: names, runs, packages; quickly, and with nothing heavy loaded."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ganforge.plugin.registry import Registry
from tests.conftest import FakePlugin, generators

CODE = """
import atexit, sys
heavy = {"torch", "torchvision", "numpy", "PIL", "safetensors", "rich"}
atexit.register(lambda: print("HEAVY", sorted(heavy & {*sys.modules}), file=sys.stderr))
from ganforge.cli import main
sys.exit(main())
"""


def completed(words: str, folder: Path, shell: str = "bash") -> list[str]:
    """What comes for the last word; a space at the end begins a new one."""
    number = len(words.split(" ")) - 1
    answer = subprocess.run(
        [sys.executable, "-c", CODE],
        cwd=folder,
        env={
            **os.environ,
            "_GANFORGE_COMPLETE": f"{shell}_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": str(number),
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert answer.stderr == "HEAVY []\n"
    return answer.stdout.split()


@pytest.mark.parametrize(
    ("flag", "kind"),
    [
        ("--generator", "generator"),
        ("--discriminator", "discriminator"),
        ("--loss", "loss"),
        ("--sampler", "sampler"),
        ("--game", "game"),
        ("--augment", "augmentation"),
        ("--metric", "metric"),
        ("--logger", "callback"),
        ("--recipe", "recipe"),
    ],
)
def test_a_flag_of_train_is_completed_to_names(
    flag: str, kind: str, bundled: Registry, tmp_path: Path
) -> None:
    found = completed(f"ganforge --no-plugins train {flag} ", tmp_path)
    assert found == sorted(f"plain,{it.name}" for it in bundled.of_kind(kind))


def test_the_beginning_of_a_name_is_enough(tmp_path: Path) -> None:
    assert completed("ganforge train --generator dcg", tmp_path) == ["plain,dcgan"]
    assert completed("ganforge sample runs/1 --refine t", tmp_path) == ["plain,top-k"]
    assert completed("ganforge show swiss", tmp_path) == ["plain,swiss-roll"]
    assert completed("ganforge exp", tmp_path) == ["plain,export"]
    assert completed("ganforge train --learn", tmp_path) == ["plain,--learning-rate"]


def test_names_of_third_parties_are_completed_too(fake_plugin: FakePlugin, tmp_path: Path) -> None:
    fake_plugin("ganforge-mine", generators("mygan"))
    assert completed("ganforge train --generator myg", tmp_path) == ["plain,mygan"]
    assert completed("ganforge check-plugin ganforge-m", tmp_path) == ["plain,ganforge-mine"]


def test_a_data_set_is_a_name_or_a_path(tmp_path: Path) -> None:
    assert completed("ganforge train --dataset kmn", tmp_path) == ["file,kmn", "plain,kmnist"]


def test_runs_are_found_by_path_and_by_number(tmp_path: Path) -> None:
    for name in ("00001-dcgan", "00002-mlp"):
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / "config.toml").write_text("")
    (tmp_path / "runs" / "no-run").mkdir()
    both = ["plain,runs/00001-dcgan", "plain,runs/00002-mlp"]
    assert completed("ganforge sample ", tmp_path)[-2:] == both
    assert completed("ganforge sample runs/", tmp_path) == ["file,runs/", *both]
    assert completed("ganforge export 00002", tmp_path) == ["file,00002", both[1]]
    assert completed("ganforge train --resume runs/00001", tmp_path)[-1] == both[0]
    assert completed("ganforge compare runs/00001-dcgan runs/", tmp_path)[1:] == both


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_its_script(shell: str, tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", CODE],
        env={
            **os.environ,
            "_GANFORGE_COMPLETE": f"{shell}_source",
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert answer.returncode == 0
    assert f"_GANFORGE_COMPLETE={shell}_complete" in answer.stdout


def test_a_parameter_keeps_its_type_while_it_completes(tmp_path: Path) -> None:
    """Values that were typed before are parsed on the way to the one that is completed."""
    found = completed("ganforge train --steps 3 --resume x --loss hin", tmp_path)
    assert found == ["plain,hinge"]
