"""Systems for what is no picture, as plugins."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

from tests.systems.harness import System

RATE = 256  # Hz; a clip is a second


def write_clips(folder: Path) -> None:
    """Twenty sounds of half a second to one and a half, 16 bits."""
    noise = np.random.default_rng(0)
    (folder / "clips").mkdir()
    for number in range(20):
        length = RATE // 2 + number * RATE // 20
        tone = np.sin(np.arange(length) * noise.uniform(0.1, 1.0)) * noise.uniform(0.2, 0.9)
        with wave.open(str(folder / "clips" / f"{number:02d}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes((tone * 32_767).astype("<i2").tobytes())


def write_series(folder: Path) -> None:
    """Two signals of 60 moments, in units far from each other."""
    moments = np.arange(60)
    pressure, current = 1000 + 20 * np.sin(moments / 4), 1e-3 * np.cos(moments / 7)
    rows = [f"{a:.3f},{b:.6f}" for a, b in zip(pressure, current, strict=True)]
    (folder / "series.csv").write_text("\n".join(["pressure,current", *rows]) + "\n")


def write_volumes(folder: Path) -> None:
    """Twenty boxes of voxels."""
    noise = np.random.default_rng(0)
    (folder / "volumes").mkdir()
    for number in range(20):
        volume = np.zeros((16, 16, 16), dtype=bool)
        first, last = noise.integers(1, 7, 3), noise.integers(8, 15, 3)
        volume[tuple(map(slice, first, last))] = True
        np.save(folder / "volumes" / f"{number:02d}.npy", volume)


def write_clouds(folder: Path) -> None:
    """Twenty ellipsoids of 30 points."""
    noise = np.random.default_rng(0)
    (folder / "clouds").mkdir()
    for number in range(20):
        points = noise.normal(size=(30, 3))
        points /= np.linalg.norm(points, axis=1, keepdims=True)
        np.save(folder / "clouds" / f"{number:02d}.npy", points * noise.uniform(0.5, 4, 3) + 7)


def write_scenes(folder: Path) -> None:
    """Twenty images of thirteen bands, some of them brighter than their range."""
    noise = np.random.default_rng(0)
    (folder / "scenes").mkdir()
    for number in range(20):
        scene = noise.integers(0, 12_000, (13, 32, 32), dtype=np.uint16)
        np.save(folder / "scenes" / f"{number:02d}.npy", scene)


def write_people(folder: Path) -> None:
    """A table of 600 rows: two columns of numbers, one of them with two modes, and two others."""
    noise = np.random.default_rng(0)
    lines = ["age,height,city,member"]
    for number in range(600):
        age = noise.normal(*((8, 1) if number % 3 else (60, 4)))
        city = noise.choice(["Oslo", "Bergen, west", "Ny-Ålesund"], p=[0.7, 0.28, 0.02])
        height = noise.normal(1.7, 0.1)
        lines.append(f'{age:.0f},{height:.2f},"{city}",{noise.choice(["yes", "no"])}')
    (folder / "people.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_lines(folder: Path) -> None:
    """The words of a small grammar: sums of x, as Kusner and Hernández-Lobato have them."""
    noise = np.random.default_rng(0)
    lines = []
    for _ in range(200):
        terms = noise.choice(["x", "2x", "-x", "(x)"], noise.integers(1, 4))
        lines.append("+".join(terms) + noise.choice([" ü", "", "/3"]))
    (folder / "lines.txt").write_text("\n".join(lines), encoding="utf-8")


SYSTEMS: dict[str, System] = {
    "WaveGAN": System(
        package="ganforge-wavegan",
        recipe="wavegan",
        settings=(
            "dataset.root=clips",
            f"dataset.rate={RATE}",
            f"dataset.length={RATE}",
            "generator.width=2",
            "discriminator.width=2",
            "discriminator.period_width=1",
            "discriminator.periods=[2,3]",
        ),
        data=write_clips,
        shape=(1, RATE),
        options={
            "dataset/clips": {"rate": RATE, "length": RATE},
            "discriminator/waveform-and-periods": {"periods": [2, 3], "period_width": 2},
        },
    ),
    "RCGAN": System(
        package="ganforge-rcgan",
        recipe="rcgan",
        settings=("dataset.length=12", "generator.hidden=4", "discriminator.hidden=4"),
        data=write_series,
        shape=(1, 12),
        sample=("--condition", "frequency=3"),
        options={"dataset/series": {"file": "series.csv", "length": 10}},
    ),
    "RGAN of a table": System(
        package="ganforge-rcgan",
        recipe="rcgan",
        settings=(
            "dataset.name=series",
            "dataset.file=series.csv",
            "dataset.length=12",
            "generator.hidden=4",
            "generator.conditions=[]",
            "discriminator.hidden=4",
            "discriminator.conditions=[]",
        ),
        data=write_series,
        shape=(2, 12),
    ),
    "3D-GAN": System(
        package="ganforge-voxgan",
        recipe="3d-gan",
        settings=(
            "dataset.size=16",
            "sampler.size=6",
            "generator.width=2",
            "discriminator.width=2",
        ),
        data=write_volumes,
        shape=(1, 16, 16, 16),
        options={"dataset/volumes": {"size": 16}},
    ),
    "r-GAN": System(
        package="ganforge-clouds",
        recipe="r-gan",
        settings=(
            "dataset.points=24",
            "sampler.size=6",
            "generator.hidden=[8]",
            "discriminator.point=[4,8]",
            "discriminator.cloud=[4]",
            "evaluation.every=1",
        ),
        data=write_clouds,
        shape=(24, 3),
        options={"dataset/clouds": {"points": 24}},
    ),
    "thirteen bands": System(
        package="ganforge-satellite",
        recipe="satellite",
        settings=(
            "dataset.size=32",
            "generator.width=2",
            "discriminator.width=2",
            "evaluation.every=1",
        ),
        data=write_scenes,
        shape=(13, 32, 32),
        options={"dataset/scenes": {"size": 32}},
    ),
    "CTGAN": System(
        package="ganforge-ctgan",
        recipe="ctgan",
        settings=(
            "dataset.file=people.csv",
            "sampler.size=6",
            "generator.hidden=[8]",
            "discriminator.hidden=[8]",
            "game.size=4",
        ),
        data=write_people,
        shape=(10,),
        options={"dataset/mixed-table": {"file": "people.csv"}},
        expected_failures={
            "generator/ctgan": {
                "every-part-of-the-input-counts": "an input for each number of a row perturbs the "
                "choice of a category there, and numbers of other columns are not chosen"
            },
            "loss/chosen-value": {
                "reads-are-as-declared": "it reads in fake_conditions what the generator was told "
                "of the field, of which the kit takes no note"
            },
        },
    ),
    "Gumbel-softmax text": System(
        package="ganforge-gumbeltext",
        recipe="gumbel-text",
        settings=(
            "dataset.file=lines.txt",
            "dataset.length=12",
            "generator.hidden=8",
            "discriminator.representations=2",
            "discriminator.embedding=3",
            "discriminator.filters=4",
            "loss.rpgan.start=1",
        ),
        data=write_lines,
        shape=(11, 12),
        options={"dataset/lines": {"file": "lines.txt", "length": 12}},
    ),
}
