"""A run that is killed at any moment, and resumed, equals one that was not: to the last bit.

`pytest -m slow tests/faults/test_kills.py` kills a hundred times in training, a hundred times in
writes, and once at each system call of the writes.
"""

from __future__ import annotations

import json
import random
import re
import shutil
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from .comparison import differences, leftovers, sound, state
from .conftest import T
from .processes import Parent, Process, needs, traced

#: 24 MB of state, written after each step: most of the time
HEAVY = (
    "train", "--dataset", "ring", "--generator", "mlp", "--batch-size", "4", "--steps", "25",
    "--device", "cpu", "--set", "generator.hidden=[900,900]",
    "--set", "discriminator.hidden=[900,900]", "--set", "output.checkpoint_every=1",
    "--set", "output.log_every=1", "--set", "output.sample_every=25",
    "--set", "output.grid_samples=16",
)  # fmt: skip
CALLS = ("fsync", "/rename", "write", "fchmod", "unlink")


def session(parent: Parent, folder: Path, arguments: tuple[str, ...], **how: object) -> Process:
    """Start the run, or go on with it where it has begun."""
    begun = (folder / "run" / "config.toml").exists()
    command = ("train", "--resume", "run") if begun else (*arguments, "--out", "run")
    return parent.start(*command, folder=folder, **how)


def finish(parent: Parent, folder: Path, arguments: tuple[str, ...], reference: Path) -> None:
    """Go on to the end, compare, and clear the place for another run."""
    ended = session(parent, folder, arguments).wait()
    assert ended.code == 0, ended.err
    assert differences(reference, folder / "run") == []
    assert leftovers(folder / "run") == []
    assert state(folder / "run") == "finished"
    shutil.rmtree(folder / "run")


def lost_steps(run: Path) -> int:
    """Steps that were logged and are in no checkpoint; whatever is there must be sound."""
    newest = max([0, *sound(run)])
    # The last line may be cut.
    lines = (run / "metrics.jsonl").read_text().split("\n")[:-1] if newest else []
    return max([0, *(json.loads(line)["step"] - newest for line in lines)])


def interrupted_write(run: Path) -> str:
    """What was being written: `generator`, `checkpoint`, another file, or nothing."""
    for path in run.rglob(".tmp-*"):
        header = path.read_bytes()[:20_000]
        for kind in ("generator", "checkpoint"):
            if f'"kind\\": \\"{kind}'.encode() in header:
                return kind
        return "empty" if not header else "other"
    return ""


def killed_at_random(
    parent: Parent, folder: Path, reference: Path, kills: int, seed: int
) -> Counter[str]:
    """Kill T so often, in as many runs as that takes."""
    chooser = random.Random(seed)
    tally: Counter[str] = Counter()
    longest = session(parent, folder, T).wait().seconds
    finish(parent, folder, T, reference)
    while tally["kills"] < kills:
        process = session(parent, folder, T)
        time.sleep(chooser.uniform(0, longest))
        ended = process.kill()
        if ended.code == 0:
            finish(parent, folder, T, reference)
            tally["runs"] += 1
            continue
        assert ended.code == -signal.SIGKILL, ended
        tally["kills"] += 1
        assert lost_steps(folder / "run") <= 5
    finish(parent, folder, T, reference)
    tally["runs"] += 1
    return tally


def killed_in_writes(
    parent: Parent, folder: Path, reference: Path, kills: int, seed: int
) -> Counter[str]:
    """Kill HEAVY while a file of tensors is beside its place, so often."""
    chooser = random.Random(seed)
    tally: Counter[str] = Counter()
    run = folder / "run"
    while sum(tally[kind] for kind in ("generator", "checkpoint", "empty")) < kills:
        process = session(parent, folder, HEAVY)
        time.sleep(chooser.uniform(0, 2))
        where = run / chooser.choice(["", "checkpoints"])
        while not any(where.glob(".tmp-*")) and (where / "..").exists():
            if not Path(f"/proc/{process.pid}/exe").exists():
                break
        time.sleep(chooser.uniform(0, 0.03))
        ended = process.kill()
        if ended.code == 0:
            finish(parent, folder, HEAVY, reference)
            tally["runs"] += 1
            continue
        assert ended.code == -signal.SIGKILL, ended
        if (run / "checkpoints").exists():
            assert lost_steps(run) <= 1
            tally[interrupted_write(run)] += 1
    finish(parent, folder, HEAVY, reference)
    tally["runs"] += 1
    return tally


@pytest.fixture(scope="module")
def heavy_reference(parent: Parent, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("heavy")
    assert parent.run(*HEAVY, "--out", "run", folder=folder).code == 0
    size = (folder / "run/checkpoints/step-00000025.safetensors").stat().st_size
    assert 23e6 < size < 25e6
    return folder / "run"


def test_killed_at_random_moments(parent, reference, tmp_path):
    assert killed_at_random(parent, tmp_path, reference, kills=4, seed=0)["runs"] >= 1


@pytest.mark.slow
def test_a_hundred_kills_in_training(parent, reference, tmp_path):
    tally = killed_at_random(parent, tmp_path, reference, kills=100, seed=1)
    print(dict(tally))
    assert tally["kills"] == 100


@pytest.mark.slow
def test_a_hundred_kills_in_writes(parent, heavy_reference, tmp_path):
    tally = killed_in_writes(parent, tmp_path, heavy_reference, kills=100, seed=2)
    print(dict(tally))
    assert tally["generator"] >= 10
    assert tally["checkpoint"] >= 10


def killed_at_call(parent: Parent, folder: Path, reference: Path, call: str, number: int) -> bool:
    """Kill T before a call of its kind, the how many-th; False where it makes fewer."""
    process = session(parent, folder, T, stopped=True)
    options = ("-e", f"trace={call}", "-e", f"inject={call}:signal=SIGKILL:when={number}")
    with traced(process, folder / "strace.log", *options):
        ended = process.wait()
    if (folder / "run" / "config.toml").exists():
        assert lost_steps(folder / "run") <= 5
    finish(parent, folder, T, reference)
    assert ended.code in (0, -signal.SIGKILL), ended
    return ended.code != 0


@needs("strace")
@pytest.mark.parametrize(("call", "number"), [("fsync", 11), ("/rename", 5)])
def test_killed_before_a_call_of_a_write(parent, reference, tmp_path, call, number):
    assert killed_at_call(parent, tmp_path, reference, call, number)


@needs("strace")
@pytest.mark.slow
@pytest.mark.parametrize("call", CALLS)
def test_killed_before_each_call_of_the_writes(parent, reference, tmp_path, call):
    number = 1
    while killed_at_call(parent, tmp_path, reference, call, number):
        number += 1
    print(call, number - 1)
    assert number > 5


@needs("strace")
def test_a_save_is_flushed_before_it_gets_its_name_and_the_folder_after(parent, tmp_path):
    process = session(parent, tmp_path, T, stopped=True)
    log = tmp_path / "strace.log"
    with traced(process, log, "-e", "trace=fsync,/rename"):
        assert process.wait().code == 0
    saves = saves_in(log.read_text())
    names = {name for name, _ in saves}
    assert {"generator.safetensors", "config.toml", "status.json", "metrics.png"} <= names
    assert {f"step-{step:08d}.safetensors" for step in range(5, 65, 5)} <= names
    wrong = [it for it in saves if it[1] != ["flush file", "rename", "flush folder"]]
    assert wrong == []


def saves_in(log: str) -> list[tuple[str, list[str]]]:
    """The name of each file that was renamed into its place, and the calls around that."""
    calls = re.findall(r"(fsync|rename)\w*\((?:\d+<|\")(.+?)[>\"](.*)\) += 0", log)
    found = []
    for number, (kind, source, rest) in enumerate(calls):
        if kind != "rename":
            continue
        target = Path(rest.split('"')[1])
        events = ["rename"]
        if number and calls[number - 1][:2] == ("fsync", source):
            events.insert(0, "flush file")
        after = calls[number + 1][:2] if number + 1 < len(calls) else ("", "")
        if after == ("fsync", str(Path(source).parent)):
            events.append("flush folder")
        found.append((target.name, events))
    return found
