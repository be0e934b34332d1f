"""What is wrong with a request for an export is told before torch is loaded, in one paragraph."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from ganforge.storage import tensor_file
from tests.conftest import Command


@pytest.fixture
def generator(tmp_path: Path) -> Path:
    """A file that is a generator by its header; nothing here reads more."""
    path = tmp_path / "generator.safetensors"
    document = {"problem": {"sample_shape": [2], "input_shape": [2], "num_classes": None}}
    tensor_file.write(path, "generator", {}, document)
    return path


MISTAKES = {
    "--format onnx --out x.pt2": "--out x.pt2: --format onnx makes a .onnx file",
    "--format safetensors --batch 3": "--batch belongs to programs: weights fit any batch",
    "--format safetensors --truncation 0.5": "--truncation belongs to programs",
    "--format torch-export --with-training-state": "belongs to --format safetensors",
    "--format safetensors --with-training-state": "is a generator alone, without training state",
    "--format torch-export --out absent/folder/x.pt2": "the directory absent does not exist",
    "--format torch-export --batch 0": "0 is not in the range x>=1",
    "--format tensorflow": "'tensorflow' is not one of",
    "": "Missing option '--format'",
}


@pytest.mark.parametrize("arguments", MISTAKES)
def test_a_mistake_is_told(arguments: str, generator: Path, cli: Command):
    answer = cli("export", generator, *arguments.split())
    assert answer.code == 2
    assert answer.out == ""
    assert MISTAKES[arguments] in answer.text
    assert sorted(generator.parent.rglob("*.*")) == [generator]


def test_the_generator_itself_is_not_overwritten(generator: Path, cli: Command):
    answer = cli("export", generator, "--format", "safetensors", "--out", generator)
    assert answer.code == 2
    assert "is the generator itself; name another file" in answer.text


def test_a_package_that_is_missing_is_named(
    generator: Path, cli: Command, monkeypatch: pytest.MonkeyPatch
):
    real = importlib.util.find_spec
    monkeypatch.setattr(
        "ganforge.export.exporting.find_spec",
        lambda name: None if name.startswith("onnx") else real(name),
    )
    answer = cli("export", generator, "--format", "onnx")
    assert answer.code == 2
    assert answer.text == (
        "Error: --format onnx needs the package 'onnx', which is not installed: "
        'pip install "ganforge[onnx]"'
    )


def test_a_run_without_a_generator_is_told_so(tmp_path: Path, cli: Command):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.toml").write_text("")
    answer = cli("export", tmp_path / "run", "--format", "safetensors")
    assert (answer.code, answer.out) == (2, "")
    assert "has not saved a generator yet" in answer.text
