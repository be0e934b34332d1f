"""The diagnosis in real trainings: each failure is provoked and named, and then only that."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganforge.diagnosis.diagnosis import diagnose
from ganforge.runs.run import Run
from tests.conftest import Command

#: small networks on 8 x 8 digits, with batches that say something
SMALL = (
    *("--generator", "mlp", "--image-size", "8", "--latent-size", "8", "--batch-size", "32"),
    *("--set", "generator.hidden=[32]", "--set", "discriminator.hidden=[32]"),
    *("--no-conditional", "--no-companions", "--betas", "0.5,0.999", "--learning-rate", "0.0004"),
    *("--set", "output.grid_samples=4", "--sample-every", "100000", "--device", "cpu"),
)


def found(run: Path | str) -> list[str]:
    return [finding.name for finding in diagnose(Run(run).metrics).findings]


def test_a_run_that_diverges_without_nan_says_so_and_is_no_success(
    ganforge: Command, tmp_path: Path
) -> None:
    arguments = (*SMALL, "--learning-rate", "1e6", "--out", "r")
    answer = ganforge("train", *arguments, "--steps", "30")
    assert answer.code == 1
    assert "Done" not in answer.out
    (said,) = [line for line in answer.out.splitlines() if line.startswith("Warning: divergence")]
    assert "step 25: the weights of the" in said
    assert "`--learning-rate 0.001`" in said
    assert "Error: the run has diverged:" in answer.err
    assert "Traceback" not in answer.err
    assert Run("r").status.state == "failed"
    assert "diverged" in Run("r").status.detail
    assert (tmp_path / "r" / "generator.safetensors").is_file()
    again = ganforge("train", "--resume", "r")
    assert again.code == 1
    assert "the run has diverged" in again.err
    assert "Warning: divergence" not in again.out  # it was said


def test_a_discriminator_far_too_strong_for_a_saturating_loss(ganforge: Command) -> None:
    strong = ("--set", "training.num_discriminator_steps=4")
    strong += ("--set", "discriminator_optimizer.learning_rate=0.01")
    answer = ganforge("train", *SMALL, "--loss", "minimax", *strong, "--steps", "300", "--out", "r")
    assert answer.code == 0
    assert found("r") == ["discriminator-won", "vanishing-gradient"]
    assert "Try `--set discriminator_optimizer.learning_rate=0.001` or" in answer.out


def test_a_generator_that_is_far_ahead_collapses(ganforge: Command) -> None:
    ahead = ("--set", "training.num_generator_steps=10", "--set", "ema.half_life=0")
    ahead += ("--set", "generator_optimizer.learning_rate=0.002")
    answer = ganforge("train", *SMALL, *ahead, "--steps", "650", "--out", "r")
    assert answer.code == 0
    assert found("r") == ["collapse"]
    assert "`--loss nonsat --loss r1`" in answer.out


@pytest.mark.slow  # two minutes; tests/data/diagnosis has it recorded
def test_a_generator_that_is_far_ahead_collapses_within_classes(ganforge: Command) -> None:
    ahead = ("--set", "training.num_generator_steps=10", "--set", "ema.half_life=0")
    ahead += ("--set", "generator_optimizer.learning_rate=0.002")
    networks = ("--generator", "conditional", "--discriminator", "conditional", "--conditional")
    networks += ("--set", "generator.width=4", "--set", "discriminator.widths=[8,16]")
    small = ("--image-size", "16", "--batch-size", "32", "--device", "cpu")
    small += ("--set", "output.grid_samples=10", "--sample-every", "100000")
    answer = ganforge("train", *networks, *small, *ahead, "--steps", "650", "--out", "r")
    assert answer.code == 0
    assert found("r") == ["collapse-within-classes"]


def test_a_handful_of_samples_is_memorised(ganforge: Command) -> None:
    few = ("--set", "evaluation.holdout=0.995", "--set", "ema.half_life=0")
    few += ("--loss", "nonsat", "--loss", "r1", "--learning-rate", "0.002")
    wider = ("--set", "generator.hidden=[64]", "--set", "discriminator.hidden=[64]")
    answer = ganforge("train", *SMALL, *few, *wider, "--steps", "3000", "--out", "r")
    assert answer.code == 0
    assert found("r") == ["memorisation"]
    assert "Try `--augment diffaugment`" in answer.out


#: recipes and defaults, shortened, in which nothing goes wrong
WELL = {
    "gaussian-1d": ("--recipe", "gaussian-1d", "--steps", "600"),
    "ring": ("--recipe", "ring", "--steps", "600"),
    "f-divergence": ("--recipe", "f-divergence", "--steps", "600"),
    "mlp": (*SMALL, "--steps", "600"),
}


@pytest.mark.parametrize("name", ["gaussian-1d", "mlp"])
def test_nothing_is_said_of_a_run_that_is_well(ganforge: Command, name: str) -> None:
    answer = ganforge("train", *WELL[name], "--sample-every", "100000", "--out", "r")
    assert answer.code == 0
    assert found("r") == []
    assert "Warning" not in answer.out


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ring", "f-divergence"])
def test_nothing_is_said_of_a_recipe_that_is_well(ganforge: Command, name: str) -> None:
    answer = ganforge("train", *WELL[name], "--sample-every", "100000", "--out", "r")
    assert answer.code == 0
    assert found("r") == []


def test_a_run_that_goes_on_says_what_was_not_said(ganforge: Command) -> None:
    strong = ("--set", "training.num_discriminator_steps=4", "--loss", "minimax")
    strong += ("--set", "discriminator_optimizer.learning_rate=0.01", "--out", "r")
    first = ganforge("train", *SMALL, *strong, "--steps", "100", "--checkpoint-every", "100")
    assert "Warning" not in first.out
    second = ganforge("train", "--resume", "r", "--steps", "250")
    assert second.out.count("Warning: ") == 2
    third = ganforge("train", "--resume", "r", "--steps", "300")
    assert "Warning" not in third.out
    assert found("r") == ["discriminator-won", "vanishing-gradient"]
