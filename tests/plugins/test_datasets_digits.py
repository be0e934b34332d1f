"""The data set that comes with ganforge."""

from __future__ import annotations

import runpy
import zipfile
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import torch

from ganforge import Problem
from ganforge_datasets.digits import build
from ganforge_datasets.options import DigitsOptions

DATA = files("ganforge_datasets").joinpath("data")
SCRIPT = Path(__file__).parents[2] / "scripts" / "make_digits.py"


def problem(size: int) -> Problem:
    return Problem(sample_shape=(1, size, size), input_shape=(4,))


def test_the_images_of_every_class() -> None:
    digits = build(problem(32), DigitsOptions())
    assert digits.samples.shape == (1797, 1, 32, 32)
    assert digits.samples.dtype == torch.uint8
    assert digits.labels is not None
    counts = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert torch.bincount(digits.labels).tolist() == counts
    assert digits.classes == tuple("0123456789")
    assert digits.describe().startswith("1,797 samples in 10 classes: 0 (178), 1 (182)")


def test_at_their_own_size_the_values_are_exact() -> None:
    digits = build(problem(8), DigitsOptions(size=8))
    first = [0, 0, 5, 13, 9, 1, 0, 0]  # the first row of the first image, as published
    assert digits.samples[0, 0, 0].tolist() == [round(value * 255 / 16) for value in first]
    assert int(digits.samples.max()) == 255


@pytest.mark.parametrize("size", [8, 28, 32, 64])
def test_enlarging_keeps_the_brightness(size: int) -> None:
    digits = build(problem(size), DigitsOptions(size=size))
    assert digits.samples.shape == (1797, 1, size, size)
    assert digits.samples.float().mean().item() == pytest.approx(77.8, abs=1.5)


def test_the_file_is_small_and_carries_no_time() -> None:
    with DATA.joinpath("digits.npz").open("rb") as stream:
        assert stream.seek(0, 2) < 60_000
        with zipfile.ZipFile(stream) as archive:
            assert {member.date_time[0] for member in archive.infolist()} == {1980}
            assert archive.namelist() == ["images.npy", "labels.npy"]


def test_the_attribution_is_there() -> None:
    text = DATA.joinpath("ATTRIBUTION.md").read_text(encoding="utf-8")
    for part in ("Alpaydin", "Kaynak", "10.24432/C50P49", "CC BY", "What was changed"):
        assert part in text


def test_the_script_writes_the_same_bytes_for_the_same_arrays(tmp_path: Path) -> None:
    write_npz = runpy.run_path(str(SCRIPT))["write_npz"]
    with DATA.joinpath("digits.npz").open("rb") as stream, np.load(stream) as stored:
        arrays = {name: stored[name] for name in stored.files}
    for name in ("a.npz", "b.npz"):
        write_npz(tmp_path / name, arrays)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    with np.load(tmp_path / "a.npz", allow_pickle=False) as again:
        assert (again["images"] == arrays["images"]).all()
