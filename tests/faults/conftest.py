"""A process that forks commands, and a run to which nothing happened."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from .processes import Parent

#: a run of a second: a checkpoint every 5 of its 60 steps, grids and lines between them
T = (
    "train", "--dataset", "ring", "--generator", "mlp", "--batch-size", "8", "--steps", "60",
    "--device", "cpu", "--set", "generator.hidden=[16]", "--set", "discriminator.hidden=[16]",
    "--set", "output.checkpoint_every=5", "--set", "output.log_every=3",
    "--set", "output.sample_every=25", "--set", "output.grid_samples=16",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip all that needs a fork where there is none."""
    if not hasattr(os, "fork") or not Path("/proc/self/status").exists():
        for item in items:
            if "parent" in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.skip(reason="needs os.fork and /proc"))


@pytest.fixture(scope="session")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parent]:
    """The process that forks commands."""
    scratch = tmp_path_factory.mktemp("output")
    process = Parent(scratch)
    yield process
    process.close()


@pytest.fixture(scope="session")
def reference(parent: Parent, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run T, undisturbed; of the same name as all others, which stands in its curves."""
    folder = tmp_path_factory.mktemp("reference")
    assert parent.run(*T, "--out", "run", folder=folder).code == 0
    return folder / "run"
