"""A run is replaced when it is asked for, when its successor works, and by nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ganforge.storage.run_directory import Lock, RunDirectory
from tests.conftest import Command, FakePlugin

from .conftest import TINY

NEW = ("train", *TINY, "--steps", "3", "--out", "run")


@pytest.fixture
def run(ganforge: Command, tmp_path: Path) -> Path:
    assert ganforge("train", *TINY, "--steps", "2", "--seed", "1", "--out", "run").code == 0
    assert ganforge("sample", "run").code == 0
    (tmp_path / "run" / "notes.txt").write_text("mine")
    (tmp_path / "run" / "samples" / "mine.png").write_text("mine")
    return tmp_path / "run"


def files(run: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}


def test_a_run_is_replaced_whole_and_what_is_not_its_own_stays(
    ganforge: Command, run: Path
) -> None:
    assert ganforge(*NEW, "--overwrite").code == 0
    names = {path.relative_to(run).as_posix() for path in files(run)}
    assert names == {
        *("config.toml", "environment.json", "data.json", "status.json"),
        *("metrics.jsonl", "metrics.png"),
        *("generator.safetensors", "checkpoints/step-00000003.safetensors"),
        *("samples/00000000.png", "samples/00000003.png", "samples/real.png"),
        *("notes.txt", "samples/mine.png"),
    }
    assert len(json.loads((run / "environment.json").read_text())["sessions"]) == 1
    ganforge("train", *TINY, "--steps", "3", "--out", "fresh")
    fresh = (run.parent / "fresh" / "generator.safetensors").read_bytes()
    assert (run / "generator.safetensors").read_bytes() == fresh


LOSS = """
from ganforge import LossSpec, hookimpl

@hookimpl
def ganforge_losses():
    yield LossSpec(name="broken", summary="s", build="ganforge_broken:build")

def build(problem, options):
    raise RuntimeError("no such thing")
"""


@pytest.mark.parametrize(
    ("flags", "code"),
    [
        (("--loss", "nonsta"), 2),
        (("--set", "training.batch_size=0"), 2),
        (("--dataset", "absent/folder"), 2),
        (("--loss", "broken"), 1),  # which is noticed when all else is built
    ],
)
def test_nothing_is_lost_where_the_new_run_cannot_begin(
    ganforge: Command, run: Path, fake_plugin: FakePlugin, flags: tuple[str, ...], code: int
) -> None:
    fake_plugin("ganforge-broken", LOSS)
    before = files(run)
    answer = ganforge(*NEW, "--overwrite", *flags)
    assert answer.code == code, answer.err
    assert files(run) == before


def test_a_run_that_another_process_is_in_is_left_and_the_process_named(
    ganforge: Command, run: Path
) -> None:
    before = files(run)
    status = json.loads((run / "status.json").read_text())
    with Lock(RunDirectory(run)):
        answers = [ganforge(*NEW, *flags) for flags in ((), ("--overwrite",))]
        answers.append(ganforge("train", "--resume", "run", "--steps", "4"))
    for answer in answers:
        assert answer.code == 1
        assert (
            f"another process is training in run: process {status['pid']} on {status['host']}"
            in answer.text
        )
    assert files(run) == before


def test_a_folder_that_holds_no_run_is_never_overwritten(ganforge: Command, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.tex").write_text("mine")
    answer = ganforge(*NEW, "--overwrite")
    assert answer.code == 2
    assert "run is not empty and holds no run that could be overwritten" in answer.text
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["thesis.tex"]


def test_where_there_is_nothing_yet_overwriting_is_beginning(
    ganforge: Command, tmp_path: Path
) -> None:
    assert ganforge(*NEW, "--overwrite").code == 0
    assert (tmp_path / "run" / "generator.safetensors").is_file()
