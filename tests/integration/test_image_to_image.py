"""From one picture to another, typed as a user would: pairs, halves, and two sets."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SIDE = 32
SMALL = (
    *("--image-size", "32", "--channels", "1", "--batch-size", "4", "--steps", "3"),
    *("--device", "cpu", "--workers", "0", "--set", "output.grid_samples=4"),
    *("--generator", "autoencoder", "--set", "generator.widths=[2,4]"),
    *("--discriminator", "dcgan", "--set", "discriminator.width=2", "--sampler", "field"),
)
PIX2PIX = (
    *("--set", "generator.skip_connections=true", "--set", "discriminator.conditions=['source']"),
    *("--loss", "nonsat", "--loss", "l1", "--set", "loss.l1.weight=10"),
)
CYCLE = (
    *("--game", "cycle", "--set", "dataset.pairing=none"),
    *("--loss", "lsgan", "--loss", "l1", "--loss", "identity"),
)
FOLDERS = (
    *("--dataset", "image-pairs", "--set", "dataset.root=photographs"),
    *("--set", "dataset.source=maps"),
)
HALVES = (
    *("--dataset", "image-pairs", "--set", "dataset.root=both", "--set", "dataset.split=left"),
)


@pytest.fixture
def pictures(tmp_path: Path) -> dict[str, np.ndarray]:
    """Eight maps with their photographs, in two folders and side by side, and new maps."""
    noise = np.random.default_rng(0)
    made = {
        name: noise.integers(0, 256, (num, SIDE, SIDE), dtype=np.uint8)
        for name, num in (("maps", 8), ("photographs", 8), ("new", 5))
    }
    made["both"] = np.concatenate([made["maps"], made["photographs"]], axis=2)
    for name, images in made.items():
        (tmp_path / name).mkdir()
        for number, image in enumerate(images):
            Image.fromarray(image).save(tmp_path / name / f"{number}.png")
    return made


def arrays(path: str) -> dict[str, np.ndarray]:
    """Arrays of a file; images are bytes `[N, 32, 32]`."""
    with np.load(path) as found:
        assert all(it.shape[1:] == (1, SIDE, SIDE) for it in found.values())
        return {n: np.rint(127.5 * (it[:, 0] + 1)).astype(np.uint8) for n, it in found.items()}


def cells(path: Path, columns: int) -> list[list[np.ndarray]]:
    """The images in each cell of a grid, row by row: two pixels of edge, and one between them."""
    with Image.open(path) as picture:
        pixels = np.asarray(picture.convert("L"))
    height, width = pixels.shape
    num = (width // columns - 5) // (SIDE + 1)
    pitch = num * (SIDE + 1) + 5
    assert width == columns * pitch + 2
    return [
        [pixels[top : top + SIDE, at : at + SIDE] for at in range(left, left + pitch - 5, SIDE + 1)]
        for top in range(2, height - 2, SIDE + 2)
        for left in range(4, width - 2, pitch)
    ]


@pytest.mark.parametrize("data", [FOLDERS, HALVES], ids=["folders", "halves"])
def test_pairs_are_translated_one_by_one(ganforge, pictures, tmp_path, data):
    answer = ganforge(
        "train", *SMALL, *PIX2PIX, *data, "--metric", "mae", "--out", "run",
        "--set", "evaluation.holdout=0.5",
    )  # fmt: skip
    assert (answer.code, answer.err) == (0, "")
    assert ": 8 pairs\n" in answer.out
    lines = [json.loads(it) for it in (tmp_path / "run/metrics.jsonl").read_text().splitlines()]
    assert lines[-1]["metric/mae"] > 0
    # Of the run: what it has held out, with what is real.
    assert ganforge("sample", "run", "--num", "4", "--out", "run.npz").code == 0
    found = arrays("run.npz")
    which = [
        [*map(np.array_equal, pictures["maps"], [it] * 8)].index(True) for it in found["inputs"]
    ]
    assert np.array_equal(found["real"], pictures["photographs"][which])
    assert len({*which}) == 4
    # The grid shows the input, the output and what is real.
    for group, fed, real in zip(
        cells(tmp_path / "run/samples/00000003.png", 2),
        found["inputs"],
        found["real"],
        strict=True,
    ):
        assert len(group) == 3
        assert np.array_equal(group[0], fed)
        assert np.array_equal(group[2], real)
    # Of a folder of inputs alone: as they are, in order, whether the run is there or not.
    for name in ("maps", "photographs", "both"):
        shutil.rmtree(tmp_path / name)
    shutil.copy(tmp_path / "run/generator.safetensors", tmp_path / "alone.safetensors")
    for trained in ("run", "alone.safetensors"):
        answer = ganforge("sample", trained, "--dataset", "./new", "--num", "4", "--out", "new.npz")
        assert (answer.code, answer.err) == (0, "")
        new = arrays("new.npz")
        assert {*new} == {"samples", "inputs"}
        assert np.array_equal(new["inputs"], pictures["new"][:4])
        assert np.abs(new["samples"].astype(int) - new["inputs"]).mean() > 1
    assert ganforge("sample", "run", "--dataset", "./new", "--out", "new.png").code == 0
    assert all(len(group) == 2 for group in cells(tmp_path / "new.png", 2)[:5])
    answer = ganforge("sample", "run")
    assert answer.code == 2
    assert "=PATH. When the run was last trained, " in answer.text
    assert answer.text.endswith("--dataset NAME|PATH takes other data")


def test_two_sets_are_translated_without_pairs(ganforge, pictures, tmp_path):
    for number in range(5):
        (tmp_path / f"maps/{number}.png").rename(tmp_path / f"maps/map {number}.png")
    (tmp_path / "maps/7.png").unlink()
    answer = ganforge("train", *SMALL, *CYCLE, *FOLDERS, "--out", "run")
    assert (answer.code, answer.err) == (0, "")
    assert ": 8 samples; 7 sources\n" in answer.out
    groups = cells(tmp_path / "run/samples/00000003.png", 2)
    assert {len(group) for group in groups} == {2}
    assert all((pictures["maps"] == group[0]).all((1, 2)).any() for group in groups)
    for name in ("maps", "photographs"):
        shutil.rmtree(tmp_path / name)
    answer = ganforge(
        "sample", "run/generator.safetensors", "--dataset", "./new", "--num", "4", "--out", "x.npz"
    )
    assert (answer.code, answer.err) == (0, "")
    assert np.array_equal(arrays("x.npz")["inputs"], pictures["new"][:4])


def test_a_folder_of_inputs_is_fitted_as_in_the_run_that_is_named(ganforge, pictures, tmp_path):
    """Its channels are those of the input, its border that of the run."""
    answer = ganforge(
        "train", *SMALL, *PIX2PIX, *HALVES, "--out", "run", "--set", "dataset.fit=pad",
        "--set", "dataset.background=[9,9,9]", "--set", "dataset.source_channels=3",
    )  # fmt: skip
    assert answer.code == 0, answer.err
    (tmp_path / "wide").mkdir()
    # As wide as two of the images are: it is not halved.
    Image.new("RGB", (64, 32), (200, 100, 50)).save(tmp_path / "wide/a.png")
    assert ganforge("sample", "run", "--dataset", "./wide", "--out", "a.npz").code == 0
    with np.load("a.npz") as found:
        fed = np.rint(127.5 * (found["inputs"][0] + 1))
    assert fed.shape == (3, SIDE, SIDE)
    assert fed[:, 0, 0].tolist() == [9, 9, 9]
    assert fed[:, 16, 0].tolist() == fed[:, 16, 31].tolist() == [200, 100, 50]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            (*CYCLE, *FOLDERS, "--set", "discriminator.conditions=['source']"),
            "--game: the game 'cycle' tells the networks no conditions, and this run has source",
        ),
        (
            (*PIX2PIX, *FOLDERS, "--set", "dataset.pairing=none"),
            "the field 'source' has an order of its own, so it tells nothing of a sample",
        ),
        (
            (*PIX2PIX, *FOLDERS, "--set", "dataset.pairing=none"),
            "the loss 'l1' compares real samples with what the generator makes of them",
        ),
        (
            (*PIX2PIX, *HALVES, "--set", "dataset.root=photographs"),
            "8 pictures in 'photographs' cannot be halved: '0.png' (32 x 32 pixels)",
        ),
        ((*PIX2PIX, *FOLDERS, "--set", "dataset.source=map"), "no folder or zip file 'map'"),
        ((*PIX2PIX, "--dataset", "image-pairs"), "dataset.root"),
    ],
)
def test_what_cannot_be_translated_is_told(ganforge, pictures, tmp_path, arguments, message):
    answer = ganforge("train", *SMALL, *arguments, "--out", "run")
    assert (answer.code, answer.out) == (2, "")
    assert message in answer.text
    assert not (tmp_path / "run").exists()


def test_an_identity_loss_is_for_sets_of_one_shape(ganforge, pictures):
    answer = ganforge(
        "train", *SMALL, *CYCLE, *FOLDERS, "--out", "run", "--set", "dataset.source_channels=3"
    )
    assert answer.code == 1
    assert (
        "step 1 failed in the game 'cycle' of ganforge 0.1.0: an identity loss is for two sets of "
        "one shape: the generator takes 3 x 32 x 32 and makes 1 x 32 x 32"
    ) in answer.text
