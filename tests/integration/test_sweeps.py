"""`ganforge sweep` with processes that really run, are really killed, and go on."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors.torch
import torch

from ganforge.sweeps.cluster import TrainingJob
from ganforge.sweeps.folder import SweepFolder
from ganforge.sweeps.local import train_command
from tests.conftest import Command, FakePlugin
from tests.faults.comparison import timeless

from . import fake_slurm
from .conftest import TINY

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes of POSIX")

LONG = ("--steps", "600", "--set", "output.checkpoint_every=20", "--set", "output.log_every=10")
SHORT = ("--steps", "12", "--set", "output.log_every=4")
GRID = ("--loss", "nonsat,hinge", "--seed", "0,1")
NAMES = ("loss-nonsat_seed-0", "loss-nonsat_seed-1", "loss-hinge_seed-0", "loss-hinge_seed-1")


def sweep(*arguments: str, steps: tuple[str, ...] = SHORT) -> list[str]:
    return ["sweep", *TINY, *steps, *arguments]


def wait_for(condition: Callable[[], bool], seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def state(run: Path) -> str | None:
    try:
        return json.loads((run / "status.json").read_text())["state"]
    except (OSError, ValueError):
        return None


def has_logged(run: Path) -> bool:
    path = run / "metrics.jsonl"
    return path.exists() and path.stat().st_size > 0


def assert_same(left: Path, right: Path) -> None:
    ours, theirs = (
        safetensors.torch.load_file(it / "generator.safetensors") for it in (left, right)
    )
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert timeless(left / "metrics.jsonl") == timeless(right / "metrics.jsonl")


def test_a_sweep_trains_every_combination_and_compares(ganforge: Command, tmp_path: Path) -> None:
    answer = ganforge(*sweep(*GRID, "--name", "mine", "--jobs", "2"))
    assert (answer.code, answer.err) == (0, ""), answer
    folder = tmp_path / "sweeps" / "mine"
    assert [state(folder / name) for name in NAMES] == ["finished"] * 4
    manifest = json.loads((folder / "sweep.json").read_text())
    assert manifest["axes"] == {"loss": ["nonsat", "hinge"], "seed": ["0", "1"]}
    assert [run["name"] for run in manifest["runs"]] == [*NAMES]
    assert "4 runs in sweeps/mine, 2 at once with 1 thread each" in answer.out
    table = [line.split() for line in answer.out.splitlines()]
    with_companions = ("+", "r1", "+", "r2", "2", "12")
    assert ["nonsat", *with_companions] in [row[:7] for row in table]
    assert ["hinge", *with_companions] in [row[:7] for row in table]
    environment = json.loads((folder / NAMES[0] / "environment.json").read_text())
    assert environment["sessions"][0]["threads"] == 1

    # A run is what `ganforge train` makes of the same flags.
    alone = ganforge("train", *TINY, *SHORT, "--loss", "hinge", "--seed", "1", "--out", "alone")
    assert alone.code == 0
    assert_same(folder / NAMES[3], tmp_path / "alone")

    # The same command again trains nothing.
    again = ganforge(*sweep(*GRID, "--name", "mine"))
    assert again.code == 0
    assert "4 finished" in again.out
    assert "started" not in again.out

    # More seeds of the same sweep are added to it; what is no more of it is refused.
    more = ganforge(*sweep("--loss", "nonsat,hinge", "--seed", "0,1,2", "--name", "mine"))
    assert more.code == 0
    assert more.out.count("started") == 2
    other = ganforge(*sweep("--loss", "nonsat,hinge", "--seed", "0,3", "--name", "mine"))
    assert other.code == 2
    assert "sweeps/mine holds another sweep" in other.err


@pytest.mark.slow
def test_a_sweep_without_a_name_is_found_again(ganforge: Command, tmp_path: Path) -> None:
    arguments = sweep("--seed", "0,1")
    for _ in range(2):
        assert ganforge(*arguments).code == 0
    assert [it.name for it in (tmp_path / "sweeps").iterdir()] == ["00001-seed"]
    assert ganforge(*sweep("--seed", "0,2")).code == 0
    names = sorted(it.name for it in (tmp_path / "sweeps").iterdir())
    assert names == ["00001-seed", "00002-seed"]


def test_killed_in_the_middle_it_goes_on_and_ends_as_if_it_had_not(
    start: Callable, ganforge: Command, tmp_path: Path
) -> None:
    folder = tmp_path / "sweeps" / "killed"
    process = start(*sweep("--seed", "0,1,2", "--name", "killed", "--jobs", "1", steps=LONG))
    wait_for(lambda: has_logged(folder / "seed-1"))
    process.kill()
    # Its run dies with it here, as it would with the machine.
    os.kill(json.loads((folder / "seed-1/status.json").read_text())["pid"], signal.SIGKILL)
    process.wait()
    wait_for(lambda: not _lives(folder / "seed-1"))
    first = (folder / "seed-0/generator.safetensors").stat().st_mtime_ns
    assert state(folder / "seed-0") == "finished"
    assert state(folder / "seed-1") == "running"
    assert not (folder / "seed-2").exists()

    answer = ganforge("sweep", "--resume", "sweeps/killed")
    assert (answer.code, answer.err) == (0, "")
    assert "3 runs in sweeps/killed" in answer.out
    assert "1 finished" in answer.out
    assert "resumed  seed-1" in answer.out
    assert (folder / "seed-0/generator.safetensors").stat().st_mtime_ns == first
    for seed in (0, 1, 2):
        alone = ("--seed", str(seed), "--out", f"alone-{seed}")
        assert ganforge("train", *TINY, *LONG, *alone).code == 0
        assert_same(folder / f"seed-{seed}", tmp_path / f"alone-{seed}")
    ours, theirs = (
        ganforge("compare", *paths, "--format", "json").out
        for paths in (["sweeps/killed"], ["alone-0", "alone-1", "alone-2"])
    )
    assert _means(ours) == _means(theirs)


def _means(text: str) -> list[object]:
    groups = json.loads(text)["groups"]
    return [[(it["mean"], it["std"]) for it in group["metrics"].values()] for group in groups]


def _lives(run: Path) -> bool:
    try:
        os.kill(json.loads((run / "status.json").read_text())["pid"], 0)
    except ProcessLookupError:
        return False
    return True


def test_runs_that_outlive_a_killed_sweep_are_followed(
    start: Callable, ganforge: Command, tmp_path: Path
) -> None:
    folder = tmp_path / "sweeps" / "orphans"
    arguments = sweep("--seed", "0,1", "--name", "orphans", "--jobs", "1", steps=LONG)
    process = start(*arguments)
    wait_for(lambda: has_logged(folder / "seed-0"))
    process.kill()
    process.wait()
    answer = ganforge(*arguments)
    assert (answer.code, answer.err) == (0, "")
    assert "followed  seed-0" in answer.out
    assert len(json.loads((folder / "seed-0/environment.json").read_text())["sessions"]) == 1
    assert [state(folder / f"seed-{it}") for it in (0, 1)] == ["finished"] * 2


@pytest.mark.parametrize(
    ("number", "code"),
    [pytest.param(signal.SIGINT, 130, marks=pytest.mark.slow), (signal.SIGTERM, 143)],
)
def test_a_signal_saves_every_run(
    start: Callable, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    folder = tmp_path / "sweeps" / "stopped"
    endless = ("--steps", "1000000", "--set", "output.log_every=5")
    process = start(*sweep("--seed", "0,1,2", "--name", "stopped", "--jobs", "2", steps=endless))
    wait_for(lambda: has_logged(folder / "seed-0") and has_logged(folder / "seed-1"))
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (code, "")
    for name in ("seed-0", "seed-1"):
        assert state(folder / name) == "interrupted"
        assert list((folder / name / "checkpoints").glob("*.safetensors"))
    assert not (folder / "seed-2").exists()
    assert "3 runs are not finished; this goes on with the sweep:" in out
    assert "ganforge sweep --resume sweeps/stopped" in out


def test_one_that_fails_is_reported_and_tried_again(ganforge: Command, tmp_path: Path) -> None:
    rates = ("--learning-rate", "0.001,1e30", "--seed", "0,1", "--loss", "lsgan")
    arguments = sweep(*rates, "--name", "failing")
    answer = ganforge(*arguments)
    assert answer.code == 1
    errors = answer.err.splitlines()
    assert len(errors) == 2
    assert errors[0].startswith("Error: learning-rate-1e30_seed-0 failed: ")
    assert "finite" in errors[0]
    assert "(sweeps/failing/learning-rate-1e30_seed-0.log)" in errors[0]
    assert "2 runs are not finished" in answer.out
    assert answer.out.count("finished  learning-rate-0.001") == 2
    again = ganforge(*arguments)
    assert again.code == 1
    assert "2 finished" in again.out
    assert again.err.splitlines() == errors


MINE = """
from ganforge import LossSpec, hookimpl

@hookimpl
def ganforge_losses():
    yield LossSpec(name="mine", summary="Least squares", build="ganforge_mine:build")

def build(problem, options):
    from ganforge import ScoreLoss

    class LeastSquares(ScoreLoss):
        def discriminator(self, real_scores, fake_scores):
            return (real_scores - 1).square().mean() + fake_scores.square().mean()

        def generator(self, fake_scores):
            return (fake_scores - 1).square().mean()

    return LeastSquares()
"""


def test_a_component_of_somebody_else_is_swept_listed_and_compared(
    ganforge: Command, fake_plugin: FakePlugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_plugin("ganforge-mine", MINE)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    answer = ganforge(*sweep("--loss", "nonsat,mine", "--name", "theirs"))
    assert (answer.code, answer.err) == (0, ""), answer
    assert "ganforge-mine/mine" in answer.out
    listed = json.loads(ganforge("runs", "sweeps/theirs", "--json").out)["runs"]
    assert [(run["loss"], run["state"]) for run in listed] == [
        ("mine", "finished"),
        ("nonsat+r1+r2", "finished"),
    ]


def test_two_sweeps_in_one_folder_are_refused(
    start: Callable, ganforge: Command, tmp_path: Path
) -> None:
    arguments = sweep("--seed", "0,1", "--name", "busy", steps=("--steps", "1000000"))
    process = start(*arguments)
    wait_for(lambda: has_logged(tmp_path / "sweeps/busy/seed-0"))
    answer = ganforge(*arguments)
    assert answer.code == 2
    assert "another process is at work on the sweep in sweeps/busy" in answer.err
    process.terminate()
    process.communicate(timeout=60)


# submitit's debug executor leaves the files of its logs open.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("cluster", [pytest.param("local", marks=pytest.mark.slow), "debug"])
def test_each_run_as_a_job(ganforge: Command, tmp_path: Path, cluster: str) -> None:
    pytest.importorskip("submitit", reason="needs ganforge[cluster]")
    arguments = ("--cluster", cluster, "--job", "timeout_min=5", "--threads", "1")
    answer = ganforge(*sweep("--seed", "0,1", "--name", "jobs", *arguments))
    assert (answer.code, answer.err) == (0, ""), answer
    assert "2 runs in sweeps/jobs, 2 at once with 1 thread each" in answer.out
    folder = tmp_path / "sweeps" / "jobs"
    assert [state(folder / f"seed-{it}") for it in (0, 1)] == ["finished"] * 2
    assert json.loads((folder / "seed-0.job").read_text())["cluster"] == cluster
    assert list((folder / "jobs").glob("*")) or cluster == "debug"
    again = ganforge("sweep", "--resume", "sweeps/jobs")
    assert again.code == 0
    assert "2 finished" in again.out


def test_a_job_that_is_about_to_be_ended_saves_and_is_queued_again(
    ganforge: Command, tmp_path: Path
) -> None:
    pytest.importorskip("submitit", reason="needs ganforge[cluster]")
    endless = ("--steps", "1000000", "--set", "output.log_every=5")
    dry = ganforge(*sweep("--seed", "0,1", "--name", "jobs", "--dry-run", steps=endless))
    assert dry.code == 0
    config = ganforge("train", *TINY, *endless, "--dry-run").out
    (tmp_path / "seed-0.toml").write_text(config)
    job = TrainingJob(tmp_path, "seed-0", (), 1)
    waiting = threading.Thread(target=job)
    waiting.start()
    wait_for(lambda: has_logged(tmp_path / "seed-0"))
    queued = job.checkpoint()
    waiting.join(timeout=60)
    assert not waiting.is_alive()
    assert state(tmp_path / "seed-0") == "terminated"
    again = queued.function
    assert again._arguments == job._arguments
    command = train_command(SweepFolder(tmp_path), "seed-0", ())
    assert command[-2:] == ["--resume", str(tmp_path / "seed-0")]


@pytest.mark.slow
def test_jobs_in_a_queue_are_followed_by_the_sweep_that_comes_next(
    start: Callable, ganforge: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("submitit", reason="needs ganforge[cluster]")
    fake_slurm.write(tmp_path / "slurm")
    (tmp_path / "slurm" / "full").touch()
    monkeypatch.setenv("PATH", f"{tmp_path / 'slurm'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    queue = ("--cluster", "slurm", "--job", "slurm_partition=gpu", "--threads", "1")
    process = start(*sweep("--seed", "0,1", "--name", "queued", *queue))
    folder = tmp_path / "sweeps" / "queued"
    wait_for(lambda: (folder / "seed-1.job").exists())
    process.kill()
    process.wait()
    assert not (folder / "seed-0").exists()
    (tmp_path / "slurm" / "full").unlink()
    answer = ganforge("sweep", "--resume", "sweeps/queued", *queue)
    assert (answer.code, answer.err) == (0, ""), answer
    assert "followed  seed-0" in answer.out
    assert "followed  seed-1" in answer.out
    assert [state(folder / f"seed-{it}") for it in (0, 1)] == ["finished"] * 2
    assert len(list((tmp_path / "slurm" / "state").iterdir())) == 2
    script, *_ = (folder / "jobs").glob("*.sh")
    assert "#SBATCH --partition=gpu" in script.read_text()


SEARCH = (
    *("--search", "learning-rate=1e-4..1e-2:log", "--search", "loss=nonsat,hinge"),
    *("--objective", "high_quality", "--generator", "mlp", "--dataset", "ring"),
    *("--latent-size", "2", "--metric", "modes", "--device", "cpu", "--jobs", "1"),
    *("--set", "evaluation.num_samples=50", "--set", "output.checkpoint_every=20"),
)


def trials(folder: Path) -> list[dict[str, object]]:
    """The settings of every trial that differ between them."""
    found = []
    for path in sorted(folder.glob("trial-*.toml")):
        settings = tomllib.loads(path.read_text())
        found.append({**settings["generator_optimizer"], "loss": sorted(settings["loss"])})
    return found


@pytest.mark.slow  # a minute; that of a sweep is tried each time
def test_a_search_that_is_killed_makes_the_trials_of_one_that_was_not(
    start: Callable, ganforge: Command, tmp_path: Path
) -> None:
    pytest.importorskip("optuna", reason="needs ganforge[search]")
    with_steps = ("sweep", *SEARCH, "--steps", "400", "--trials", "3")
    process = start(*with_steps, "--name", "killed")
    folder = tmp_path / "sweeps" / "killed"
    wait_for(lambda: has_logged(folder / "trial-001"))
    process.kill()
    os.kill(json.loads((folder / "trial-001/status.json").read_text())["pid"], signal.SIGKILL)
    process.wait()
    wait_for(lambda: not _lives(folder / "trial-001"))
    answer = ganforge("sweep", "--resume", "sweeps/killed", "--jobs", "1")
    assert (answer.code, answer.err) == (0, "")
    assert "resumed  trial-001" in answer.out
    assert "Best: trial-00" in answer.out
    whole = ganforge(*with_steps, "--name", "whole")
    assert whole.code == 0
    assert trials(folder) == trials(tmp_path / "sweeps" / "whole")
    assert len(trials(folder)) == 3
    best = [line for line in answer.out.splitlines() if line.startswith("Best: ")]
    assert best == [line for line in whole.out.splitlines() if line.startswith("Best: ")]
    again = ganforge(*with_steps, "--name", "killed")
    assert again.code == 0
    assert "started" not in again.out
