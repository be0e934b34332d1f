"""A request to stop in the midst of long work: heeded at once, and nothing of the run is lost."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors.torch
import torch

from ganforge.engine import signals
from ganforge.engine.signals import Stopped, StopRequest
from tests.conftest import Command, FakePlugin

from .conftest import TINY

PLUGIN = """
import os, signal, time

import torch

from ganforge import DatasetSpec, Field, MapDataset, Metric, MetricSpec, hookimpl

HERE = "ganforge_long"

@hookimpl
def ganforge_metrics():
    yield MetricSpec(name="long", summary="s", build=f"{HERE}:Long")

@hookimpl
def ganforge_datasets():
    yield DatasetSpec(name="sticky", summary="s", build=f"{HERE}:sticky", fields=lambda options: {
        "sample": Field(kind="image", shape=(1, 8, 8), dtype="uint8")})

class Long(Metric):
    calls = 0

    def __init__(self, problem, options):
        pass

    def measure(self, evaluation):
        Long.calls += 1
        if os.environ.get("STOP_AT") == str(Long.calls):
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(60)
        return {"long": float(evaluation.fake.mean())}

def sticky(problem, options):
    class Sticky(MapDataset):
        def __len__(self):
            return 64

        def __getitem__(self, index):
            if index == 5 and torch.utils.data.get_worker_info() is not None:
                time.sleep(60)
            return {"sample": torch.full((1, 8, 8), index, dtype=torch.uint8)}

    return Sticky()
"""

RUN = ("train", *TINY, "--metric", "long", "--set", "output.log_every=3", "--steps", "8")


@pytest.fixture
def long(fake_plugin: FakePlugin, monkeypatch: pytest.MonkeyPatch) -> Callable[[int | None], None]:
    """Install the plugin; what it returns says in which evaluation of a process a signal comes."""
    fake_plugin("ganforge-long", PLUGIN)

    def stop_at(number: int | None) -> None:
        import ganforge_long

        ganforge_long.Long.calls = 0
        monkeypatch.setenv("STOP_AT", "" if number is None else str(number))

    return stop_at


def timeless(run: Path) -> list[dict[str, object]]:
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [{key: it for key, it in line.items() if "second" not in key} for line in lines]


def tensors(path: Path) -> dict[str, torch.Tensor]:
    return safetensors.torch.load_file(path)


@pytest.mark.parametrize(("every", "evaluation", "step"), [(3, 1, 3), (3, 3, 8), (4, 1, 4)])
def test_an_evaluation_that_is_cut_is_done_again_and_the_run_is_the_same(
    ganforge: Command,
    long: Callable[[int | None], None],
    tmp_path: Path,
    every: int,
    evaluation: int,
    step: int,
) -> None:
    evaluated = (*RUN, "--set", f"evaluation.every={every}")
    assert ganforge("runs").code == 0  # which loads the plugin
    long(None)
    assert ganforge(*evaluated, "--out", "straight").code == 0
    long(evaluation)
    began = time.monotonic()
    answer = ganforge(*evaluated, "--out", "cut")
    assert time.monotonic() - began < 30
    assert answer.code == 143
    assert answer.err == ""
    status = json.loads((tmp_path / "cut" / "status.json").read_text())
    assert (status["state"], status["step"]) == ("terminated", step)
    assert (tmp_path / f"cut/checkpoints/step-{step:08d}.safetensors").is_file()
    assert not any("metric/long" in it for it in timeless(tmp_path / "cut") if it["step"] == step)
    # It is cut a second time, before the third session goes on from the same step.
    long(1)
    assert ganforge("train", "--resume", "cut").code == 143
    long(None)
    assert ganforge("train", "--resume", "cut").code == 0
    assert timeless(tmp_path / "cut") == timeless(tmp_path / "straight")
    for name in ("generator.safetensors", "checkpoints/step-00000008.safetensors"):
        one, other = (tensors(tmp_path / run / name) for run in ("straight", "cut"))
        assert one.keys() == other.keys()
        assert all(torch.equal(one[it], other[it]) for it in one)


def test_a_signal_while_a_worker_gives_nothing_saves_the_step_that_is_done(
    ganforge: Command,
    long: Callable[[int | None], None],
    tmp_path: Path,
) -> None:
    def terminate() -> None:
        deadline = time.monotonic() + 30
        while not (tmp_path / "run" / "samples" / "00000000.png").exists():
            if time.monotonic() > deadline:
                return
            time.sleep(0.05)
        time.sleep(1.0)
        asked.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGTERM)

    asked: list[float] = []
    thread = threading.Thread(target=terminate)
    thread.start()
    tiny = [it for it in TINY if it not in ("--image-size", "8")]
    tiny[tiny.index("--batch-size") + 1 :] = ["8", *tiny[tiny.index("--batch-size") + 1 :]]
    answer = ganforge("train", *tiny, "--dataset", "sticky", "--steps", "100", "--out", "run")
    ended = time.monotonic()
    thread.join()
    assert answer.code == 143
    assert ended - asked[0] < 5
    status = json.loads((tmp_path / "run" / "status.json").read_text())
    assert status["state"] == "terminated"
    assert (tmp_path / f"run/checkpoints/step-{status['step']:08d}.safetensors").is_file()
    assert multiprocessing.active_children() == []


def test_an_evaluation_from_the_command_line_ends_at_once(
    ganforge: Command,
    long: Callable[[int | None], None],
    tmp_path: Path,
) -> None:
    assert ganforge("runs").code == 0
    long(None)
    assert ganforge("train", *TINY, "--steps", "2", "--out", "run").code == 0
    long(1)
    answer = ganforge("evaluate", "run", "--metric", "long", "--num", "64")
    assert answer.code == 143
    assert answer.text == "Error: terminated; what was extracted is cached, and need not be again"
    assert not (tmp_path / "run" / "evaluations.jsonl").exists()


def test_a_request_raises_where_work_can_be_cut_and_waits_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(signals, "_ECHO_SECONDS", 0.0)
    request = StopRequest()
    with request.listening():
        assert request() is None
        signal.raise_signal(signal.SIGTERM)
        assert request() == "terminated"
        with pytest.raises(Stopped), request.at_once():
            pytest.fail("the request came before")
        assert not request.insists
        with pytest.raises(Stopped):
            signal.raise_signal(signal.SIGTERM)
        assert request.insists
    other = StopRequest()
    with other.listening():
        assert other() is None
        with pytest.raises(Stopped), other.at_once():
            signal.raise_signal(signal.SIGINT)
        assert other() == "interrupted"
        assert not other.insists
