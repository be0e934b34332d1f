"""What a person sees of training: live lines in a terminal of any width, plain ones elsewhere."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from ganforge.cli import live
from ganforge.cli.live import LiveLines
from tests.conftest import Command

pty = pytest.importorskip("pty", reason="there are no pseudo-terminals on this system")
fcntl = pytest.importorskip("fcntl", reason="there are no pseudo-terminals on this system")
termios = pytest.importorskip("termios", reason="there are no pseudo-terminals on this system")

MAIN = "import sys; from ganforge.cli import main; sys.exit(main())"
QUICK = (
    *("--recipe", "grid", "--batch-size", "8", "--device", "cpu"),
    *("--set", "generator.hidden=[8]", "--set", "discriminator.hidden=[8]"),
    *("--set", "output.log_every=2", "--set", "output.sample_every=4"),
    *("--set", "evaluation.num_samples=50"),
)
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")

Terminal = Callable[..., list[str]]


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    """Run a command on a terminal so many columns wide: every line that was ever written there."""

    def run(width: int, *arguments: str, **environ: str) -> list[str]:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
        kept = {key: it for key, it in os.environ.items() if key not in ("COLUMNS", "LINES")}
        process = subprocess.Popen(
            [sys.executable, "-c", MAIN, *arguments],
            stdout=theirs,
            stderr=theirs,
            stdin=subprocess.DEVNULL,
            env={
                **kept,
                "TERM": "xterm-256color",
                "OMP_NUM_THREADS": "1",
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                **environ,
            },
            cwd=tmp_path,
        )
        os.close(theirs)
        received = bytearray()
        try:
            while chunk := os.read(ours, 65536):
                received += chunk
        except OSError:  # what Linux answers when the other end is closed
            pass
        finally:
            os.close(ours)
        text = received.decode()
        assert process.wait(timeout=120) == 0, text
        return [line.rstrip() for line in CONTROL.sub("", text).replace("\r", "\n").split("\n")]

    return run


@pytest.mark.parametrize(
    "width", [80, *(pytest.param(it, marks=pytest.mark.slow) for it in (60, 120))]
)
def test_step_share_and_time_left_are_there_at_every_width(terminal: Terminal, width: int) -> None:
    lines = terminal(width, "train", *QUICK, "--steps", "12", "--out", "a-run")
    live = [line for line in lines if " left" in line]
    assert live
    for line in live:
        assert re.search(r"\d+ %  step \d+/12  (\?|\d+:\d\d) left", line), line
        assert len(line) <= width
    assert any("elapsed" in line for line in live)
    assert any(re.search(r"[━╸]{8}", line) for line in live)
    assert any("points/s" in line for line in live)
    assert not any("images/s" in line for line in lines)
    assert "newest grid  a-run/samples/00000012.png" in lines
    assert any(line.startswith("loss D ") for line in lines)
    assert all(len(line) <= width for line in lines if line.startswith(("loss D", "newest")))
    assert any(line.startswith("step 12/12 (100 %)  modes/modes ") for line in lines)


def test_a_resumed_run_begins_where_it_was_left(terminal: Terminal) -> None:
    terminal(80, "train", *QUICK, "--steps", "4", "--out", "a-run")
    lines = terminal(80, "train", "--resume", "a-run", "--steps", "16")
    assert any("resumed" in line and "after step 4 of 16" in line for line in lines)
    steps = [int(found[1]) for line in lines if (found := re.search(r"step (\d+)/16  ", line))]
    assert steps[0] >= 4
    assert steps[-1] == 16
    assert steps == sorted(steps)


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """What stands on a terminal of a width, half-way through a run."""

    def draw(width: int, **shown: object) -> list[str]:
        console = Console(width=width, file=StringIO(), force_terminal=True, color_system=None)
        monkeypatch.setattr(live, "stdout", lambda **live: console)
        found = LiveLines(500_000, 1_000_000)
        found.at(600_000)
        found.show(**shown)
        with console.capture() as capture:
            console.print(found.get_renderable())
        return [line.rstrip() for line in capture.get().splitlines()]

    return draw


def test_what_does_not_fit_is_dropped_from_the_end(lines: Callable[..., list[str]]) -> None:
    measured = [f"loss number {number} 0.123" for number in range(20)]
    shown = {"rate": "25,112 points/s", "measured": measured, "grid": "/a" * 60 + "/00000500.png"}
    for width in (24, 40, 60, 80, 120, 200):
        first, second, third = lines(width, **shown)
        assert max(map(len, (first, second, third))) <= width
        assert "600,000/1,000,000" in first
        assert "60 %" in first
        assert ("left" in first) == (width >= 40)
        assert ("0:00 elapsed" in first) == (width >= 60)
        assert ("25,112 points/s" in first) == (width >= 80)
        assert second.split("  ") == measured[: len(second.split("  "))]
        assert third.startswith("newest grid  ")
        assert third.endswith("00000500.png") == (width >= 40)


def test_without_a_terminal_each_log_step_and_grid_is_a_line(cli: Command) -> None:
    answer = cli("train", *QUICK, "--steps", "12", "--out", "a-run")
    assert answer.code == 0, answer.err
    lines = answer.out.splitlines()
    place = r"step 4/12 \(33 %\)  "
    (log, grid) = [line for line in lines if line.startswith("step 4/12")]
    assert re.fullmatch(place + r"\d:\d\d elapsed  \d:\d\d left  loss D .* [\d,]+ points/s", log)
    assert re.fullmatch(place + r"grid a-run/samples/00000004\.png", grid)
    assert "  metrics       a-run/metrics.jsonl, a-run/metrics.png" in lines


def test_a_path_with_a_space_is_quoted_in_what_to_type_next(cli: Command) -> None:
    answer = cli("train", *QUICK, "--steps", "1", "--out", "a run")
    assert "  ganforge sample 'a run'\n" in answer.out
