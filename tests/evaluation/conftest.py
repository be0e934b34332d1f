"""A small run to evaluate, trained once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ganforge.cli import main

TRAINED = (
    *("train", "--generator", "mlp", "--no-conditional", "--steps", "20", "--batch-size", "16"),
    *("--set", "dataset.size=8", "--set", "generator.hidden=[16]"),
    *("--set", "discriminator.hidden=[16]", "--set", "evaluation.holdout=0.3"),
    *("--set", "output.grid_samples=4", "--device", "cpu"),
)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of digits of 8 x 8, a third of which is held out."""
    path = tmp_path_factory.mktemp("trained") / "run"
    assert main([*TRAINED, "--out", str(path)]) == 0
    return path


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """A copy of the run, for a test of its own."""
    return Path(shutil.copytree(trained, tmp_path / "run"))
