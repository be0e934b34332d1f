"""Samples of every kind, trained by name, shown while training, and written as their data was."""

from __future__ import annotations

import csv
import io
import wave
from pathlib import Path

import numpy
import pytest
from PIL import Image

DATASETS = """
import torch
from ganforge import DatasetSpec, Field, Fit, InMemoryDataset, hookimpl

COLUMNS = [
    {"name": "age", "kind": "number", "start": 0, "decimals": 0},
    {"name": "colour", "kind": "category", "start": 1, "size": 3, "values": ["red", "a,b", None]},
    {"name": "income", "kind": "number", "start": 4},
]
SCALE, OFFSET = torch.tensor([[40.0, 1, 1, 1, 100], [50.0, 0, 0, 0, 900]])
TABLE = Fit(facts={"columns": COLUMNS}, tensors={"scale": SCALE, "offset": OFFSET})
TOKENS = Fit(facts={"tokens": ["red", "fox", "runs"]})

def noise(*shape):
    return torch.rand(30, *shape, generator=torch.Generator().manual_seed(0)) * 2 - 1

#: name -> the field as it is declared, and the data set
SETS = {
    # How many numbers a row takes is known once the data was read.
    "rows": (Field(kind="vector", format="table"), lambda: InMemoryDataset(
        noise(5), fit=TABLE, fields={"sample": Field(kind="vector", shape=(5,), format="table")})),
    "sounds": (Field(kind="sequence", shape=(1, 400), rate=8000, format="audio"),
               lambda: InMemoryDataset(noise(1, 400))),
    "series": (Field(kind="sequence", shape=(2, 20), rate=10),
               lambda: InMemoryDataset(noise(2, 20))),
    "texts": (Field(kind="sequence", shape=(3, 6), format="text"),
              lambda: InMemoryDataset(noise(3, 6), fit=TOKENS)),
    "films": (Field(kind="video", shape=(1, 4, 8, 8), dtype="uint8", rate=20),
              lambda: InMemoryDataset(((noise(1, 4, 8, 8) + 1) * 127).to(torch.uint8))),
    "clouds": (Field(kind="points", shape=(16, 3)), lambda: InMemoryDataset(noise(16, 3))),
    "volumes": (Field(kind="voxels", shape=(1, 6, 6, 6)),
                lambda: InMemoryDataset(noise(1, 6, 6, 6))),
    "bands": (Field(kind="image", shape=(13, 8, 8), range=(0.0, 65535.0)),
              lambda: InMemoryDataset((noise(13, 8, 8) + 1) * 32767.5)),
}

@hookimpl
def ganforge_datasets():
    for name, (field, _) in SETS.items():
        yield DatasetSpec(name=name, summary="s", build=f"ganforge_kinds:{name}",
                          fields=lambda options, field=field: {"sample": field})

for name, (_, make) in SETS.items():
    globals()[name] = lambda problem, options, make=make: make()
"""

#: data set -> the files besides a picture and arrays, and how many samples a picture shows
KINDS = {
    "rows": (["csv"], 1000),
    "sounds": (["wav"], 8),
    "series": (["csv"], 16),
    "texts": (["txt"], 20),
    "films": (["gif", "apng"], 12),
    "clouds": (["ply"], 16),
    "volumes": ([], 12),
    "bands": (["tiff"], 64),
}


@pytest.fixture
def train(cli, fake_plugin):
    """Train the smallest perceptron on a data set for two steps; its run is `run`."""
    fake_plugin("ganforge-kinds", DATASETS)

    def run(name):
        answer = cli(
            "train", "--generator", "mlp", "--dataset", name, "--steps", 2, "--batch-size", 4,
            "--device", "cpu", "--set", "generator.hidden=[8]", "--set", "discriminator.hidden=[8]",
            "--set", "evaluation.num_samples=50", "--out", "run",
        )  # fmt: skip
        assert (answer.code, answer.err) == (0, "")
        return answer

    return run


@pytest.mark.parametrize("name", KINDS)
def test_samples_of_every_kind_are_shown_and_written(cli, train, name):
    train(name)
    pictures = sorted(path.name for path in Path("run/samples").iterdir())
    assert pictures == ["00000000.png", "00000002.png", "real.png"]
    suffixes, num_pictured = KINDS[name]
    answer = cli("sample", "run", "--device", "cpu")
    assert answer.out == f"Wrote {num_pictured} samples (seed 0) to run/samples.png\n"
    for suffix in ("png", "npz", *suffixes):
        answer = cli("sample", "run", "--num", 3, "--out", f"a.{suffix}", "--device", "cpu")
        assert answer == (0, f"Wrote 3 samples (seed 0) to a.{suffix}\n", "")
        assert Path(f"a.{suffix}").stat().st_size > 10


def test_a_table_is_told_and_written_with_the_columns_of_its_data(cli, train):
    answer = train("rows")
    assert "rows, 5: 30 samples" in answer.out
    cli("sample", "run", "--num", 20, "--out", "a.csv", "--device", "cpu")
    header, *rows = csv.reader(io.StringIO(Path("a.csv").read_text()))
    assert header == ["age", "colour", "income"]
    assert {row[1] for row in rows} <= {"red", "a,b", ""}
    assert all(float(row[0]).is_integer() for row in rows)
    assert 700 < sum(float(row[2]) for row in rows) / 20 < 1100


def test_what_was_declared_and_learnt_is_in_the_generators_file_alone(cli, train):
    train("sounds")
    Path("run/config.toml").unlink()
    alone = Path("run/generator.safetensors").rename("alone.safetensors")
    assert cli("sample", alone, "--num", 2, "--out", "a.wav", "--device", "cpu").code == 0
    with wave.open("a.wav") as file:
        assert (file.getframerate(), file.getnframes()) == (8000, 2 * 400 + 2000)


def test_bands_come_back_in_the_range_of_the_data(cli, train):
    train("bands")
    for out in ("a.tiff", "a.npz"):
        assert cli("sample", "run", "--num", 2, "--out", out, "--device", "cpu").code == 0
    samples = numpy.load("a.npz")["samples"]
    assert samples.shape == (2, 13, 8, 8)
    assert 10_000 < samples.mean() < 55_000
    levels = numpy.frombuffer(Path("a.tiff").read_bytes()[-13 * 8 * 8 * 2 :], "<u2")
    expected = samples[1].transpose(1, 2, 0).round().flatten()
    assert numpy.array_equal(levels, expected.astype(numpy.uint16))


def test_videos_move_and_are_walked_through(cli, train):
    train("films")
    assert cli("sample", "run", "--out", "a.gif", "--device", "cpu").code == 0
    with Image.open("a.gif") as image:
        assert image.n_frames <= 4
        assert image.info["duration"] >= 50
    walk = ["--interpolate", "slerp", "--num", 2, "--frames", 2, "--out", "walk.gif"]
    assert cli("sample", "run", *walk, "--device", "cpu").code == 0
