"""What belongs to the last step of a run is there, however the run ended, and is the same."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from ganforge.engine import trainer
from ganforge.storage import derived, tensor_file
from ganforge.storage.run_directory import Lock, RunDirectory
from tests.conftest import Command

from .conftest import TINY

RUN = (*TINY, "--checkpoint-every", "4", "--sample-every", "4")
BEST = (
    *("--dataset", "ring", "--generator", "mlp", "--set", "generator.hidden=[8]"),
    *("--set", "discriminator.hidden=[8]", "--batch-size", "8", "--device", "cpu"),
    *("--metric", "modes", "--set", "evaluation.best=modes/kl", "--set", "evaluation.every=2"),
    *("--set", "evaluation.num_samples=32", "--set", "output.checkpoint_every=2"),
)
SMALL = (
    *("--generator", "conditional", "--conditional", "--image-size", "8", "--latent-size", "4"),
    *("--batch-size", "8", "--device", "cpu", "--augment", "instance-noise"),
    *("--set", "generator.width=2"),
)


@pytest.fixture
def run(ganforge: Command, tmp_path: Path) -> Path:
    assert ganforge("train", *RUN, "--steps", "10", "--out", "run").code == 0
    return tmp_path / "run"


def contents(run: Path) -> dict[str, bytes]:
    """The files of a run that are the same in every session of it."""
    names = ("config.toml", "generator.safetensors", "best.safetensors")
    files = [run / name for name in names if (run / name).exists()]
    files += [*(run / "checkpoints").iterdir(), *(run / "samples").iterdir()]
    return {str(path.relative_to(run)): path.read_bytes() for path in files}


def older(run: Path) -> None:
    """Put the generator of the checkpoint before the last in the place of the last."""
    found = tensor_file.read(RunDirectory(run).checkpoint(8), "checkpoint")
    derived.write_generators(RunDirectory(run), *found)


def damaged(run: Path) -> None:
    path = run / "generator.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\0")


def gone(run: Path) -> None:
    (run / "generator.safetensors").unlink()


def later(run: Path) -> None:
    """Leave a run with its last checkpoint gone, and all that came from it there."""
    RunDirectory(run).checkpoint(10).unlink()


@pytest.mark.parametrize("spoil", [older, damaged, gone])
def test_a_finished_run_that_is_resumed_has_its_generator_again(
    ganforge: Command, run: Path, spoil
) -> None:
    before = contents(run)
    spoil(run)
    answer = ganforge("train", "--resume", "run")
    assert (answer.code, answer.err) == (0, "")
    assert contents(run) == before
    assert ganforge("sample", "run").code == 0


def test_a_generator_of_a_step_that_was_lost_is_not_left_with_an_older_checkpoint(
    ganforge: Command, run: Path
) -> None:
    before = contents(run)
    later(run)
    answer = ganforge("train", "--resume", "run")
    assert (answer.code, answer.err) == (0, "")
    assert "after step 8 of 10" in answer.out
    assert contents(run) == before


def test_the_pictures_of_the_last_step_are_drawn_again(ganforge: Command, run: Path) -> None:
    before = contents(run)
    for name in ("samples/00000010.png", "samples/real.png", "metrics.png"):
        (run / name).unlink()
    answer = ganforge("train", "--resume", "run")
    assert (answer.code, answer.err) == (0, "")
    assert contents(run) == before
    assert (run / "metrics.png").is_file()


@pytest.mark.parametrize("spoil", [older, gone])
@pytest.mark.parametrize(
    "command",
    [
        ("sample", "run", "--num", "2"),
        ("evaluate", "run", "--metric", "kid", "--features", "identity", "--num", "64"),
        ("export", "run", "--format", "safetensors"),
    ],
    ids=lambda it: it[0],
)
def test_whoever_looks_for_the_generator_has_it_written_from_its_checkpoint(
    ganforge: Command, run: Path, command: tuple[str, ...], spoil
) -> None:
    before = contents(run)
    spoil(run)
    answer = ganforge(*command)
    assert (answer.code, answer.err) == (0, ""), answer.err
    assert contents(run) == before


def test_a_newer_generator_than_the_checkpoints_that_are_left_stays(
    ganforge: Command, run: Path
) -> None:
    later(run)
    before = (run / "generator.safetensors").read_bytes()
    assert ganforge("sample", "run").code == 0
    assert (run / "generator.safetensors").read_bytes() == before


def test_nothing_is_written_beside_a_process_that_trains(ganforge: Command, run: Path) -> None:
    older(run)
    before = (run / "generator.safetensors").read_bytes()
    with Lock(RunDirectory(run)):
        assert ganforge("sample", "run").code == 0
    assert (run / "generator.safetensors").read_bytes() == before


def test_what_cannot_be_written_is_said_and_what_is_there_is_used(
    ganforge: Command, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older(run)

    def refuse(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(tensor_file, "write_atomically", refuse)
        used = ganforge("sample", "run")
        (run / "generator.safetensors").unlink()
        absent = ganforge("sample", "run")
    assert used.code == 0
    assert "generator.safetensors is older than its checkpoint, and cannot be written" in used.text
    assert absent.code == 1
    assert "generator.safetensors is not there, and cannot be written from that" in absent.text
    assert "No space left on device" in absent.text


def test_a_damaged_checkpoint_is_set_aside_and_the_one_before_it_gives_the_generator(
    ganforge: Command, run: Path
) -> None:
    (run / "generator.safetensors").unlink()
    path = RunDirectory(run).checkpoint(10)
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    answer = ganforge("sample", "run")
    assert answer.code == 0
    assert "it is set aside, and the one before is used" in answer.text
    _, document = tensor_file.read(run / "generator.safetensors", "generator")
    assert document["step"] == 8


def test_the_best_generator_comes_back_from_its_own_checkpoint(
    ganforge: Command, tmp_path: Path
) -> None:
    assert ganforge("train", *BEST, "--steps", "8", "--out", "run").code == 0
    run = tmp_path / "run"
    before = contents(run)
    for command in (("sample", "run", "--best"), ("train", "--resume", "run")):
        (run / "best.safetensors").unlink()
        answer = ganforge(*command)
        assert (answer.code, answer.err) == (0, "")
        assert contents(run) == before
    _, best = tensor_file.read(run / "best.safetensors", "generator")
    (run / "best.safetensors").unlink()
    RunDirectory(run).checkpoint(best["best"]["step"]).unlink()
    if best["best"]["step"] != 8:
        lost = ganforge("train", "--resume", "run")
        assert lost.code == 0
        assert "best.safetensors is not that of step" in lost.text


def test_a_run_of_0_1_without_its_generator_says_the_command_that_writes_it(
    ganforge: Command, tmp_path: Path
) -> None:
    kept = Path(__file__).parents[1] / "data" / "written-by-0.1" / "dcgan" / "run"
    shutil.copytree(kept, tmp_path / "run")
    (tmp_path / "run" / "generator.safetensors").unlink()
    refused = ganforge("sample", "run")
    assert refused.code == 1
    assert "`ganforge train --resume run` writes the file" in refused.text
    assert ganforge("train", "--resume", "run", "--device", "cpu").code == 0
    assert ganforge("sample", "run", "--device", "cpu").code == 0


def test_equal_runs_have_equal_files(start, tmp_path: Path) -> None:
    """To the byte, in processes whose sets have another order."""
    files = []
    for seed in ("1", "2"):
        process = start(
            *("train", *SMALL, "--steps", "2", "--out", f"run-{seed}"),
            PYTHONHASHSEED=seed,
        )
        assert process.wait(timeout=120) == 0, process.stderr.read()
        files.append(contents(tmp_path / f"run-{seed}"))
    assert files[0].keys() == files[1].keys()
    assert [name for name in files[0] if files[0][name] != files[1][name]] == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_killed_between_the_last_checkpoint_and_the_generator(
    ganforge: Command, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(run)
    process = os.fork()
    if process == 0:
        written = iter(range(3))

        def die_at_the_last(*contents: Any) -> None:
            if next(written) == 2:
                os._exit(9)
            derived.write_generators(*contents)

        monkeypatch.setattr(trainer, "write_generators", die_at_the_last)
        ganforge("train", *RUN, "--steps", "10", "--out", "killed")
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 9
    killed = Path("killed")
    assert RunDirectory(killed).checkpoint(10).is_file()
    assert contents(killed)["generator.safetensors"] != before["generator.safetensors"]
    assert ganforge("train", "--resume", "killed").code == 0
    assert contents(killed) == before


def test_lines_of_a_run_that_was_killed_before_its_first_checkpoint_stand_once(
    ganforge: Command, tmp_path: Path
) -> None:
    logged = (*RUN, "--steps", "6", "--set", "output.log_every=2")
    assert ganforge("train", *logged, "--out", "run").code == 0
    path = tmp_path / "run" / "metrics.jsonl"
    before = [json.loads(line) for line in path.read_text().splitlines()]
    shutil.rmtree(tmp_path / "run" / "checkpoints")
    assert ganforge("train", "--resume", "run").code == 0
    after = [json.loads(line) for line in path.read_text().splitlines()]
    assert [it["step"] for it in after] == [it["step"] for it in before] == [2, 4, 6]
    assert [it["loss/generator"] for it in after] == [it["loss/generator"] for it in before]
