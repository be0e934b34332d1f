"""Output for people never ends or spoils what a command does."""

from __future__ import annotations

import errno
import io
import json
import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ganforge.cli import console, main
from tests.integration.conftest import TINY
from tests.test_terminal import Broken, OnlyWrites

FULL = OSError(errno.ENOSPC, "No space left on device")
UNREAD = BrokenPipeError(errno.EPIPE, "Broken pipe")
HUNG_UP = OSError(errno.EIO, "Input/output error")

Typed = Callable[..., tuple[int, str]]


@pytest.fixture
def typed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Typed:
    """Run a command with such a standard output (and error): its exit code, and its errors."""
    monkeypatch.chdir(tmp_path)
    console.stdout.cache_clear()

    def run(output: Any, *arguments: str, error: Any = None) -> tuple[int, str]:
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", output)
            if error is not None:
                patch.setattr(sys, "stderr", error)
            code = main([*arguments])
            assert sys.stdout is output
        return code, " ".join(capsys.readouterr().err.split())

    return run


ANSWERS = [
    "--help",
    "--version",
    "train --help",
    "list-plugins",
    "list-plugins --json",
    "list-recipes",
    "show dcgan",
    "train --dry-run",
    "sweep --seed 0,1 --dry-run",
    "runs",
    "runs --json",
]


@pytest.mark.parametrize("command", ANSWERS)
def test_an_answer_that_cannot_be_written_is_a_failure_but_where_nobody_reads(
    typed: Typed, command: str
) -> None:
    arguments = command.split()
    failed = "Error: standard output cannot be written: "
    assert typed(Broken(FULL), *arguments) == (1, f"{failed}No space left on device")
    assert typed(None, *arguments) == (1, f"{failed}it is closed")
    assert typed(Broken(UNREAD), *arguments) == (0, "")
    assert typed(Broken(FULL), *arguments, error=Broken(FULL)) == (1, "")


@pytest.mark.parametrize("command", ANSWERS)
def test_a_narrow_encoding_spoils_no_answer(typed: Typed, command: str) -> None:
    raw = io.BytesIO()
    output = io.TextIOWrapper(raw, encoding="ascii")
    assert typed(output, *command.split()) == (0, "")
    assert raw.getvalue().decode("ascii")


def test_a_mistake_is_told_to_nobody_and_has_its_exit_code(typed: Typed) -> None:
    for error in (Broken(FULL), Broken(HUNG_UP), OnlyWrites()):
        assert typed(OnlyWrites(), "train", "--generator", "dcgn", error=error)[0] == 2
        assert typed(OnlyWrites(), "trian", error=error)[0] == 2
    told = OnlyWrites()
    typed(None, "train", "--generator", "dcgn", error=told)
    assert told.text.startswith("Error: --generator: there is no generator called 'dcgn'")


OUTPUTS: dict[str, tuple[Callable[[], Any], str]] = {
    "full": (lambda: Broken(FULL), "No space left on device"),
    "unread": (lambda: Broken(UNREAD), "Broken pipe"),
    "hung up": (lambda: Broken(HUNG_UP), "Input/output error"),
    "absent": (lambda: None, "it is closed"),
    "only writes": (OnlyWrites, ""),
    "ascii": (lambda: io.TextIOWrapper(io.BytesIO(), encoding="ascii"), ""),
}


@pytest.mark.parametrize(("make", "fault"), OUTPUTS.values(), ids=OUTPUTS)
def test_no_standard_output_ends_or_spoils_a_run(
    typed: Typed, make: Callable[[], Any], fault: str
) -> None:
    told = f"Warning: standard output cannot be written ({fault}); nothing more is shown, and the "
    warning = f"{told}work goes on" if fault else ""
    run = ("train", *TINY, "--steps", "3", "--out", "run")
    assert typed(make(), *run) == (0, warning)
    assert json.loads(Path("run/status.json").read_text())["state"] == "finished"
    assert Path("run/checkpoints/step-00000003.safetensors").is_file()
    assert typed(make(), "sample", "run", "--out", "samples.npz") == (0, warning)
    assert Path("samples.npz").is_file()
    assert typed(make(), "report", "run") == (0, warning)
    assert Path("run/report.html").is_file()
    assert typed(make(), "runs", "remove", "run", "--yes") == (0, warning)
    assert not Path("run/config.toml").exists()


def test_a_pipe_that_nobody_reads_and_an_error_that_is_closed(tmp_path: Path) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    command = ["-m", "ganforge", "train", *TINY, "--steps", "3", "--out", "run"]
    with os.fdopen(writes, "wb") as output:
        answer = subprocess.run(
            [sys.executable, *command],
            stdout=output,
            stderr=subprocess.PIPE,
            cwd=tmp_path,
            check=False,
            text=True,
            timeout=120,
        )
    # Python itself has nothing to complain of at its end either.
    assert answer.stderr.startswith("Warning: standard output cannot be written (")
    assert (answer.returncode, len(answer.stderr.splitlines())) == (0, 1)
    assert json.loads((tmp_path / "run" / "status.json").read_text())["state"] == "finished"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_device_is_one_paragraph(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        answer = subprocess.run(
            [sys.executable, "-m", "ganforge", "show", "dcgan"],
            stdout=full,
            stderr=subprocess.PIPE,
            cwd=tmp_path,
            check=False,
            text=True,
            timeout=60,
        )
    assert answer.returncode == 1
    assert answer.stderr == "Error: standard output cannot be written: No space left on device\n"


def test_a_program_trains_by_the_command_line_in_a_thread(tmp_path: Path) -> None:
    codes: list[int] = []
    command = ["train", *TINY, "--steps", "3", "--out", str(tmp_path / "run")]
    before = sys.stdout, sys.stderr, warnings.showwarning
    thread = threading.Thread(target=lambda: codes.append(main(command)))
    thread.start()
    thread.join(120)
    assert codes == [0]
    assert (sys.stdout, sys.stderr, warnings.showwarning) == before


def test_what_nobody_foresaw_is_one_paragraph(
    typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**settings: object) -> None:
        raise OSError(errno.ENAMETOOLONG, "File name too long", "a" * 300)

    monkeypatch.setattr("ganforge.cli.list_plugins.discover", fail)
    output = OnlyWrites()
    code, err = typed(output, "list-plugins")
    assert (code, output.text) == (1, "")
    assert err.startswith("Error: aaaa")
    assert err.endswith("File name too long (GANFORGE_DEBUG=1 shows where)")
    monkeypatch.setenv("GANFORGE_DEBUG", "1")
    with pytest.raises(OSError, match="too long"):
        typed(output, "list-plugins")
