"""NaN and infinity are not saved, not loaded, not called good, and nothing is drawn from them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

import ganforge as library
from ganforge.storage import tensor_file
from ganforge.storage.run_directory import RunDirectory
from tests.conftest import Command, FakePlugin

from .conftest import TINY

RUN = ("train", *TINY, "--learning-rate", "0.001", "--checkpoint-every", "2")


@pytest.fixture
def run(ganforge: Command, tmp_path: Path) -> Path:
    assert ganforge(*RUN, "--steps", "4", "--out", "run").code == 0
    return tmp_path / "run"


def poison(path: Path, kind: str, name: str, value: float = float("nan")) -> None:
    """Write a value into a tensor, with every checksum right."""
    tensors, document = tensor_file.read(path, kind)
    tensors[name].view(-1)[0] = value
    for key in ("kind", "format", "crc32"):
        del document[key]
    tensor_file.write(path, kind, tensors, document)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("discriminator/layers.0.weight", float("nan")),
        ("ema/layers.0.weight", float("inf")),
        ("optimizer/generator/layers.0.weight/exp_avg", float("-inf")),
    ],
)
def test_a_checkpoint_that_is_not_finite_is_refused_and_the_one_that_is_named(
    ganforge: Command, run: Path, name: str, value: float
) -> None:
    poison(RunDirectory(run).checkpoint(4), "checkpoint", name, value)
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    answer = ganforge("train", "--resume", "run", "--steps", "6")
    assert answer.code == 1
    assert (
        "run/checkpoints/step-00000004.safetensors holds values that are NaN or infinite, and "
        f"nothing was loaded: {name}." in answer.text
    )
    assert "The newest that is finite is run/checkpoints/step-00000002.safetensors" in answer.text
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before
    RunDirectory(run).checkpoint(4).unlink()
    assert ganforge("train", "--resume", "run", "--steps", "6").code == 0


def test_it_can_be_allowed_on_record_and_is_never_called_good(ganforge: Command, run: Path) -> None:
    poison(RunDirectory(run).checkpoint(4), "checkpoint", "generator/layers.0.weight")
    answer = ganforge("train", "--resume", "run", "--steps", "6", "--allow-nonfinite")
    assert answer.code == 1
    assert "became NaN or infinite in the" in answer.text
    assert "the last good checkpoint is run/checkpoints/step-00000002.safetensors" in answer.text
    sessions = json.loads((run / "environment.json").read_text())["sessions"]
    assert sessions[-1]["allowed"] == ["nonfinite"]
    RunDirectory(run).checkpoint(2).unlink()
    alone = ganforge("train", "--resume", "run", "--steps", "6")
    assert "No checkpoint of the run is finite" in alone.text


def test_what_is_allowed_can_be_saved_again(ganforge: Command, run: Path) -> None:
    """The average is not trained with, so the run itself is well."""
    poison(RunDirectory(run).checkpoint(4), "checkpoint", "ema/layers.0.weight")
    answer = ganforge("train", "--resume", "run", "--steps", "6", "--allow-nonfinite")
    assert answer.code == 0
    assert RunDirectory(run).checkpoint(6).is_file()


@pytest.mark.parametrize(
    "command",
    [
        ("sample", "run"),
        ("evaluate", "run", "--metric", "kid", "--features", "identity", "--num", "64"),
        ("export", "run", "--format", "safetensors"),
    ],
    ids=lambda it: it[0],
)
def test_nothing_is_made_of_a_generator_that_is_not_finite(
    ganforge: Command, run: Path, command: tuple[str, ...]
) -> None:
    poison(run / "generator.safetensors", "generator", "generator/layers.0.weight")
    answer = ganforge(*command)
    assert answer.code == 1
    assert (
        "run/generator.safetensors holds values that are NaN or infinite, and so would its "
        "samples: generator/layers.0.weight" in answer.text
    )


LOSS = """
from ganforge import LossSpec, hookimpl

@hookimpl
def ganforge_losses():
    yield LossSpec(name="explodes", summary="s", build="ganforge_explodes:build")

def build(problem, options):
    import torch
    from ganforge import ScoreLoss

    class Explodes(ScoreLoss):
        def __init__(self):
            super().__init__()
            self.register_buffer("updates", torch.zeros(()))
            self.register_buffer("mask", torch.full((2,), float("-inf")))

        def discriminator(self, real_scores, fake_scores):
            self.updates += 1
            what = float("nan") if self.updates == 5 else 1.0
            return (fake_scores.mean() - real_scores.mean()) * what

        def generator(self, fake_scores):
            return -fake_scores.mean()

    return Explodes()
"""


def test_a_run_whose_loss_is_nan_goes_on_from_its_last_good_checkpoint_with_other_settings(
    ganforge: Command, fake_plugin: FakePlugin, tmp_path: Path
) -> None:
    fake_plugin("ganforge-explodes", LOSS)
    failed = ganforge(*RUN, "--loss", "explodes", "--steps", "8", "--out", "run")
    assert failed.code == 1
    assert "ganforge-explodes 1.0 became NaN or infinite in the discriminator's" in failed.text
    assert "the last good checkpoint is run/checkpoints/step-00000004.safetensors" in failed.text
    flags = ("--override", "generator_optimizer.learning_rate=1e-5")
    path = RunDirectory(tmp_path / "run").checkpoint(4)
    poison(path, "checkpoint", "loss/ganforge-explodes/explodes/updates", 10.0)
    answer = ganforge("train", "--resume", "run", *flags)
    assert answer.code == 0
    assert "generator_optimizer.learning_rate: 0.001 -> 1e-05" in answer.out
    tensors, _ = tensor_file.read(RunDirectory(tmp_path / "run").checkpoint(8), "checkpoint")
    # A buffer that holds infinity from the start is as it should be.
    finite = [it for it in tensors if not it.endswith("/mask")]
    assert all(bool(tensors[name].isfinite().all()) for name in finite)


def test_weights_that_left_the_numbers_are_not_saved(ganforge: Command, tmp_path: Path) -> None:
    """A step of plain gradient descent can leave the numbers with every gradient finite."""
    sgd = [f"{side}_optimizer.name=sgd" for side in ("generator", "discriminator")]
    flags = [it for setting in sgd for it in ("--set", setting)]
    answer = ganforge(
        *RUN,
        *flags,
        "--learning-rate",
        "3e38",
        "--checkpoint-every",
        "1",
        "--no-companions",
        "--loss",
        "wasserstein",
        "--set",
        "loss.wasserstein.clip=0",
        "--steps",
        "3",
        "--out",
        "run",
    )
    assert answer.code == 1, answer.err
    assert "NaN or infinite" in answer.text
    for _, path in RunDirectory(tmp_path / "run").list_checkpoints():
        tensors, _ = tensor_file.read(path, "checkpoint")
        assert all(bool(it.isfinite().all()) for it in tensors.values())


@pytest.mark.parametrize("rate", ["1000", "30"])
def test_a_run_that_diverges_without_nan_is_no_success_however_often_it_is_resumed(
    ganforge: Command, tmp_path: Path, rate: str
) -> None:
    typed = ("train", *TINY, "--learning-rate", rate, "--steps", "30", "--out", "run")
    for command in (typed, ("train", "--resume", "run"), ("train", "--resume", "run")):
        answer = ganforge(*command)
        assert answer.code == 1
        assert "the run has diverged: divergence, step 30: the weights" in answer.text
        status = json.loads((tmp_path / "run" / "status.json").read_text())
        assert status["state"] == "failed"
    longer = ganforge("train", "--resume", "run", "--steps", "32")
    assert longer.code == 1


def test_a_program_is_told_the_same(ganforge: Command, run: Path) -> None:
    poison(run / "generator.safetensors", "generator", "generator/layers.0.weight")
    with pytest.raises(library.CheckpointError, match="NaN or infinite"):
        library.load("run")
    samples = library.load(RunDirectory(run).checkpoint(4), device="cpu").sample(2)
    assert bool(torch.isfinite(samples).all())
