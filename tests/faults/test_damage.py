"""Files that are cut, flipped, or something else: told, never believed, never waited for."""

from __future__ import annotations

import os
import random
import shutil
import zipfile
from pathlib import Path

import pytest
import torch
from PIL import Image

from ganforge.errors import CheckpointError
from ganforge.storage import tensor_file

from .conftest import T
from .processes import Ended, Parent

NUM_FLIPS = 2000
LAST = "checkpoints/step-00000060.safetensors"


@pytest.fixture
def run(reference: Path, tmp_path: Path) -> Path:
    """A copy of the run, to be spoilt."""
    return Path(shutil.copytree(reference, tmp_path / "run"))


def undetected_flips(path: Path, kind: str) -> list[int]:
    """The bits, of those that were flipped one at a time, that reading did not notice."""
    body = bytearray(path.read_bytes())
    chooser = random.Random(0)
    found = []
    for bit in chooser.sample(range(len(body) * 8), NUM_FLIPS):
        body[bit // 8] ^= 1 << bit % 8
        path.write_bytes(body)
        try:
            tensor_file.read(path, kind)
            found.append(bit)
        except CheckpointError:
            pass
        body[bit // 8] ^= 1 << bit % 8
    return found


def test_every_one_of_2000_flipped_bits_is_noticed_in_a_checkpoint(run: Path) -> None:
    assert undetected_flips(run / LAST, "checkpoint") == []


def test_every_one_of_2000_flipped_bits_is_noticed_in_a_generator(run: Path) -> None:
    assert undetected_flips(run / "generator.safetensors", "generator") == []


@pytest.mark.parametrize("share", [0, 1, 10, 25, 49])
def test_a_cut_checkpoint_gives_way_to_the_one_before(
    parent: Parent, run: Path, share: int
) -> None:
    path = run / LAST
    path.write_bytes(path.read_bytes()[: path.stat().st_size * share // 50])
    ended = parent.run("train", "--resume", "run", folder=run.parent)
    assert ended.code == 0
    assert "Warning: run/checkpoints/step-00000060.safetensors is " in ended.err
    assert "it is set aside, and the one before is used" in ended.text
    assert tensor_file.read(path, "checkpoint")[1]["step"] == 60


def test_no_sound_checkpoint_is_an_error_that_names_the_last(parent: Parent, run: Path) -> None:
    for path in (run / "checkpoints").iterdir():
        path.write_bytes(path.read_bytes()[:-1])
    ended = parent.run("train", "--resume", "run", folder=run.parent)
    assert ended.code == 1
    assert "is truncated or damaged" in ended.text
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("share", [0, 1, 10, 25, 49])
def test_a_cut_generator_is_named(parent: Parent, run: Path, share: int) -> None:
    path = run / "generator.safetensors"
    path.write_bytes(path.read_bytes()[: path.stat().st_size * share // 50])
    ended = parent.run("sample", path, "--out", "x.png", folder=run.parent)
    assert_refused(ended, run.parent, "generator.safetensors is ")


def assert_refused(ended: Ended, folder: Path, message: str) -> None:
    assert ended.code == 1, ended
    assert message in ended.text
    assert "Traceback" not in ended.err
    assert not (folder / "x.png").exists()
    assert 0 < ended.peak < 300
    assert ended.seconds < 20  # two on a machine without other work


def write_png(path: Path) -> None:
    Image.new("L", (200, 200), 128).save(path, "PNG")


def write_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("../../x", "y")


def write_sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(20 * 2**30)


OTHER_FILES = {
    "png": write_png,
    "zip": write_zip,
    "pickle": lambda path: torch.save({"x": torch.ones(3)}, path),
    "text": lambda path: path.write_text("hello " * 5000),
    "directory": Path.mkdir,
    "fifo": os.mkfifo,
    "endless": lambda path: path.symlink_to("/dev/zero"),
    "sparse": write_sparse,
}


@pytest.mark.parametrize("kind", OTHER_FILES)
def test_another_file_in_the_place_of_a_generator(
    parent: Parent, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "generator.safetensors"
    OTHER_FILES[kind](path)
    ended = parent.run("sample", path, "--out", "x.png", folder=tmp_path)
    if kind == "directory":
        assert ended.code == 2
        assert "is neither a run directory nor a generator.safetensors" in ended.text
        return
    irregular = kind in ("fifo", "endless")
    message = "it is not a regular file" if irregular else "generator.safetensors is not a "
    assert_refused(ended, tmp_path, message)


@pytest.mark.parametrize("kind", OTHER_FILES)
def test_another_file_in_the_place_of_a_checkpoint(parent: Parent, run: Path, kind: str) -> None:
    for path in (run / "checkpoints").iterdir():
        path.unlink()
    OTHER_FILES[kind](run / LAST)
    ended = parent.run("train", "--resume", "run", folder=run.parent)
    message = "not a "
    assert_refused(ended, run.parent, message)


def test_a_newer_format_is_told_and_not_set_aside(
    parent: Parent, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tensors, document = tensor_file.read(run / LAST, "checkpoint")
    monkeypatch.setattr(tensor_file, "FORMAT_VERSION", 99)
    tensor_file.write(run / LAST, "checkpoint", tensors, document)
    monkeypatch.undo()
    ended = parent.run("train", "--resume", "run", folder=run.parent)
    assert ended.code == 1
    assert "was made by a newer ganforge (format 99;" in ended.text
    assert (run / LAST).exists()
    assert T[0] == "train"
