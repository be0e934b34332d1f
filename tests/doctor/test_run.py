"""`ganforge doctor RUN`: a healthy run is silent, and each thing that can be wrong is named.

Where a remedy is a command, it is typed, and the run is sound afterwards.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import ganforge
from ganforge.doctor import space
from ganforge.storage import tensor_file
from tests.conftest import Command, FakePlugin
from tests.integration.conftest import TINY

from .conftest import Doctor

OLD = Path(__file__).parents[1] / "data" / "written-by-0.1"
Shell = Callable[[str], None]

NEWEST = Path("r/checkpoints/step-00000012.safetensors")
OLDER = Path("r/checkpoints/step-00000010.safetensors")


def replace(path: Path, pattern: str, new: str) -> None:
    text, count = re.subn(pattern, new, path.read_text(), flags=re.MULTILINE)
    assert count
    path.write_text(text)


def rewrite(path: Path, kind: str, tensors=lambda it: it, **document: object) -> None:
    """The same file with other contents, under checksums that match."""
    stored, found = tensor_file.read(path, kind)
    tensor_file.write(path, kind, tensors(stored), {**found, **document})


def spoilt(tensors):
    name = "generator/layers.0.weight"
    tensors[name].view(-1)[3] = float("nan")
    return tensors


def test_a_healthy_run_is_silent(run: Path, cli: Command) -> None:
    answer = cli("doctor", run)
    assert (answer.code, answer.err) == (0, "")
    lines = answer.out.splitlines()
    assert lines[0] == "The run r:"
    assert lines[-1] == "Nothing is wrong."
    assert re.search(r"checkpoints +sound: steps 12 and 10, [\d.]+ kB", answer.out)
    assert re.search(r"generator +sound, that of step 12", answer.out)
    assert re.search(r"configuration +as in the newest checkpoint", answer.out)


@pytest.mark.parametrize("old", sorted(OLD.glob("*/run")), ids=lambda it: it.parent.name)
def test_runs_of_0_1_are_sound(doctor: Doctor, old: Path) -> None:
    word = doctor(old)
    assert (word.code, word.severities) == (0, {})


def test_python_is_told_the_same(run: Path) -> None:
    assert ganforge.open_run(run).check() == ()
    os.truncate(NEWEST, 1000)
    first, *others = ganforge.open_run(run).check()
    assert (first.name, first.severity) == ("damaged-checkpoint", "error")
    assert {it.name for it in others} == {"stale-generator", "stale-best"}


def test_nothing_is_written(run: Path, doctor: Doctor) -> None:
    def state() -> dict[Path, tuple[int, bytes]]:
        files = [it for it in run.rglob("*") if it.is_file()]
        return {it: (it.stat().st_mtime_ns, it.read_bytes()) for it in files}

    before = state()
    NEWEST.with_name(".tmp-x").touch()
    doctor(run)
    NEWEST.with_name(".tmp-x").unlink()
    assert state() == before


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: os.truncate(path, 1000),
        lambda path: os.truncate(path, 0),
        lambda path: os.truncate(path, path.stat().st_size - 1),
        lambda path: path.write_bytes(path.read_bytes()[:-1] + b"\xff"),
        lambda path: shutil.copy("r/samples/real.png", path),
        lambda path: shutil.copy("r/generator.safetensors", path),
    ],
    ids=["cut", "empty", "short", "flipped", "picture", "generator"],
)
def test_a_damaged_checkpoint_is_named_and_resuming_mends_it(
    run: Path, doctor: Doctor, shell: Shell, damage: Callable[[Path], object]
) -> None:
    damage(NEWEST)
    word = doctor(run)
    assert word.code == 1
    found = word.troubles["damaged-checkpoint"]
    assert str(NEWEST) in found["text"]
    assert found["remedy"] == ("`ganforge train --resume r` sets it aside and goes on from step 10")
    shell(found["remedy"])
    word = doctor(run)
    assert word.severities == {"damaged-files-set-aside": "warning"}
    shell(word.troubles["damaged-files-set-aside"]["remedy"])
    assert doctor(run).troubles == {}


def test_an_older_damaged_checkpoint_is_removed(run: Path, doctor: Doctor, shell: Shell) -> None:
    os.truncate(OLDER, 3000)
    found = doctor(run).troubles["damaged-checkpoint"]
    assert found["remedy"] == f"step 12 is sound and newer: `rm {OLDER}`"
    shell(found["remedy"])
    assert doctor(run).troubles == {}


def test_where_no_checkpoint_is_left_the_generator_is(run: Path, doctor: Doctor) -> None:
    for path in (NEWEST, OLDER):
        os.truncate(path, 100)
    word = doctor(run)
    assert word.code == 1
    remedies = [it["remedy"] for it in word.document["troubles"]]
    assert remedies[0] == (
        "r/generator.safetensors is sound and can be sampled from; no checkpoint is left to go on "
        "from; `ganforge train --config r/config.toml` trains it again"
    )
    assert remedies[1] == ""


def test_a_newer_format_is_no_damage(
    run: Path, doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(tensor_file, "FORMAT_VERSION", 99)
        rewrite(NEWEST, "checkpoint")
    found = doctor(run).troubles["damaged-checkpoint"]
    assert "was made by a newer ganforge (format 99" in found["text"]
    assert found["remedy"] == "`python -m pip install --upgrade ganforge`"


def test_a_checkpoint_under_the_name_of_another_step(run: Path, doctor: Doctor) -> None:
    OLDER.rename(OLDER.with_name("step-00000011.safetensors"))
    found = doctor(run).troubles["checkpoint-of-another-step"]
    assert "step-00000011.safetensors is of step 10, and not" in found["text"]


def test_numbers_that_are_not_finite_are_found_under_checksums_that_match(
    run: Path, doctor: Doctor, shell: Shell
) -> None:
    rewrite(NEWEST, "checkpoint", spoilt)
    word = doctor(run)
    assert word.code == 1
    found = word.troubles["weights-that-are-not-finite"]
    assert found["text"] == (
        f"{NEWEST} holds numbers that are NaN or infinite: 1 in generator/layers.0.weight"
    )
    assert f"go on from step 10, which is finite: `rm {NEWEST}`" in found["remedy"]
    shell(found["remedy"])
    assert doctor(run).troubles == {}


def test_infinity_in_what_no_optimizer_moves_may_be_a_mask(run: Path, doctor: Doctor) -> None:
    def add(tensors, name="generator/mask"):
        return tensors | {name: torch.tensor([0.0, float("-inf")])}

    def spoil(tensors):
        tensors["generator/layers.0.bias"][0] = float("inf")
        return tensors

    rewrite(NEWEST, "checkpoint", add)
    assert doctor(run).troubles == {}
    rewrite(NEWEST, "checkpoint", spoil)
    assert (
        "1 in generator/layers.0.bias"
        in (doctor(run).troubles["weights-that-are-not-finite"]["text"])
    )


def test_a_generator_that_is_missing_or_damaged_is_written_again(
    run: Path, doctor: Doctor, shell: Shell
) -> None:
    generator = run / "generator.safetensors"
    stale = generator.read_bytes()
    generator.unlink()
    assert doctor(run).severities == {"generator-that-is-missing": "warning"}
    generator.write_bytes(stale[:-1])
    found = doctor(run).troubles["damaged-generator"]
    assert found["severity"] == "error"
    assert found["remedy"].startswith("`ganforge train --resume r` writes it again")


def test_a_generator_of_an_older_step_is_told_by_its_checksums(run: Path, doctor: Doctor) -> None:
    tensors, _ = tensor_file.read(OLDER, "checkpoint")
    own = {
        name.replace("ema/", "generator/", 1): it
        for name, it in tensors.items()
        if name.startswith("ema/")
    }
    rewrite(run / "generator.safetensors", "generator", lambda _: own)
    found = doctor(run).troubles["stale-generator"]
    assert found["text"] == (
        "r/generator.safetensors is that of step 10; the newest sound checkpoint is that of step 12"
    )


def test_the_best_generator(run: Path, doctor: Doctor) -> None:
    best = run / "best.safetensors"
    step = json.loads(doctor(run).facts["best"].rpartition(" ")[2])
    sound = best.read_bytes()
    best.write_bytes(sound[:-1])
    assert doctor(run).severities == {"damaged-best": "error"}
    best.unlink()
    found = doctor(run).troubles["best-that-is-missing"]
    assert f"`ganforge sample r/checkpoints/step-{step:08d}.safetensors`" in found["remedy"]
    best.write_bytes(sound)
    rewrite(best, "generator", best={"step": 5, "value": 1.0})
    assert doctor(run).severities == {"stale-best": "warning"}


def test_an_edited_configuration_is_held_against_the_checkpoint(
    run: Path, doctor: Doctor, shell: Shell
) -> None:
    replace(run / "config.toml", r"^seed = 0", "seed = 7")
    replace(run / "config.toml", r"^steps = 12", "steps = 30")
    word = doctor(run)
    assert word.code == 1
    differs = word.troubles["configuration-that-differs"]
    assert differs["text"].endswith("was trained with: training.seed: 0 -> 7")
    changed = word.troubles["configuration-that-was-changed"]
    assert changed["severity"] == "warning"
    assert changed["text"].endswith("since the newest checkpoint: training.steps: 12 -> 30")
    assert differs["remedy"].startswith(
        "`rm r/config.toml`, and `ganforge train --resume r` writes"
    )
    shell(differs["remedy"])
    assert doctor(run).troubles == {}


def test_an_absolute_path_is_no_edit_though_a_checkpoint_has_its_name_alone(
    cli: Command, pictures: Path, doctor: Doctor
) -> None:
    root = Path("fruit").absolute()
    arguments = ("--steps", "2", "--dataset", root, "--conditional", "--out", "absolute")
    assert cli("train", *TINY, *arguments).code == 0
    assert f'root = "{root}"' in Path("absolute/config.toml").read_text()
    word = doctor(Path("absolute"))
    assert word.troubles == {}
    assert word.facts["configuration"] == "as in the newest checkpoint"


@pytest.mark.parametrize("text", [None, "[[[", "\0", "x = 1\n" * 300_000])
def test_a_configuration_that_is_lost_is_in_the_checkpoint(
    run: Path, doctor: Doctor, shell: Shell, text: str | None
) -> None:
    config = run / "config.toml"
    before = config.read_text()
    config.unlink()
    if text is not None:
        config.write_text(text)
    word = doctor(run)
    name = "configuration-that-is-missing" if text is None else "damaged-configuration"
    assert word.severities == {name: "error"}
    shell(word.troubles[name]["remedy"])
    assert config.read_text() == before
    assert doctor(run).troubles == {}


def test_a_killed_run_is_sound_and_can_be_resumed(run: Path, doctor: Doctor, shell: Shell) -> None:
    status = {"state": "running", "step": 12, "pid": 1, "host": socket.gethostname()}
    (run / "status.json").write_text(json.dumps(status))
    word = doctor(run)
    assert (word.code, word.severities) == (0, {"process-that-is-gone": "warning"})
    shell(word.troubles["process-that-is-gone"]["remedy"])
    assert doctor(run).troubles == {}


def test_a_run_that_is_being_trained_is_left_in_peace(run: Path, doctor: Doctor) -> None:
    status = {"state": "running", "step": 12, "pid": os.getpid(), "host": socket.gethostname()}
    (run / "status.json").write_text(json.dumps(status))
    (run / "checkpoints/.tmp-now").touch()
    with (run / "metrics.jsonl").open("a") as file:
        file.write('{"step"')
    (run / "generator.safetensors").unlink()
    descriptor = os.open(run, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        word = doctor(run)
    finally:
        os.close(descriptor)
    assert (word.code, word.troubles) == (0, {})
    assert word.facts["in use"] == (
        f"it is being trained, by process {os.getpid()} on {socket.gethostname()}"
    )


def test_a_finished_run_without_its_last_checkpoint(run: Path, doctor: Doctor) -> None:
    NEWEST.unlink()
    word = doctor(run)
    assert word.code == 1
    assert word.troubles["checkpoint-that-is-missing"]["remedy"] == (
        "`ganforge train --resume r` trains again from step 10"
    )
    shutil.rmtree(run / "checkpoints")
    found = doctor(run).troubles["checkpoint-that-is-missing"]
    assert found["text"] == "the run is finished at step 12, and its newest checkpoint is not there"


def test_what_a_killed_process_left_is_listed(run: Path, doctor: Doctor, shell: Shell) -> None:
    for name in (".tmp-a", "checkpoints/.tmp-b c"):
        (run / name).touch()
    found = doctor(run).troubles["unfinished-files"]
    assert found["remedy"].endswith("`rm r/.tmp-a 'r/checkpoints/.tmp-b c'`")
    shell(found["remedy"].partition(", and so does ")[2])
    assert doctor(run).troubles == {}


def test_metrics_that_are_cut_or_damaged(run: Path, doctor: Doctor) -> None:
    metrics = run / "metrics.jsonl"
    count = len(metrics.read_text().splitlines())
    with metrics.open("a") as file:
        file.write('no line\n[1]\n{"step": 1}\n{"step": 1')
    word = doctor(run)
    assert word.severities == {"metrics-that-are-cut": "warning", "damaged-metrics": "warning"}
    assert word.facts["metrics"] == f"{count + 1} lines"
    assert word.troubles["damaged-metrics"]["text"].endswith(f": {count + 1} and {count + 2}")


def test_plugins_that_are_missing_failed_or_of_another_version(
    cli: Command, doctor: Doctor, run: Path, fake_plugin: FakePlugin
) -> None:
    components = {"generator": {"name": "far-gan/far", "package": "far-gan", "version": "1.4"}}
    rewrite(NEWEST, "checkpoint", components=components)
    found = doctor(run).troubles["plugin-that-is-missing"]
    assert found["remedy"] == "`pip install 'far-gan==1.4'`"
    fake_plugin("far-gan", "raise RuntimeError('broken')", version="1.5")
    word = doctor(run)
    assert word.severities == {
        "plugin-that-failed": "error",
        "plugin-of-another-version": "warning",
    }
    assert "RuntimeError: broken" in word.troubles["plugin-that-failed"]["text"]
    components["generator"]["version"] = "0.9"
    rewrite(NEWEST, "checkpoint", components=components)
    assert doctor(run).severities["plugin-of-another-version"] == "error"


def test_a_command_in_a_remedy_is_never_made_of_a_strange_name(run: Path, doctor: Doctor) -> None:
    components = {"generator": {"package": "x'; rm -rf ~; '", "version": "1"}}
    rewrite(NEWEST, "checkpoint", components=components)
    assert doctor(run).troubles["plugin-that-is-missing"]["remedy"] == "install it"


def test_data_that_is_not_there(run: Path, doctor: Doctor) -> None:
    replace(run / "config.toml", r'^name = "digits"', 'name = "images"\nroot = "gone away"')
    found = doctor(run).troubles["data-that-is-not-there"]
    assert "there is no folder or zip file 'gone away'" in found["text"]
    assert found["remedy"].startswith("`ganforge train --resume r --set dataset.root=PATH`")


def test_data_that_is_not_what_it_was(pictures: Path, doctor: Doctor) -> None:
    word = doctor(pictures)
    assert word.troubles == {}
    assert word.facts["same data"] == "as when it was trained"
    Path("fruit/pear/3.png").rename("fruit/apple/9.png")
    assert (
        "1 file moved (pear/3.png to apple/9.png)"
        in (doctor(pictures).troubles["data-that-differs"]["text"])
    )
    for old, new in (("apple", "x"), ("pear", "apple"), ("x", "pear")):
        Path("fruit", old).rename(Path("fruit", new))
    found = doctor(pictures).troubles["data-that-differs"]
    assert found["severity"] == "error"
    assert "8 of 8 files of 'apple' are 'pear' now" in found["text"]
    (pictures / "data.json").write_text("{")
    assert doctor(pictures).severities == {"record-of-data-that-cannot-be-read": "warning"}


def test_a_configuration_that_does_not_work_here(run: Path, doctor: Doctor) -> None:
    replace(run / "config.toml", r'^name = "digits"', 'name = "far-gan/data"')
    word = doctor(run)
    found = word.troubles["configuration-that-does-not-work"]
    assert "far-gan/data" in found["text"]


def test_a_full_disk_is_known_before_the_next_checkpoint(
    run: Path, doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(run)._replace(free=20_000)
    monkeypatch.setattr(space.shutil, "disk_usage", lambda path: usage)
    found = doctor(run).troubles["disk-that-is-full"]
    assert found["text"].startswith("20 kB are free in r, and the next checkpoint")


def test_sessions_that_differ(run: Path, doctor: Doctor) -> None:
    environment = run / "environment.json"
    document = json.loads(environment.read_text())
    (session,) = document["sessions"]
    document["sessions"].append({**session, "threads": 64, "torch": "2.10.0+cu128"})
    environment.write_text(json.dumps(document))
    word = doctor(run)
    assert (word.code, word.severities) == (
        0,
        {"sessions-that-differ": "warning", "another-torch": "warning"},
    )
    texts = [it["text"] for it in word.document["troubles"]]
    assert any("different numbers of threads" in it and ", 64)" in it for it in texts)
    assert "`python -m pip install 'torch==2.10.0'`" in word.troubles["another-torch"]["remedy"]


RECORDS = ("config.toml", "status.json", "environment.json", "data.json", "metrics.jsonl")
FILES = (
    *RECORDS,
    "evaluations.jsonl",
    "generator.safetensors",
    "best.safetensors",
    str(NEWEST.relative_to("r")),
)
STRANGE = {
    "fifo": os.mkfifo,
    "folder": Path.mkdir,
    "device": lambda path: path.symlink_to("/dev/zero"),
    "nowhere": lambda path: path.symlink_to("nowhere"),
    "sparse": lambda path: (path.touch(), os.truncate(path, 20 * 2**30)),
    "nested": lambda path: path.write_text("[" * 200_000),
}


@pytest.mark.parametrize("make", STRANGE.values(), ids=STRANGE)
def test_strange_things_in_a_run_are_named_at_once(
    run: Path, doctor: Doctor, make: Callable[[Path], object]
) -> None:
    for name in FILES:
        path = run / name
        path.unlink(missing_ok=True)
        make(path)
    started = time.process_time()
    word = doctor(run)
    assert time.process_time() - started < 2
    assert word.code == 1
    assert len(word.troubles) >= 5
    assert not any("could not be examined" in it["text"] for it in word.troubles.values())


def test_a_document_of_wrong_types_is_no_traceback(run: Path, doctor: Doctor) -> None:
    for value in (None, 3, "x", [1], {"a": 1}):
        rewrite(NEWEST, "checkpoint", components=value, config=value, best=value, step=value)
        rewrite(run / "generator.safetensors", "generator", best=value, generator=value)
        (run / "environment.json").write_text(json.dumps({"sessions": [value]}))
        (run / "status.json").write_text(json.dumps({"state": value, "step": value}))
        assert doctor(run).code == 1


def test_a_place_without_a_run_is_a_mistake(cli: Command) -> None:
    Path("empty").mkdir()
    answer = cli("doctor", "empty")
    assert answer.code == 2
    assert "there is no run in empty: it has no config.toml and no checkpoints" in answer.err
    assert cli("doctor", "absent").code == 2
