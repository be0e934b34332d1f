"""`ganforge sweep` before anything starts: what it would do, and what is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ganforge.cli import sweep, train
from tests.conftest import Command


def test_a_dry_run_lists_the_runs_and_writes_nothing(cli: Command) -> None:
    answer = cli("sweep", "--loss", "nonsat,hinge+r1", "--seed", "0,1", "--dry-run", "--jobs", "1")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.splitlines()[1:] == [
        "  loss-nonsat_seed-0",
        "  loss-nonsat_seed-1",
        "  loss-hinge+r1_seed-0",
        "  loss-hinge+r1_seed-1",
    ]
    assert answer.out.startswith("4 runs in sweeps/00001-loss-seed, 1 at once with ")
    assert list(Path().iterdir()) == []


def test_axes_in_a_file(cli: Command) -> None:
    Path("sweep.toml").write_text(
        '[sweep]\nseed = [3, 4]\nloss = ["nonsat", ["hinge", "r1"]]\nloss-x = 1\n'
    )
    answer = cli("sweep", "--config", "sweep.toml", "--dry-run")
    assert answer.code == 2
    assert "sweep.toml: sweep.loss-x: must be a list of values" in answer.err
    Path("sweep.toml").write_text(
        '[generator]\nname = "mlp"\n[sweep]\nseed = [3, 4]\n"generator.hidden" = [[8], [8, 8]]\n'
    )
    answer = cli("sweep", "--config", "sweep.toml", "--dry-run", "--seed", "7")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.splitlines()[1:] == ["  hidden-8", "  hidden-8-8"]
    Path("sweep.toml").write_text(
        '[generator]\nname = "mlp"\nhiden = [3]\n[sweep]\nseed = [3, 4]\n'
    )
    answer = cli("sweep", "--config", "sweep.toml", "--dry-run")
    assert answer.code == 2
    assert answer.err.startswith("Error: sweep.toml:3: generator.hiden of the generator 'mlp'")


def test_every_setting_of_train_can_be_swept_and_nothing_else() -> None:
    theirs = {name for it in train.command.params for name in it.opts}
    ours = {name for it in sweep.command.params for name in it.opts}
    assert theirs - ours == {
        *("--out", "--overwrite"),
        *("--override", "--allow-versions", "--allow-nonfinite"),  # of a resumed run
        "--watchdog",
    }
    assert set(train.SHORTCUTS) <= {it.name for it in sweep.command.params}


MISTAKES = {
    "wrong name": (["--loss", "nonsat,hing"], "--loss: there is no loss called 'hing'; did you"),
    "wrong type": (["--seed", "0,x"], "the run with seed x: Invalid value for '--seed'"),
    "twice": (
        ["--loss", "nonsat", "--loss", "r1"],
        "--loss is given 2 times; write --loss nonsat,r1 for a run with each, or --loss nonsat+r1 "
        "for both in each run",
    ),
    "set twice": (["--set", "training.seed=1", "--set", "training.seed=2"], "is given twice"),
    "ambiguous list": (["--betas", "0.5,0.9"], "could be one list or several values"),
    "one run": (["--loss", "nonsat"], "this is one run, which `ganforge train` trains"),
    "an option without effect": (
        ["--loss", "nonsat,bce", "--set", "loss.bce.label_smoothing=0.1"],
        "the loss 'bce' is not part of this run",
    ),
    "resume and more": (["--resume", "x", "--seed", "1,2"], "leave out --seed"),
    "resume nothing": (["--resume", "x"], "there is no sweep in x: it has no sweep.json"),
    "a name that is a path": (["--seed", "1,2", "--name", "../x"], "must be the name of a folder"),
    "no jobs": (["--seed", "1,2", "--jobs", "0"], "Invalid value for '--jobs'"),
    "absent data": (
        ["--dataset", "mnist", "--set", "dataset.root=absent", "--seed", "1,2"],
        "absent",
    ),
    "absent file": (["--config", "absent.toml", "--seed", "1,2"], "there is no such file"),
}


@pytest.mark.parametrize(("arguments", "message"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes_are_told_before_anything_is_written(
    cli: Command, arguments: list[str], message: str
) -> None:
    answer = cli("sweep", *arguments)
    assert answer.code == 2
    assert message in answer.text
    assert "Traceback" not in answer.err
    assert list(Path().iterdir()) == []


def test_a_path_with_a_comma_is_asked_about(cli: Command) -> None:
    Path("a,b").mkdir()
    answer = cli("sweep", "--dataset", "a,b", "--seed", "0,1", "--dry-run")
    assert answer.code == 2
    assert "is a path and could be several values; put the path in quotes" in answer.err
    answer = cli("sweep", "--dataset", '"a,b"', "--seed", "0,1", "--dry-run")
    assert answer.code == 0


@pytest.mark.parametrize(
    "text", ["{", '{"format": 99}', '{"format": 1, "runs": 3, "axes": {}}', "[]"]
)
def test_a_damaged_manifest_is_an_error(cli: Command, text: str) -> None:
    Path("x").mkdir()
    Path("x/sweep.json").write_text(text)
    answer = cli("sweep", "--resume", "x")
    assert answer.code == 2
    assert len(answer.err.splitlines()) == 1


def test_a_folder_in_which_nothing_has_begun_is_free(cli: Command) -> None:
    arguments = ("sweep", "--seed", "0,1", "--name", "x", "--dry-run")
    Path("sweeps/x").mkdir(parents=True)
    Path("sweeps/x/seed-0.toml").write_text("of a sweep that was killed at once")
    assert cli(*arguments).code == 0
    Path("sweeps/x/thesis.pdf").touch()
    answer = cli(*arguments)
    assert answer.code == 2
    assert "sweeps/x is not empty" in answer.err


def test_a_manifest_with_foreign_paths_is_refused(cli: Command) -> None:
    Path("x").mkdir()
    Path("y.toml").write_text("[training]\n")
    record = {"format": 1, "axes": {}, "runs": [{"name": "../y", "values": {}}]}
    Path("x/sweep.json").write_text(json.dumps(record))
    answer = cli("sweep", "--resume", "x")
    assert answer.code == 2
    assert "is damaged" in answer.err
