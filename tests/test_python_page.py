"""Every example of docs/python.md and of the notebook works, in their order."""

from __future__ import annotations

import json
import re
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch

from .test_documentation import blocks

PAGE = Path(__file__).resolve().parents[1] / "docs" / "python.md"
NOTEBOOK = PAGE.parents[1] / "examples" / "ganforge.ipynb"
#: the modules that documentation may import names from
PUBLIC_MODULES = {"ganforge.nn", "ganforge.testing"}


def test_every_example_of_the_page_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {}
    examples = blocks(PAGE, "python")
    assert len(examples) >= 7
    for number, example in enumerate(examples):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            exec(compile(example, f"{PAGE.name}, example {number}", "exec"), namespace)
    assert (tmp_path / "insects.png").is_file()
    assert "was trained on other data" in capsys.readouterr().out


def test_every_cell_of_the_notebook_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    document = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert (document["nbformat"], document["nbformat_minor"]) == (4, 5)
    namespace: dict[str, Any] = {}
    for cell in document["cells"]:
        if cell["cell_type"] == "code":
            # Stored without what it has printed, so that nothing of a machine is in it.
            assert (cell["outputs"], cell["execution_count"]) == ([], None)
            exec(compile("".join(cell["source"]), cell["id"], "exec"), namespace)
    assert (tmp_path / "runs/00001-mlp-nonsat+r1-python/points.npz").is_file()
    # It has learnt where the moons are, and found latents of the point that it was asked for.
    assert torch.allclose(namespace["samples"].std(0), namespace["points"].std(0), atol=0.15)
    assert float(namespace["distance"].detach()) < 0.05
    assert "step 1,500/1,500" in capsys.readouterr().err


def test_documentation_and_examples_import_what_is_public() -> None:
    root = NOTEBOOK.parents[1]
    sources = [*root.glob("*.md"), *(root / "docs").rglob("*.md"), *root.glob("examples/**/*.py")]
    found = {
        f"{path.name}: {name}"
        for path in [*sources, NOTEBOOK]
        for name in re.findall(r"(?:from|import) (ganforge\.[\w.]+)", path.read_text())
    }
    private = {it for it in found if it.partition(": ")[2] not in PUBLIC_MODULES}
    assert private == set()
