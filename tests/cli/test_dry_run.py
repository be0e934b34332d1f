"""`ganforge train --dry-run`: the whole configuration, which trains the same run again."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Answer, Command, FakePlugin, generators


def tree(answer: Answer) -> dict[str, Any]:
    assert (answer.code, answer.err) == (0, "")
    return tomllib.loads(answer.out)


@pytest.mark.parametrize(
    ("arguments", "section", "key", "value"),
    [
        (["--generator", "mlp"], "generator", "name", "mlp"),
        (["--generator", "mlp"], "discriminator", "name", "mlp"),
        (["--discriminator", "mlp"], "discriminator", "name", "mlp"),
        (["--sampler", "uniform"], "sampler", "name", "uniform"),
        (["--dataset", "mnist"], "dataset", "name", "mnist"),
        (["--dataset", "some/photos"], "dataset", "root", "some/photos"),
        (
            ["--loss", "bce"],
            "loss",
            "bce",
            {
                "weight": 1.0,
                "every": 1,
                "start": 0,
                "label_smoothing": 0.0,
                "label_flipping": 0.0,
            },
        ),
        (["--game", "adversarial"], "game", "name", "adversarial"),
        (["--generator", "adversarial-autoencoder"], "game", "judge", "samples"),
        (
            ["--augment", "instance-noise"],
            "augmentation",
            "instance-noise",
            {"std": {"from": 0.1, "to": 0.0}},
        ),
        (["--conditional"], "training", "conditional", True),
        (["--condition", "label"], "generator", "conditions", ["label"]),
        (["--condition", "label"], "discriminator", "conditions", ["label"]),
        (["--init", "a/run"], "generator", "init", "a/run"),
        (["--init", "a/run"], "discriminator", "init", "a/run"),
        (["--steps", "7"], "training", "steps", 7),
        (["--epochs", "7"], "training", "epochs", 7),
        (["--batch-size", "7"], "training", "batch_size", 7),
        (["--learning-rate", "0.5"], "generator_optimizer", "learning_rate", 0.5),
        (["--learning-rate", "0.5"], "discriminator_optimizer", "learning_rate", 0.5),
        (["--betas", "0.3,0.7"], "generator_optimizer", "betas", [0.3, 0.7]),
        (["--betas", "0.3,0.7"], "discriminator_optimizer", "betas", [0.3, 0.7]),
        (["--workers", "7"], "execution", "num_workers", 7),
        (["--compile"], "execution", "compile", True),
        (["--sample-every", "7"], "output", "sample_every", 7),
        (["--checkpoint-every", "7"], "output", "checkpoint_every", 7),
        (["--dataset", "./x", "--channels", "1"], "dataset", "channels", 1),
        (["--logger", "csv"], "callback", "csv", {}),
        (["--callback", "csv"], "callback", "csv", {}),
        (["--recipe", "gaussian-1d"], "metric", "kl", {"k": 5}),
        (
            ["--recipe", "inpainting", "--discriminator", "none", "--loss", "mse"],
            "discriminator",
            "name",
            "none",
        ),
        (["--recipe", "gaussian-1d", "--metric", "moments"], "metric", "moments", {}),
        (["--recipe", "gaussian-1d", "--set", "dataset.mean=3.0"], "dataset", "mean", 3.0),
        (["--image-size", "64"], "dataset", "size", 64),
        (["--latent-size", "7"], "sampler", "size", 7),
        (["--seed", "7"], "training", "seed", 7),
        (["--device", "cuda:3"], "execution", "device", "cuda:3"),
        (["--set", "generator.width=7"], "generator", "width", 7),
        (["--set", "dataset.name=mnist", "--image-size", "64"], "dataset", "size", 64),
        (["--seed", "7", "--set", "training.seed=8"], "training", "seed", 8),
    ],
)
def test_every_flag_reaches_the_configuration(
    cli: Command, arguments: list[str], section: str, key: str, value: object
) -> None:
    assert tree(cli("train", *arguments, "--dry-run"))[section][key] == value


def test_what_is_printed_resolves_to_itself_and_leaves_nothing_behind(cli: Command) -> None:
    first = cli("train", "--generator", "mlp", "--loss", "bce", "--loss", "nonsat", "--dry-run")
    assert list(Path.cwd().iterdir()) == []
    Path("run.toml").write_text(first.out)
    assert cli("train", "--config", "run.toml", "--dry-run") == first


def test_flags_stand_over_the_file_and_settings_over_flags(cli: Command) -> None:
    Path("run.toml").write_text(
        "[training]\nsteps = 3\nseed = 3\nbatch_size = 3\n[generator]\nwidth = 3\n"
        "[loss.bce]\nlabel_smoothing = 0.2\n"
    )
    arguments = ["--config", "run.toml", "--seed", "4", "--batch-size", "4"]
    found = tree(cli("train", *arguments, "--set", "training.batch_size=5", "--dry-run"))
    training = found["training"]
    assert [training[it] for it in ("steps", "seed", "batch_size")] == [3, 4, 5]
    assert found["generator"]["width"] == 3
    assert found["loss"]["bce"]["label_smoothing"] == 0.2
    replaced = tree(cli("train", "--config", "run.toml", "--loss", "nonsat", "--dry-run"))
    assert list(replaced["loss"]) == ["nonsat", "r1", "r2"]


def test_a_stranger_is_written_by_the_name_that_finds_it_again(
    cli: Command, fake_plugin: FakePlugin
) -> None:
    fake_plugin("ganforge-stranger", generators("odd", "dcgan"))
    answer = cli("train", "--generator", "odd", "--dry-run")
    assert tree(answer)["generator"]["name"] == "ganforge-stranger/odd"
    twin = cli("train", "--generator", "ganforge-stranger/dcgan", "--dry-run")
    assert tree(twin)["generator"]["name"] == "ganforge-stranger/dcgan"
    ours = cli("train", "--generator", "dcgan", "--dry-run")
    assert tree(ours)["generator"]["name"] == "dcgan"


def test_a_broken_plugin_does_not_keep_the_others_from_resolving(
    cli: Command, fake_plugin: FakePlugin
) -> None:
    before = cli("train", "--dry-run")
    fake_plugin("ganforge-broken", "raise SystemExit")
    assert cli("train", "--dry-run") == before
