"""What is seen of a sweep while it runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.console import Console

from ganforge.cli import sweep_display
from ganforge.cli.sweep_display import LiveSweep, PlainSweep, last_step, measured
from ganforge.sweeps.folder import SweepFolder


@pytest.fixture
def folder(tmp_path: Path) -> SweepFolder:
    (tmp_path / "a").mkdir()
    (tmp_path / "a.toml").write_text("[training]\nsteps = 1000\n")
    lines = [{"step": step, "loss/generator": 1.0} for step in range(0, 500, 25)]
    lines += [{"step": 475, "metric/fid": 12.0, "metric/modes/kl": 0.5}]
    text = "".join(f"{json.dumps(it)}\n" for it in lines)
    (tmp_path / "a" / "metrics.jsonl").write_text(text + '{"step": 500, "lo')
    return SweepFolder(tmp_path)


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch) -> Console:
    found = Console(width=80, height=24, force_terminal=True, record=True, markup=False)
    monkeypatch.setattr(sweep_display, "stdout", lambda **live: found)
    return found


def test_a_step_and_metrics_are_read_from_the_end_of_the_file(folder: SweepFolder) -> None:
    assert last_step(folder.run("a")) == 475
    assert measured(folder.run("a")) == ["fid 12", "modes/kl 0.5"]
    assert last_step(folder.run("absent")) == 0
    assert measured(folder.run("absent")) == []


def test_plain_lines(folder: SweepFolder, capsys: pytest.CaptureFixture[str]) -> None:
    display = PlainSweep(folder, 3)
    display.started("a", "resumed")
    display.tick()
    display.ended("a", "finished", "")
    display.ended("b", "failed", "out of memory")
    display.ended("c", "left", "")
    assert capsys.readouterr().out.splitlines() == [
        "resumed  a",
        "finished  a  (1/3)  fid 12  modes/kl 0.5",
        "failed  b  (2/3)  out of memory",
        "stopped  c  (3/3)",
    ]


def test_the_live_overview_fits_the_terminal(folder: SweepFolder, console: Console) -> None:
    display = LiveSweep(folder, 30)
    display.num_ended = 4
    display.started("a", "started")
    display.started("a-very-long-name-of-a-run-that-would-take-the-whole-line_seed-0", "started")
    display.tick()
    display.close()
    console.export_text()  # with the movements of the cursor, all of it is one line
    console.print(display._overview())
    lines = console.export_text().splitlines()
    assert max(map(len, lines)) <= 80
    (first,) = {line for line in lines if line.startswith("a  ") and "475/1,000" in line}
    assert first.endswith("0:00")
    assert any("a-very-long" in line and "…" in line and "step 0" in line for line in lines)
    assert any("4 ended, 24 waiting" in line for line in lines)
