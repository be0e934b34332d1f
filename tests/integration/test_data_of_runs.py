"""The data of a run is kept in mind: what has become of it since is told when the run goes on."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganforge.config.layers import from_run
from ganforge.config.resolve import resolve
from ganforge.engine.data_record import compare_data
from ganforge.storage.run_directory import RunDirectory
from ganforge_images.checking import Checker
from tests.torchvision_files import write_idx, write_mnist

from .conftest import TINY

# A rate that falls would be stretched by further steps, which is told.
RUN = (*TINY, "--learning-rate", "1e-3", "--steps", "2", "--out", "run")
ON = ("train", "--resume", "run", "--steps")
FOLDER = (*RUN, "--dataset", "./images", "--channels", "1")
CONDITIONAL = (*FOLDER, "--conditional")
LABEL = "the dataset 'images' of ganforge 0.1.0"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Images of two fruits, of each six, no two of them alike."""
    for number, name in enumerate(("apple", "pear")):
        (tmp_path / "images" / name).mkdir(parents=True)
        for shade in range(6):
            image = Image.new("L", (8, 8), 100 * number + shade)
            image.save(tmp_path / "images" / name / f"{shade}.png")
    return tmp_path / "images"


def last_session(run: Path) -> dict:
    return json.loads((run / "environment.json").read_text())["sessions"][-1]


def test_data_that_is_the_same_is_not_mentioned(ganforge, folder, tmp_path):
    assert ganforge("train", *CONDITIONAL).code == 0
    kept = (tmp_path / "run/data.json").read_bytes()
    shutil.copytree(folder, tmp_path / "copied")  # with other times, and in another order
    shutil.rmtree(folder)
    (tmp_path / "copied").rename(folder)
    answer = ganforge(*ON, 3)
    assert (answer.code, answer.err) == (0, "")
    assert (tmp_path / "run/data.json").read_bytes() == kept
    assert last_session(tmp_path / "run")["data"]["differences"] == []


def test_files_that_came_went_changed_and_moved_are_named(ganforge, folder, tmp_path):
    assert ganforge("train", *CONDITIONAL).code == 0
    digest = last_session(tmp_path / "run")["data"]["digest"]
    for number in range(4):
        Image.new("L", (8, 8), 200 + number).save(folder / "pear" / f"new{number}.png")
    (folder / "apple/0.png").unlink()
    Image.new("L", (8, 8), 77).save(folder / "apple/1.png")
    (folder / "apple/2.png").rename(folder / "apple/two.png")
    answer = ganforge(*ON, 3)
    told = (
        "4 files added (pear/new0.png, pear/new1.png, pear/new2.png and 1 more)",
        "1 file removed (apple/0.png)",
        "1 file changed (apple/1.png)",
        "1 file moved (apple/2.png to apple/two.png)",
        "15 samples in place of 12",
    )
    assert answer.code == 0
    assert answer.text.startswith(
        f"Warning: {LABEL} is not what run was trained on: {'; '.join(told)}. The run goes on with "
        "what is there now, and no longer equals one that was never stopped"
    )
    session = last_session(tmp_path / "run")["data"]
    assert session["differences"] == [*told]
    assert session["samples"] == 15
    assert session["digest"] != digest
    assert ganforge(*ON, 4).err == ""  # which was told once


def test_classes_that_have_changed_places_are_an_error(ganforge, folder, tmp_path):
    assert ganforge("train", *CONDITIONAL).code == 0
    (folder / "apple").rename(folder / "x")
    (folder / "pear").rename(folder / "apple")
    (folder / "x").rename(folder / "pear")
    answer = ganforge(*ON, 3)
    assert (answer.code, answer.out) == (2, "")
    assert "6 of 6 files of 'apple' are 'pear' now; 6 of 6 files of 'pear' are 'appl" in answer.text
    (folder / "pear").rename(folder / "x")
    (folder / "apple").rename(folder / "pear")
    (folder / "x").rename(folder / "apple")
    assert ganforge(*ON, 3)[::2] == (0, "")


def test_classes_that_no_network_is_told_may_have_other_names(ganforge, folder):
    assert ganforge("train", *FOLDER).code == 0
    (folder / "apple").rename(folder / "quince")
    answer = ganforge(*ON, 3)
    assert answer.code == 0
    assert "6 files moved (apple/0.png to quince/0.png, apple/1.png to quince/1" in answer.text


@pytest.mark.parametrize("content", ["", "{", "[]", '{"samples": 3}', '{"samples": [], "x": 1}'])
def test_a_record_that_is_damaged_or_lost_stops_nothing(ganforge, folder, tmp_path, content):
    assert ganforge("train", *CONDITIONAL).code == 0
    (folder / "apple/0.png").unlink()
    (tmp_path / "run/data.json").write_text(content)
    answer = ganforge(*ON, 3)
    assert answer.code == 0
    assert "data.json of run cannot be read (" in answer.text
    assert json.loads((tmp_path / "run/data.json").read_text())["samples"] == 11


def test_a_run_of_which_nothing_was_kept_goes_on(ganforge, folder, tmp_path):
    assert ganforge("train", *CONDITIONAL).code == 0
    (folder / "apple/0.png").unlink()
    (tmp_path / "run/data.json").unlink()
    assert ganforge(*ON, 3)[::2] == (0, "")
    assert json.loads((tmp_path / "run/data.json").read_text())["samples"] == 11


def test_a_relative_path_leads_where_it_led(ganforge, folder, tmp_path, monkeypatch):
    assert ganforge("train", *CONDITIONAL).code == 0
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "images").mkdir(parents=True)  # which is not meant
    monkeypatch.chdir(elsewhere)
    answer = ganforge("train", "--resume", "../run", "--steps", 3)
    assert (answer.code, answer.err) == (0, "")
    # The path is written down as it was typed: the place is no one else's business.
    shared = [*(tmp_path / "run").rglob("*.safetensors"), tmp_path / "run/config.toml"]
    assert all(str(tmp_path).encode() not in it.read_bytes() for it in shared)
    monkeypatch.chdir(tmp_path)
    assert ganforge("train", "--resume", "run", "--steps", 4)[::2] == (0, "")
    folder.rename(tmp_path / "pictures")
    monkeypatch.chdir(elsewhere)
    (elsewhere / "images").rmdir()
    answer = ganforge("train", "--resume", "../run", "--steps", 5)
    assert (answer.code, answer.out) == (2, "")
    assert answer.text == (
        "Error: there is no folder or zip file './images'. Name one with --set dataset.root=PATH. "
        f"When the run was last trained, dataset.root = './images' was {folder}"
    )
    answer = ganforge("train", "--resume", "../run", "--steps", 5, "--dataset", "../pictures")
    assert (answer.code, answer.err) == (0, "")
    monkeypatch.chdir(tmp_path)
    assert ganforge("train", "--resume", "run", "--steps", 6)[::2] == (0, "")


def test_a_run_that_was_moved_with_its_data_finds_it_from_there(
    ganforge, folder, tmp_path, monkeypatch
):
    assert ganforge("train", *CONDITIONAL).code == 0
    there = tmp_path / "there"
    there.mkdir()
    (tmp_path / "run").rename(there / "run")
    folder.rename(there / "images")
    monkeypatch.chdir(there)
    assert ganforge("train", "--resume", "run", "--steps", 3)[::2] == (0, "")


def test_a_set_that_names_no_files_is_told_by_its_samples(ganforge, tmp_path):
    write_mnist(tmp_path / "data", "mnist")
    assert ganforge("train", *RUN, "--dataset", "mnist").code == 0
    assert ganforge(*ON, 3)[::2] == (0, "")
    images = np.random.default_rng(1).integers(0, 256, (20, 28, 28))
    images[3:5] = 0
    write_idx(tmp_path / "data/MNIST/raw/train-images-idx3-ubyte", images)
    answer = ganforge(*ON, 4)
    assert answer.code == 0
    assert "2 of 20 values of 'sample' that were compared are others. The run goes" in answer.text
    write_idx(tmp_path / "data/MNIST/raw/train-images-idx3-ubyte", images[:18])
    write_idx(tmp_path / "data/MNIST/raw/train-labels-idx1-ubyte", np.arange(18) % 10)
    assert "18 samples in place of 20. The run goes on" in ganforge(*ON, 5).text


def test_the_differences_can_be_asked_for(ganforge, folder, tmp_path, installed):
    assert ganforge("train", *CONDITIONAL).code == 0
    run = RunDirectory(tmp_path / "run")
    config = resolve([from_run(run.config)], installed)
    assert compare_data(run, config) == ()
    (folder / "pear/5.png").unlink()
    assert compare_data(run, config) == (
        "1 file removed (pear/5.png)",
        "11 samples in place of 12",
    )
    (tmp_path / "run/data.json").unlink()
    assert compare_data(run, config) is None


@pytest.mark.parametrize(
    ("command", "consequence"),
    [
        (
            ("evaluate", "run", "--num", 8, "--metric", "fid", "--features", "random"),
            "The scores are those by what is",
        ),
        (("sample", "run", "--refine", "rejection", "--num", 8), "Samples are refined by what is"),
    ],
)
def test_other_commands_tell_too(ganforge, folder, tmp_path, monkeypatch, command, consequence):
    assert ganforge("train", *FOLDER).code == 0
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    from_there = [f"../{it}" if it == "run" else it for it in command]
    answer = ganforge(*from_there)
    assert answer.code == 0, answer.err
    assert "trained on" not in answer.err
    (folder / "apple/0.png").unlink()
    answer = ganforge(*from_there)
    assert answer.code == 0, answer.err
    assert (
        f"is not what ../run was trained on: 1 file removed (apple/0.png); 11 samples in place of "
        f"12. {consequence} there now"
    ) in answer.text


def test_a_run_that_fails_before_its_first_step_leaves_no_record(ganforge, tmp_path):
    (tmp_path / "images").mkdir()
    answer = ganforge("train", *FOLDER)
    assert answer.code == 2
    assert not (tmp_path / "run").exists()


def test_a_number_may_be_the_name_of_a_folder(ganforge, folder, tmp_path):
    folder.rename(tmp_path / "2024")
    data = ("--set", "dataset.name=images", "--set", "dataset.root=2024", "--channels", "1")
    assert ganforge("train", *RUN, *data).code == 0
    assert ganforge(*ON, 3)[::2] == (0, "")
    (tmp_path / "a.toml").write_text("[dataset]\nname = 'images'\nroot = 2024\n")
    answer = ganforge("train", *RUN[:-1], "other", "--config", "a.toml")
    assert (answer.code, answer.out) == (2, "")
    assert (
        "a.toml:3: dataset.root of the dataset 'images': expected a string, got 2024; in quotes it "
        'is one: "2024"'
    ) in answer.text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_scan_of_a_folder(ganforge, folder, monkeypatch, number):
    for index in range(400):
        shutil.copy(folder / "apple/0.png", folder / f"apple/copy{index}.png")
    checked, several = [], Checker.several

    def slowly(self, entries):
        checked.append(len(entries))
        if len(checked) == 2:
            os.kill(os.getpid(), number)
        time.sleep(0.05)
        return several(self, entries)

    monkeypatch.setattr(Checker, "several", slowly)
    answer = ganforge("train", *FOLDER)
    assert answer.code == 128 + number
    assert len(checked) < 8  # of 13 tasks
    assert "Traceback" not in answer.err


def test_the_start_says_what_was_taken_and_what_was_left(ganforge, folder):
    for name, content in (("a.txt", "x"), ("b.txt", "x"), ("apple/bad.png", "x")):
        (folder / name).write_text(content)
    answer = ganforge("train", *FOLDER)
    assert answer.code == 0
    lines = answer.out.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("  data "))
    assert lines[at : at + 2] == [
        "  data          images, 1 x 8 x 8: 12 samples in 2 classes: apple (6), pear (6)",
        "  left out      1 unreadable file, 2 other files (.txt 2)",
    ]
    assert "left out 1 of 13 files in './images' that cannot be read: 'apple/bad.png'" in answer.err
