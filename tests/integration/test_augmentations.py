"""Runs with augmentations: what they change, what they leave alone, and that they resume."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load_file

from .conftest import TINY

ALL = ("--augment", "ada", "--augment", "instance-noise", "--augment", "diffaugment")
QUICK = ("--set", "augmentation.ada.adjust_images=100", "--set", "augmentation.ada.interval=2")
PENALTY = ("--loss", "nonsat", "--loss", "r1")


def weights(run, step):
    """The tensors of a checkpoint that tell of training: not the sums for the next log line."""
    tensors = load_file(run / "checkpoints" / f"step-{step:08d}.safetensors")
    return {name: it for name, it in tensors.items() if not name.startswith("telemetry/")}


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def train(ganforge, *arguments):
    answer = ganforge("train", *arguments)
    assert (answer.code, answer.err) == (0, "")


def test_a_run_with_all_of_them_and_a_penalty_resumes_to_the_bit(ganforge, tmp_path):
    steady = ("--set", "augmentation.instance-noise.std=0.1", "--learning-rate", "0.001")
    arguments = (*TINY, *ALL, *QUICK, *PENALTY, *steady, "--set", "output.log_every=1")
    train(ganforge, *arguments, "--steps", "7", "--out", "whole")
    train(ganforge, *arguments, "--steps", "4", "--out", "parts")
    train(ganforge, "--resume", "parts", "--steps", "7")
    whole, parts = (weights(tmp_path / run, 7) for run in ("whole", "parts"))
    assert same(whole, parts)
    assert whole["augmentation/ada/num_observed"] == 1  # 7 updates, of which 2 make an interval
    lines = (tmp_path / "parts" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [1, 2, 3, 4, 5, 6, 7]
    assert all(
        {"augmentation/ada/p", "augmentation/ada/r"} <= json.loads(it).keys() for it in lines
    )


def test_noise_that_falls_over_the_run_is_a_schedule_that_a_longer_run_stretches(ganforge):
    train(ganforge, *TINY, "--augment", "instance-noise", "--steps", "1", "--out", "run")
    resumed = ganforge("train", "--resume", "run", "--steps", "2")
    assert resumed.code == 0
    assert "so is the schedule of augmentation.instance-noise.std" in resumed.text


@pytest.mark.parametrize(
    "idle",
    [
        ("ada", "max_p=1e-30"),
        ("diffaugment", "p=0.0"),
        ("instance-noise", "std=0.0"),
    ],
)
def test_one_that_changes_nothing_leaves_a_run_as_it_is_to_the_bit(ganforge, tmp_path, idle):
    name, setting = idle
    train(ganforge, *TINY, "--steps", "6", "--out", "plain")
    augment = ("--augment", name, "--set", f"augmentation.{name}.{setting}")
    train(ganforge, *TINY, *augment, "--steps", "6", "--out", "augmented")
    plain, augmented = (weights(tmp_path / run, 6) for run in ("plain", "augmented"))
    kept = {key: it for key, it in augmented.items() if not key.startswith("augmentation/")}
    assert same(plain, kept)


def test_pictures_show_no_augmentation(ganforge, tmp_path):
    for name, more in (("plain", ()), ("augmented", ("--augment", "diffaugment"))):
        train(ganforge, *TINY, *more, "--steps", "1", "--out", name)
    for picture in ("real.png", "00000000.png"):
        plain, augmented = (
            (tmp_path / run / "samples" / picture).read_bytes() for run in ("plain", "augmented")
        )
        assert plain == augmented


def test_they_are_applied_in_the_order_in_which_they_are_named(ganforge, tmp_path):
    pair = ("--augment", "diffaugment", "--augment", "instance-noise")
    for name, order in (("one", pair), ("other", (*pair[2:], *pair[:2]))):
        train(ganforge, *TINY, *order, "--steps", "2", "--out", name)
    assert not same(weights(tmp_path / "one", 2), weights(tmp_path / "other", 2))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--dataset", "ring", "--generator", "mlp", "--augment", "ada"),
            "the augmentation 'ada' handles images only, not vectors, which is what the data set "
            "'ring' gives",
        ),
        (
            (
                *("--generator", "adversarial-autoencoder", "--augment", "diffaugment"),
                *("--set", "game.name=autoencoder", "--set", "game.judge=codes"),
            ),
            "the augmentation 'diffaugment' handles images only, not vectors, which is what the "
            "game 'autoencoder' gives it",
        ),
        (
            ("--dataset", "ring", "--generator", "mlp", "--set", "data.flip=true"),
            "--set data.flip=true: moves images, and the samples are vectors",
        ),
    ],
)
def test_what_cannot_be_augmented_is_an_error_before_training(ganforge, arguments, message):
    answer = ganforge("train", *arguments)
    assert answer.code == 2
    assert message in answer.text


def test_codes_can_have_noise(ganforge):
    train(
        ganforge,
        *("--generator", "adversarial-autoencoder", "--augment", "instance-noise"),
        *("--set", "game.name=autoencoder", "--set", "game.judge=codes"),
        *("--loss", "mse", "--loss", "nonsat"),
        *("--batch-size", "4", "--device", "cpu", "--steps", "1"),
    )


def test_flipped_and_shifted_data_resumes_to_the_bit(ganforge, tmp_path):
    steady = (*TINY, "--learning-rate", "0.001")
    arguments = (*steady, "--set", "data.flip=true", "--set", "data.shift=1")
    train(ganforge, *arguments, "--steps", "5", "--out", "whole")
    train(ganforge, *arguments, "--steps", "2", "--out", "parts")
    train(ganforge, "--resume", "parts", "--steps", "5")
    train(ganforge, *steady, "--steps", "5", "--out", "plain")
    whole, parts, plain = (weights(tmp_path / run, 5) for run in ("whole", "parts", "plain"))
    assert same(whole, parts)
    assert not same(whole, plain)
