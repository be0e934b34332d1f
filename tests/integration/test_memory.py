"""Out of memory, wherever it happens: exit 1, one paragraph with what needs less, nothing lost."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ganforge.device.memory import in_parts, is_out_of_memory, peak_memory
from tests.conftest import Command, FakePlugin

from .conftest import TINY

PLUGIN = """
import os

import torch

from ganforge import LossSpec, Metric, MetricSpec, ScoreLoss, hookimpl

HERE = "ganforge_large"

@hookimpl
def ganforge_losses():
    yield LossSpec(name="large", summary="s", build=f"{HERE}:Large")

@hookimpl
def ganforge_metrics():
    yield MetricSpec(name="huge", summary="s", build=f"{HERE}:Huge")

def run_out():
    match os.environ.get("RUNS_OUT", ""):
        case "torch":
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")
        case "python":
            raise MemoryError
        case "cpu":
            torch.empty(2**60)

class Large(ScoreLoss):
    def __init__(self, problem, options):
        super().__init__()
        self.calls = 0
        if os.environ.get("WHERE") == "building":
            run_out()

    def discriminator(self, real_scores, fake_scores):
        self.calls += 1
        if self.calls == 4 and os.environ.get("WHERE") == "step":
            run_out()
        return (real_scores - 1).square().mean() + fake_scores.square().mean()

    def generator(self, fake_scores):
        return (fake_scores - 1).square().mean()

class Huge(Metric):
    def __init__(self, problem, options):
        pass

    def measure(self, evaluation):
        run_out()
        return {"huge": 0.0}
"""


@pytest.fixture
def large(fake_plugin: FakePlugin) -> None:
    fake_plugin("ganforge-large", PLUGIN)


@pytest.mark.parametrize("kind", ["torch", "python", "cpu"])
def test_in_a_step_the_setting_is_named_that_trains_the_same_in_less(
    ganforge: Command,
    large: None,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    kind: str,
) -> None:
    monkeypatch.setenv("RUNS_OUT", kind)
    monkeypatch.setenv("WHERE", "step")
    answer = ganforge(
        "train", *TINY, "--loss", "large", "--steps", "9", "--out", "run",
        "--set", "output.checkpoint_every=2",
    )  # fmt: skip
    assert answer.code == 1
    assert re.match(
        r"Error: out of memory in step 4 \(at the most [\d.]+ [MG]B of this process was used\): "
        r".* Batches of 8 in one part do not fit: training\.num_accumulation_steps=2 .* in parts "
        r"of 4; .* The checkpoint of step 2 is intact: run/checkpoints/step-00000002\.safetensors$",
        answer.text,
    )
    status = json.loads((tmp_path / "run" / "status.json").read_text())
    assert status["state"] == "failed"
    monkeypatch.delenv("WHERE")
    assert ganforge("train", "--resume", "run").code == 0


def test_while_building_smaller_networks_are_named(
    ganforge: Command, large: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RUNS_OUT", "cpu")
    monkeypatch.setenv("WHERE", "building")
    answer = ganforge("train", *TINY, "--loss", "large", "--steps", "9", "--out", "run")
    assert answer.code == 1
    assert answer.text.startswith("Error: out of memory while the run was built (at the most")
    assert "can't allocate memory" in answer.text
    assert "Smaller networks" in answer.text
    assert not (tmp_path / "run").exists()


def test_a_metric_without_memory_does_not_end_the_run_and_ends_an_evaluation_in_words(
    ganforge: Command, large: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNS_OUT", "python")
    answer = ganforge("train", *TINY, "--metric", "huge", "--steps", "2", "--out", "run")
    assert answer.code == 0
    assert "training goes on without this metric (fewer samples need less memory" in answer.text
    answer = ganforge("evaluate", "run", "--metric", "huge", "--num", "64")
    assert answer.code == 1
    assert answer.text.startswith("Error: out of memory while evaluating (at the most")
    assert "--num" in answer.text


def test_sampling_without_memory_names_what_needs_less(
    ganforge: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from ganforge_mlp import networks

    def too_large(*arguments: object, **keywords: object) -> None:
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")

    assert ganforge("train", *TINY, "--steps", "2", "--out", "run").code == 0
    generators = [it for it in vars(networks).values() if hasattr(it, "forward")]
    for generator in generators:
        monkeypatch.setattr(generator, "forward", too_large)
    answer = ganforge("sample", "run", "--num", "1000", "--out", "some.npz")
    assert answer.code == 1
    assert answer.text.startswith("Error: out of memory while sampling (at the most")
    assert "--num 16" in answer.text
    assert sorted(it.name for it in tmp_path.iterdir()) == ["here", "run"]


def test_what_is_a_lack_of_memory() -> None:
    assert is_out_of_memory(MemoryError())
    assert is_out_of_memory(RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling"))
    assert not is_out_of_memory(RuntimeError("the size of tensor a must match"))
    assert not is_out_of_memory(ValueError("out of memory"))
    outer = ValueError("odd")
    outer.__cause__ = MemoryError()
    assert is_out_of_memory(outer)


@pytest.mark.parametrize(
    ("size", "now", "parts"), [(64, 1, 2), (64, 2, 4), (64, 64, None), (9, 1, 3), (7, 1, 7)]
)
def test_the_next_number_of_equal_parts(size: int, now: int, parts: int | None) -> None:
    assert in_parts(size, now) == parts


def test_the_peak_is_that_of_this_process() -> None:
    pytest.importorskip("resource")
    used = peak_memory()
    assert used is not None
    assert 50e6 < used < 100e9
