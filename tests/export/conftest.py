"""Runs of a step or two, to export from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import Command

QUICK = ("--steps=1", "--batch-size=4", "--device=cpu", "--set=output.grid_samples=4")
SMALL = ("--set=generator.width=2", "--set=discriminator.width=2", "--set=sampler.size=6")
CODED = ("--set=generator.width=2", "--set=sampler.size=6")
NARROW = ("--set=generator.widths=[2,4]", "--loss=mse")

#: what a run is trained with, by the name of a case; `PICTURES` stands for a folder of images
CASES: dict[str, tuple[str, ...]] = {
    "dcgan": ("--generator=dcgan", "--no-conditional", *SMALL),
    "mlp of images": (
        *("--generator=mlp", "--no-conditional", "--image-size=8", "--set=generator.hidden=[8]"),
    ),
    "mlp of points": ("--generator=mlp", "--dataset=ring", "--latent-size=2"),
    "conditional": (
        *("--generator=conditional", "--conditional", "--set=generator.width=2"),
        *("--image-size=32", "--latent-size=100"),
    ),
    "mlp of classes": ("--generator=mlp", "--image-size=8", "--conditional"),
    "autoencoder": ("--generator=autoencoder", *NARROW),
    "inpainting": (
        *("--generator=autoencoder", "--sampler=mask", "--set=generator.skip_connections=true"),
        *NARROW,
    ),
    "super-resolution": ("--generator=autoencoder", "--sampler=downscale", *NARROW),
    "adversarial-autoencoder": (
        *("--game=autoencoder", "--generator=adversarial-autoencoder", "--loss=mse"),
        *("--loss=nonsat", "--set=game.judge=codes"),
    ),
    "inference": (
        *("--game=inference", "--generator=adversarial-autoencoder", "--discriminator=mlp"),
    ),
    "cycle": (
        *("--generator=autoencoder", "--discriminator=dcgan", "--game=cycle", "--sampler=field"),
        *("--dataset=image-pairs", "--set=dataset.root=PICTURES", "--set=dataset.source=PICTURES"),
        *("--set=dataset.pairing=none", "--image-size=32", "--loss=lsgan"),
        *("--set=generator.widths=[2,4]", "--set=discriminator.width=2"),
    ),
}

Train = Callable[..., Path]


def write_pictures(folder: Path) -> Path:
    """Pictures of noise."""
    folder.mkdir()
    noise = np.random.default_rng(0)
    for number in range(4):
        pixels = noise.integers(0, 256, (16, 16, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def train(cli: Command, tmp_path: Path) -> Train:
    """Train a case, or with other arguments, for a step; the run is called `run`."""

    def prepare(*arguments: str, name: str = "run") -> Path:
        if any("PICTURES" in it for it in arguments):
            folder = write_pictures(tmp_path / "pictures")
            arguments = tuple(it.replace("PICTURES", str(folder)) for it in arguments)
        run = tmp_path / name
        answer = cli("train", *arguments, *QUICK, f"--out={run}")
        assert answer.code == 0, answer.err
        return run

    return prepare
