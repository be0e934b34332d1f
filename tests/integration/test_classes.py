"""Labels mean what they meant in training, whatever has become of the folder of images since."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

import ganforge_images.classes
from ganforge.storage import tensor_file

from .conftest import TINY

CONDITIONAL = (*TINY, "--channels", "1", "--conditional", "--steps", "6", "--batch-size", "6")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Images of two classes, each of the shade that the name of its folder gives."""
    for name in ("2", "10"):
        (tmp_path / "images" / name).mkdir(parents=True)
        for number in range(6):
            image = Image.new("L", (8, 8), 20 * int(name) + number)
            image.save(tmp_path / "images" / name / f"{number}.png")
    return tmp_path / "images"


def stored(run: Path, step: int) -> tuple[dict, dict]:
    return tensor_file.read(run / f"checkpoints/step-{step:08d}.safetensors", "checkpoint")


def as_0_1_wrote_it(run: Path, step: int) -> None:
    """Take out of a run what 0.1 did not store."""
    path = run / f"checkpoints/step-{step:08d}.safetensors"
    tensors, document = tensor_file.read(path, "checkpoint")
    document.pop("classes")
    tensor_file.write(path, "checkpoint", tensors, document)


def test_a_class_is_sampled_by_its_name(ganforge, folder, tmp_path):
    assert ganforge("train", *CONDITIONAL, "--dataset", "./images", "--out", "run").code == 0
    answer = ganforge("sample", "run", "--labels", "10,2,10", "--out", "a.npz")
    assert answer.code == 0, answer.err
    with np.load("a.npz") as arrays:
        assert arrays["labels"].tolist() == [1, 0, 1]
    assert stored(tmp_path / "run", 6)[1]["classes"] == {"label": ["2", "10"]}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("10", "11", "it has 11 and it lacks 10 (the classes were 2 and 10, and are 2 and 11)"),
        ("10", "1/x", "it has 1 and it lacks 10 (the classes were 2 and 10, and are 1 and 2)"),
    ],
)
def test_a_class_that_has_another_name_now_is_an_error(
    ganforge, folder, tmp_path, old, new, message
):
    run = (
        "--dataset",
        "./images",
        "--out",
        "run",
        "--checkpoint-every",
        "3",
        "--learning-rate",
        "1e-3",
    )
    assert ganforge("train", *CONDITIONAL, *run).code == 0
    before = stored(tmp_path / "run", 6)
    (folder / new).parent.mkdir(exist_ok=True)
    (folder / old).rename(folder / new)
    answer = ganforge("train", "--resume", "run", "--steps", "9")
    assert (answer.code, answer.out) == (2, "")
    assert answer.text == (
        "Error: the dataset 'images' of ganforge 0.1.0 has other classes of 'label' than the run "
        f"was trained on, so that a label would mean something else: {message}"
    )
    assert json.loads((tmp_path / "run/status.json").read_text())["state"] == "finished"
    after = stored(tmp_path / "run", 6)
    assert after[1] == before[1]
    assert not (tmp_path / "run/checkpoints/step-00000009.safetensors").exists()


def test_a_run_of_0_1_keeps_the_numbers_of_its_classes(ganforge, folder, tmp_path, monkeypatch):
    """0.1 sorted the names as texts, and stored them in the generator alone."""
    run = (*CONDITIONAL, "--dataset", "./images", "--checkpoint-every", "3")
    with monkeypatch.context() as then:
        then.setattr(ganforge_images.classes, "natural_order", lambda name: name)
        assert ganforge("train", *run, "--out", "straight").code == 0
        assert ganforge("train", *run, "--out", "resumed").code == 0
    assert stored(tmp_path / "straight", 3)[1]["classes"] == {"label": ["10", "2"]}
    (tmp_path / "resumed/checkpoints/step-00000006.safetensors").unlink()
    as_0_1_wrote_it(tmp_path / "resumed", 3)
    answer = ganforge("train", "--resume", "resumed")
    assert (answer.code, answer.err) == (0, "")
    (ours, document), (theirs, _) = (stored(tmp_path / it, 6) for it in ("resumed", "straight"))
    assert [name for name in theirs if not torch.equal(ours[name], theirs[name])] == []
    assert document["classes"] == {"label": ["10", "2"]}
    answer = ganforge("sample", "resumed", "--labels", "10,2", "--out", "a.npz")
    assert (answer.code, answer.err) == (0, "")
    with np.load("a.npz") as arrays:
        assert arrays["labels"].tolist() == [0, 1]
    # Shuffled labels would have trained something else: the weights do depend on them.
    assert ganforge("train", *run, "--out", "natural").code == 0
    other = load_file(tmp_path / "natural/generator.safetensors")
    generator = load_file(tmp_path / "straight/generator.safetensors")
    assert any(not torch.equal(other[name], generator[name]) for name in other)


def test_names_that_are_lost_are_no_secret(ganforge, folder, tmp_path):
    run = ("--dataset", "./images", "--out", "run", "--checkpoint-every", "3")
    assert ganforge("train", *CONDITIONAL, *run).code == 0
    as_0_1_wrote_it(tmp_path / "run", 6)
    (tmp_path / "run/generator.safetensors").unlink()
    answer = ganforge("train", "--resume", "run", "--steps", "7")
    assert answer.code == 0
    assert (
        "run/generator.safetensors cannot be read: No such file or directory; it has the names of "
        "the classes that the run was trained on, and without them nothing tells whether the "
        "labels of the data still mean the same"
    ) in answer.text
