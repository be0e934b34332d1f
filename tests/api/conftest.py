"""Runs of a second, trained from Python."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import ganforge

#: networks of a few hundred weights
TINY: dict[str, Any] = {
    "generator": {"name": "mlp", "hidden": [16]},
    "discriminator": {"name": "mlp", "hidden": [16]},
    "batch_size": 8,
    "learning_rate": 1e-3,
    "latent_size": 4,
    "device": "cpu",
    "output": {"grid_samples": 4, "log_every": 2},
}

Train = Callable[..., ganforge.TrainingResult]


@pytest.fixture
def train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Train:
    """`ganforge.train` in an empty folder, of tiny networks unless settings say otherwise."""
    monkeypatch.chdir(tmp_path)

    def run(*config: Any, **settings: Any) -> ganforge.TrainingResult:
        if "resume" in settings:
            return ganforge.train(*config, **settings)
        return ganforge.train(*config, **{**TINY, **settings})

    return run


@pytest.fixture(scope="session")
def images() -> torch.Tensor:
    """40 grey images uint8 `[40, 1, 8, 8]`."""
    return torch.randint(
        0, 256, (40, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )


@pytest.fixture(scope="session")
def conditional_run(tmp_path_factory: pytest.TempPathFactory, images: torch.Tensor) -> Path:
    """A run of three steps that is told which of three classes to draw."""
    path = tmp_path_factory.mktemp("runs") / "conditional"
    labels = torch.arange(40) % 3
    settings = {
        **TINY,
        "generator": {"name": "conditional", "width": 2},
        "discriminator": {"name": "conditional", "widths": [2]},
        "output": {"grid_samples": 4, "checkpoint_every": 2},
    }
    data = ganforge.dataset(images, labels, classes=["ant", "bee", "cat"])
    ganforge.train(**settings, dataset=data, conditional=True, steps=3, out=path)
    return path
