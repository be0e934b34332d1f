"""The command line, in this process and in others, on configurations that take seconds."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ganforge.cli import main
from tests.conftest import Answer

TINY = (
    "--generator",
    "mlp",
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
def ganforge(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Answer]:
    """Run a command in this process, in an empty directory."""
    monkeypatch.chdir(tmp_path)
    # The command line shows warnings itself; here they must reach it rather than be errors.
    monkeypatch.setenv("COLUMNS", "120")

    def run(*arguments: str) -> Answer:
        import warnings

        capsys.readouterr()
        with warnings.catch_warnings():
            warnings.simplefilter("default", UserWarning)
            code = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Answer(code, out, err)

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
