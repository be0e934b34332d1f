"""A run that is killed, at any moment, and resumed equals one that was not: to the last bit."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .conftest import TINY

DRIVER = Path(__file__).with_name("forked_runs.py")

needs_usr1 = pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="needs SIGUSR1")
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")


def die(folder: Path, mode: str, count: int, seed: int = 0) -> dict:
    environ = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    answer = subprocess.run(
        [sys.executable, str(DRIVER), str(folder), mode, str(count), str(seed)],
        env=environ,
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def assert_unharmed(result: dict) -> None:
    assert result["differences"] == []
    assert result["leftovers"] == []
    assert result["codes"][-1] == 0
    assert result["state"] == "finished"


def test_killed_at_random_moments(tmp_path):
    result = die(tmp_path, "kill", 6)
    assert_unharmed(result)
    assert -signal.SIGKILL in result["codes"]


def test_killed_at_each_call_of_the_writes(tmp_path):
    """Among the calls are those of the configuration, the checkpoints and the pictures."""
    result = die(tmp_path, "syscall", 24)
    assert_unharmed(result)
    assert result["codes"].count(-signal.SIGKILL) >= 20


def test_asked_to_stop_at_random_moments(tmp_path):
    result = die(tmp_path, "signal", 5)
    assert_unharmed(result)
    assert set(result["codes"]) <= {0, 130, 143}
    assert len(set(result["codes"])) > 1


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["kill", "syscall", "signal"])
def test_a_hundred_deaths(tmp_path, mode):
    assert_unharmed(die(tmp_path, mode, 100, seed=1))


@pytest.mark.parametrize(
    ("number", "code", "state"),
    [
        (signal.SIGTERM, 143, "terminated"),
        (signal.SIGINT, 130, "interrupted"),
        (signal.SIGHUP, 143, "terminated"),
        pytest.param("SIGUSR1", 143, "preempted", marks=needs_usr1),
    ],
)
def test_a_signal_ends_in_a_checkpoint_and_its_own_exit_code(start, tmp_path, number, code, state):
    typed = ("train", *TINY, "--steps", "1000000", "--out", "run")
    process = start(*typed, GANFORGE_PREEMPT_SIGNAL="USR1")
    metrics = tmp_path / "run" / "metrics.jsonl"
    deadline = time.monotonic() + 120
    while not metrics.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(getattr(signal, number) if isinstance(number, str) else number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert err == ""
    assert "a checkpoint is written" in out
    assert "ganforge train --resume run" in out
    status = json.loads((tmp_path / "run" / "status.json").read_text())
    assert status["state"] == state
    assert (tmp_path / f"run/checkpoints/step-{status['step']:08d}.safetensors").exists()
