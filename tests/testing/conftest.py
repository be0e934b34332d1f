"""A plugin that exists only as the files of a project in a temporary folder."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

HOOKS = '''"""A tiny generator."""

from dataclasses import dataclass

from ganforge import GeneratorSpec, ImageShapes, hookimpl, option


@dataclass(frozen=True, kw_only=True)
class Options:
    width: int = option(4, help="features")


@hookimpl
def ganforge_generators():
    yield GeneratorSpec(
        name="tiny",
        summary={summary!r},
        build="{module}.networks:Generator",
        options=Options,
        shapes=(ImageShapes(minimum=4, maximum=4, channels=(1,)),),
    )
'''

NETWORK = """import torch
from torch import nn


class Generator(nn.Module):
    def __init__(self, problem, options):
        super().__init__()
        self.first = nn.Linear(problem.input_shape[0], options.width)
        self.last = nn.Linear(options.width, 16)

    def forward(self, inputs):
        return {output}.view(-1, 1, 4, 4)
"""

PROJECT = """[project]
name = "{name}"
version = "1.2"

[project.entry-points.ganforge]
tiny = "{module}"
"""

RIGHT = "self.last(self.first(inputs).tanh()).tanh()"
UNBOUNDED = "self.last(self.first(inputs).tanh())"


class Project(NamedTuple):
    """A project folder, the folder of its source, and the name of its module."""

    folder: Path
    source: Path
    module: str

    @property
    def hooks(self) -> Path:
        return self.source / self.module / "__init__.py"


_numbers = itertools.count(1)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Project]]:
    """Write a project with one generator; no two tests have the same module."""
    monkeypatch.setattr(sys, "path", list(sys.path))  # the kit puts folders on it
    modules = []

    def write(*, output: str = RIGHT, summary: str = "Two layers", src: bool = False) -> Project:
        module = f"ganforge_tiny_{next(_numbers)}"
        modules.append(module)
        folder = tmp_path / module.replace("_", "-")
        source = folder / "src" if src else folder
        (source / module).mkdir(parents=True)
        text = PROJECT.format(name=folder.name, module=module)
        (folder / "pyproject.toml").write_text(text)
        made = Project(folder, source, module)
        made.hooks.write_text(HOOKS.format(module=module, summary=summary))
        (source / module / "networks.py").write_text(NETWORK.format(output=output))
        return made

    yield write
    for module in [it for it in sys.modules if it.partition(".")[0] in modules]:
        del sys.modules[module]
