"""docs/reliability.md names tests that exist, and every test of faults."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reliability.md"
IDS = sorted(set(re.findall(r"(tests/[\w/]+\.py)::(\w+)", PAGE.read_text(encoding="utf-8"))))


def names_of_tests(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {it.name for it in tree.body if isinstance(it, ast.FunctionDef)}


@pytest.mark.parametrize(("file", "name"), IDS, ids=lambda it: it)
def test_a_test_that_is_named_is_there(file: str, name: str) -> None:
    assert name in names_of_tests(ROOT / file)


def test_every_test_of_faults_is_named() -> None:
    found = {
        (path.relative_to(ROOT).as_posix(), name)
        for path in (ROOT / "tests" / "faults").glob("test_*.py")
        for name in names_of_tests(path)
        if name.startswith("test_") and name != "test_there_are_twenty_seeds"
    }
    assert found - set(IDS) == set()
