"""A run that is asked to stop saves first, ends with its own code, and goes on as if it had not.

`pytest -m slow tests/faults/test_signals.py` asks fifty times.
"""

from __future__ import annotations

import json
import random
import shutil
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from .comparison import differences, leftovers, sound, state
from .conftest import T
from .processes import Parent, needs, traced

STATES = {130: "interrupted", 143: "terminated"}
#: steps of half a second or more
SLOW = (
    *T, "--set", "generator.hidden=[512]", "--batch-size", "30000",
    "--set", "evaluation.every=1000",
)  # fmt: skip


def asked_to_stop(
    parent: Parent, folder: Path, reference: Path, times: int, seed: int
) -> Counter[int]:
    """Ask T so often, at random moments, in as many runs as that takes; the codes that it gave."""
    chooser = random.Random(seed)
    codes: Counter[int] = Counter()
    longest = parent.run(*T, "--out", "other", folder=folder).seconds
    run = folder / "run"
    while codes.total() - codes[0] < times:
        begun = (run / "config.toml").exists()
        command = ("train", "--resume", "run") if begun else (*T, "--out", "run")
        process = parent.start(*command, folder=folder)
        time.sleep(chooser.uniform(0.05, longest))
        process.signal(chooser.choice([signal.SIGTERM, signal.SIGTERM, signal.SIGINT]))
        ended = process.wait()
        # One that was asked before it had begun to listen has ended as any program does.
        code = 128 + signal.SIGTERM if ended.code == -signal.SIGTERM else ended.code
        codes[code] += 1
        assert code in (0, *STATES), ended
        assert "Traceback" not in ended.err
        if run.exists():
            assert leftovers(run) == []
        if ended.code == 0:
            assert differences(reference, run) == []
            shutil.rmtree(run)
        elif "a checkpoint is written" in ended.out:
            status = json.loads((run / "status.json").read_text())
            assert status["state"] == STATES[code]
            assert sound(run)[0] == status["step"]
    if (run / "config.toml").exists():
        assert parent.run("train", "--resume", "run", folder=folder).code == 0
        assert differences(reference, run) == []
    return codes


def test_asked_at_random_moments(parent, reference, tmp_path):
    codes = asked_to_stop(parent, tmp_path, reference, times=3, seed=0)
    assert codes[130] + codes[143] == 3


@pytest.mark.slow
def test_asked_fifty_times(parent, reference, tmp_path):
    codes = asked_to_stop(parent, tmp_path, reference, times=50, seed=1)
    print(dict(codes))
    assert codes[130] + codes[143] == 50


def test_interrupted_twice_it_stops_within_a_second(parent, tmp_path):
    run = tmp_path / "run"
    process = parent.start(*SLOW, "--out", "run", folder=tmp_path)
    process.until((run / "checkpoints/step-00000005.safetensors").exists)
    before = {path.name: path.read_bytes() for path in (run / "checkpoints").glob("step-*")}
    process.signal(signal.SIGINT)
    time.sleep(0.02)
    process.signal(signal.SIGINT)
    asked = time.monotonic()
    ended = process.wait()
    assert time.monotonic() - asked < 5  # a second on a machine without other work
    assert ended.code == 130
    assert "Traceback" not in ended.err
    assert leftovers(run) == []
    sound(run)
    for name, body in before.items():
        assert (run / "checkpoints" / name).read_bytes() == body


@needs("strace")
def test_terminated_while_it_saves_it_finishes_the_save(parent, reference, tmp_path):
    run = tmp_path / "run"
    process = parent.start(*T, "--out", "run", folder=tmp_path, stopped=True)
    # Each flush takes a while; the checkpoint is beside its place when the signal comes.
    slowly = ("-e", "trace=fsync", "-e", "inject=fsync:delay_enter=150000")
    with traced(process, tmp_path / "strace.log", *slowly):
        process.until(lambda: any((run / "checkpoints").glob(".tmp-*")))
        process.signal(signal.SIGTERM)
        ended = process.wait()
    assert ended.code == 143
    assert "a checkpoint is written" in ended.out
    assert leftovers(run) == []
    assert state(run) == "terminated"
    assert 5 in sound(run)
    assert parent.run("train", "--resume", "run", folder=tmp_path).code == 0
    assert differences(reference, run) == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_it_says_that_it_has_saved_and_how_to_go_on(parent, tmp_path, number, code):
    run = tmp_path / "run"
    process = parent.start(*T, "--steps", "100000000", "--out", "run", folder=tmp_path)
    process.until(lambda: (run / "metrics.jsonl").exists())
    process.signal(number)
    ended = process.wait()
    assert (ended.code, ended.err) == (code, "")
    assert "a checkpoint is written" in ended.out
    assert "ganforge train --resume run" in ended.out
    status = json.loads((run / "status.json").read_text())
    assert status["state"] == STATES[code]
    assert sound(run)[0] == status["step"]
