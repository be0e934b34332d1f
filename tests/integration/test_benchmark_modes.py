"""`ganforge benchmark modes`: published protocols, measured by runs that take seconds."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from tests.conftest import Command
from tests.torchvision_files import write_mnist

QUICK = ("--steps", "4", "--batch-size", "16", "--device", "cpu")


def test_the_protocol_is_printed_and_the_leaderboard_written(
    ganforge: Command, tmp_path: Path
) -> None:
    answer = ganforge("benchmark", "modes", "--recipe", "ring", "--seed", "0,1", *QUICK)
    assert (answer.code, answer.err) == (0, ""), answer
    text = " ".join(answer.out.split())
    assert "8 Gaussians of standard deviation 0.01 on a circle of radius 1" in text
    assert "2,500 samples; a sample is of high quality within 3 standard deviations" in text
    assert "real samples 8 8 0.989" in text
    assert "PacGAN2 (PacGAN) 7.9 - 0.956 0.07" in text
    (folder,) = (tmp_path / "sweeps").iterdir()
    for seed in (0, 1):
        config = tomllib.loads((folder / f"seed-{seed}" / "config.toml").read_text())
        assert config["evaluation"]["num_samples"] == 2500
        assert config["metric"]["modes"]["threshold"] == 3.0
        assert config["metric"]["modes"]["share"] == 0.2
        assert config["training"]["steps"] == 4
    found = json.loads((folder / "leaderboard.json").read_text())["ring"]
    (entry,) = found["entries"]
    assert entry["seeds"] == [0, 1]
    assert entry["steps"] == 4
    measured = [
        json.loads(line)["metric/modes/modes"]
        for seed in (0, 1)
        for line in (folder / f"seed-{seed}" / "metrics.jsonl").read_text().splitlines()
        if "metric/modes/modes" in line
    ]
    assert entry["numbers"]["modes"]["values"] == measured
    assert found["published"][0] == {
        "method": "GAN",
        "source": "VEEGAN",
        "numbers": {"modes": "1", "high_quality": "0.993", "kl": "-"},
    }
    again = ganforge("benchmark", "modes", "--resume", folder)
    assert again.code == 0
    assert "2 finished" in again.out
    tables = [it.out.split("2-D ring")[1].split("The leaderboard")[0] for it in (answer, again)]
    assert tables[0] == tables[1]


def test_every_recipe_of_a_protocol_over_three_seeds_is_the_default(ganforge: Command) -> None:
    answer = ganforge("benchmark", "modes", "--dry-run")
    assert answer.code == 0
    names = [line.strip() for line in answer.out.splitlines() if line.startswith("  ")]
    assert {f"recipe-{name}_seed-{seed}" for name in ("ring", "grid") for seed in range(3)} <= {
        *names
    }


def test_stacked_digits_are_measured_where_their_files_are(
    ganforge: Command, tmp_path: Path
) -> None:
    absent = ganforge("benchmark", "modes", "--dry-run")
    assert "stacked-mnist is left out; `--dataset stacked-mnist` measures it alone" in absent.err
    assert "stacked" not in absent.out
    named = ganforge("benchmark", "modes", "--dataset", "stacked-mnist", *QUICK)
    assert named.code == 2
    assert "the data set mnist is not in 'data/MNIST/raw'" in named.err
    write_mnist(tmp_path / "data", "mnist")
    found = ganforge("benchmark", "modes", "--dry-run")
    assert (found.code, found.err) == (0, "")
    assert "three digits of MNIST as red, green and blue: 1,000 modes" in " ".join(
        found.out.split()
    )
    assert "26,000 samples" in found.out
    assert "  recipe-stacked-mnist_seed-2" in found.out.splitlines()


MISTAKES = {
    "another geometry": (
        ["--recipe", "ring", "--set", "dataset.std=0.05"],
        "dataset.std is 0.05, and 0.01 in the published protocol of the 2-D ring",
    ),
    "another number of samples": (
        ["--recipe", "ring", "--set", "evaluation.num_samples=100"],
        "the protocols say what is measured; leave out evaluation.num_samples",
    ),
    "other data": (["--dataset", "digits"], "no published protocol for the data set 'digits'"),
    "another metric": (["--recipe", "ring", "--metric", "kl"], "leave out metric"),
    "no such recipe": (["--recipe", "rign"], "did you mean 'ring'"),
}


@pytest.mark.parametrize(("arguments", "message"), MISTAKES.values(), ids=MISTAKES)
def test_what_would_not_be_comparable_is_refused(
    ganforge: Command, tmp_path: Path, arguments: list[str], message: str
) -> None:
    answer = ganforge("benchmark", "modes", *arguments)
    assert answer.code == 2, answer
    assert message in answer.text
    assert not (tmp_path / "sweeps").exists()
