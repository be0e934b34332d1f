"""The watchdog: what blocks is named, what was done is kept, and the command ends."""

from __future__ import annotations

import json
import multiprocessing
import os
import threading
import time
from pathlib import Path

import pytest

from ganforge.engine import watchdog
from ganforge.engine.watchdog import Stalled, Watchdog
from tests.conftest import Command, FakePlugin

SECONDS = 3  # more than anything of a tiny run takes, on a busy machine
TINY = (
    *("train", "--generator", "mlp", "--latent-size", "4", "--batch-size", "8", "--device", "cpu"),
    *("--set", "generator.hidden=[8]", "--set", "discriminator.hidden=[8]", "--out", "run"),
    *("--set", "output.grid_samples=4", "--watchdog", str(SECONDS)),
)
PLUGIN = """
import os, time

if os.environ.get("BLOCKS") == "import":
    time.sleep(1e6)

import torch

from ganforge import DatasetSpec, Field, LossSpec, MapDataset, ScoreLoss, hookimpl

@hookimpl
def ganforge_losses():
    if os.environ.get("BLOCKS") == "hook":
        time.sleep(1e6)
    yield LossSpec(name="blocking", summary="s", build="ganforge_blocking:Blocking")

@hookimpl
def ganforge_datasets():
    yield DatasetSpec(name="stuck", summary="s", build="ganforge_blocking:stuck",
        fields=lambda options: {"sample": Field(kind="vector", shape=(2,))})

class Blocking(ScoreLoss):
    def __init__(self, problem, options):
        super().__init__()
        self.calls = 0

    def discriminator(self, real_scores, fake_scores):
        self.calls += 1
        if self.calls == 5 and os.environ.get("BLOCKS") == "step":
            time.sleep(1e6)
        return (real_scores - 1).square().mean() + fake_scores.square().mean()

    def generator(self, fake_scores):
        return (fake_scores - 1).square().mean()

def stuck(problem, options):
    class Stuck(MapDataset):
        def __len__(self):
            return 64

        def __getitem__(self, index):
            if index == 5 and torch.utils.data.get_worker_info() is not None:
                time.sleep(1e6)
            return {"sample": torch.zeros(2)}

    return Stuck()
"""


@pytest.fixture
def blocking(fake_plugin: FakePlugin, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    fake_plugin("ganforge-blocking", PLUGIN)
    return monkeypatch


def status() -> dict[str, object]:
    found: dict[str, object] = json.loads(Path("run/status.json").read_text())
    return found


@pytest.mark.parametrize(("place", "name"), [("import", "<module>"), ("hook", "ganforge_losses")])
def test_a_plugin_that_blocks_when_it_is_loaded_is_named(
    cli: Command, blocking: pytest.MonkeyPatch, place: str, name: str
) -> None:
    blocking.setenv("BLOCKS", place)
    answer = cli(*TINY, "--steps", "3")
    assert answer.code == 1
    stacks, _, error = answer.err.rpartition("Error: ")
    assert error.startswith(f"nothing has moved for {SECONDS} seconds (--watchdog) in the start: ")
    assert f"it is in ganforge_blocking:{name} (" in error
    assert "of the package ganforge-blocking 1.0" in error
    assert "Thread MainThread, most recent call last" in stacks
    assert "time.sleep(1e6)" in stacks
    assert not Path("run").exists()


def test_a_component_that_blocks_in_a_step_is_named_and_the_checkpoint_stays(
    cli: Command, blocking: pytest.MonkeyPatch
) -> None:
    blocking.setenv("BLOCKS", "step")
    answer = cli(
        *TINY, "--loss", "blocking", "--image-size", "8", "--steps", "9",
        "--set", "output.checkpoint_every=2",
    )  # fmt: skip
    assert answer.code == 1
    assert "(--watchdog) in step 5: it is in ganforge_blocking:Blocking.disc" in answer.text
    assert status()["state"] == "failed"
    assert status()["step"] == 4
    assert "Blocking.discriminator" in str(status()["detail"])
    blocking.setenv("BLOCKS", "")
    assert cli("train", "--resume", "run").code == 0
    assert status()["state"] == "finished"


def test_a_worker_that_blocks_is_waited_for_no_longer(
    cli: Command, blocking: pytest.MonkeyPatch
) -> None:
    answer = cli(*TINY, "--dataset", "stuck", "--steps", "99")
    assert answer.code == 1
    assert "waiting for the worker processes that read the data" in answer.text
    assert status()["state"] == "failed"
    assert multiprocessing.active_children() == []


def test_what_moves_is_left_alone_and_nothing_stays_behind() -> None:
    dog = Watchdog(0.5, pytest.fail)
    with dog.watching():
        for step in range(6):
            time.sleep(0.15)
            dog.step(step)
    assert "watchdog" not in [it.name for it in threading.enumerate()]


def test_what_holds_against_the_exception_is_ended_by_force(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ended, told = [], []
    monkeypatch.setattr(watchdog, "GRACE_SECONDS", 0.3)
    monkeypatch.setattr(os, "_exit", ended.append)
    with Watchdog(0.2, told.append).watching():
        deadline = time.monotonic() + 10
        while not ended and time.monotonic() < deadline:
            try:
                time.sleep(10)
            except Stalled:
                held = time.monotonic()
                while not ended and time.monotonic() - held < 5:
                    time.sleep(0.05)
    assert ended == [1]
    assert told[0].startswith("nothing has moved for 0.2 seconds (--watchdog) in the start")
