"""The page of the building blocks: complete, true to the code, and its examples run."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
import torch

import ganforge.nn as blocks

PAGE = Path(__file__).resolve().parents[2] / "docs" / "plugins" / "building-blocks.md"
TEXT = PAGE.read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```", TEXT, re.S | re.M)


@pytest.mark.parametrize("name", blocks.__all__)
def test_the_page_has_the_signature_of_every_block(name: str) -> None:
    signature = inspect.signature(getattr(blocks, name))
    bare = [it.replace(annotation=it.empty) for it in signature.parameters.values()]
    plain = signature.replace(parameters=bare, return_annotation=signature.empty)
    assert f"`{name}{plain}`" in TEXT


@pytest.mark.parametrize("source", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_runs_by_itself(source: str) -> None:
    torch.manual_seed(0)
    exec(compile(source, str(PAGE), "exec"), {"__name__": "example"})


def test_every_section_has_an_example() -> None:
    sections = TEXT.split("\n## ")[1:]
    assert [it.splitlines()[0] for it in sections if "```python" not in it] == []
    named = {name for name in blocks.__all__ if name != "ConditionVectors"}
    overview = TEXT.split("\n## ")[0]
    assert {it for it in named if f"`{it}`" not in overview} == {"ConditionalNorm"}


@pytest.mark.parametrize("name", blocks.__all__)
def test_a_docstring_says_shapes(name: str) -> None:
    text = inspect.getdoc(getattr(blocks, name)) or ""
    assert len(text.splitlines()[0]) <= 100
    assert "`[" in text or name in {"SpectralNorm", "spectral_norm"}
