"""Every example of docs/python.md works, in the order of the page."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest

from .test_documentation import blocks

PAGE = Path(__file__).resolve().parents[1] / "docs" / "python.md"


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
