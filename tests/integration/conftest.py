"""The command line, in this process and in others, on configurations that take seconds."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Answer, Command

TINY = (
    "--generator",
    "mlp",
    "--no-conditional",
    "--image-size",
    "8",
    "--latent-size",
    "4",
    "--batch-size",
    "8",
    "--device",
    "cpu",
    "--set",
    "generator.hidden=[16]",
    "--set",
    "discriminator.hidden=[16]",
    "--set",
    "output.grid_samples=4",
)


@pytest.fixture
def ganforge(cli: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The fixture `cli`, in `tmp_path`, with warnings shown as people see them."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> Answer:
        with warnings.catch_warnings():
            warnings.simplefilter("default", UserWarning)
            return cli(*arguments)

    return run


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a command in a process of its own, in the same directory, on one thread."""
    processes: list[subprocess.Popen[str]] = []

    def run(*arguments: str, **environ: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", "import sys; from ganforge.cli import main; sys.exit(main())"]
            + [str(argument) for argument in arguments],
            cwd=tmp_path,
            env={
                **os.environ,
                "OMP_NUM_THREADS": "1",
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                **environ,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    yield run
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate()
