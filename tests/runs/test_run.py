"""`Run`: what is read of a run directory, and of one that is damaged."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from ganforge.errors import ConfigError, UsageError
from ganforge.runs.run import Run, Series
from ganforge.storage.run_directory import Lock, RunDirectory

CONFIG = """\
[generator]
name = "mlp"
width = 32

[loss.nonsat]
weight = 1.0

[loss.r1]
every = 4

[training]
steps = 50
"""


def status(**values: object) -> str:
    return json.dumps({"state": "finished", "step": 50, "pid": os.getpid()} | values)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "config.toml").write_text(CONFIG)
    (tmp_path / "samples").mkdir()
    (tmp_path / "checkpoints").mkdir()
    return tmp_path


def test_settings_and_components(path: Path) -> None:
    run = Run(path)
    assert run.settings["generator.width"] == 32
    assert run.settings["loss.r1.every"] == 4
    assert run.components("generator") == ("mlp",)
    assert run.components("loss") == ("nonsat", "r1")
    assert run.components("metric") == ()
    assert run.name == path.name


def test_metrics_are_columns(path: Path) -> None:
    lines = [
        '{"step": 25, "generator_loss": 1.5, "images": 1600}',
        '{"step": 50, "generator_loss": 0.5, "images": 3200}',
        '{"step": 50, "metric/fid": 12.0, "note": "text", "odd": NaN, "flag": true}',
        '{"step": 75, "generator_lo',
        "[1, 2]",
    ]
    (path / "metrics.jsonl").write_text("\n".join(lines))
    metrics = Run(path).metrics
    assert list(metrics) == ["generator_loss", "images", "metric/fid"]
    assert metrics["generator_loss"] == Series(steps=[25, 50], values=[1.5, 0.5])
    assert metrics["metric/fid"] == Series(steps=[50], values=[12.0])


def test_a_run_without_files_says_nothing(path: Path) -> None:
    run = Run(path)
    assert run.metrics == {}
    assert run.sessions == []
    assert run.checkpoints == run.grids == []
    assert run.status.state == "unknown"


def test_grids_and_checkpoints(path: Path) -> None:
    for name in ("00000250.png", "00000000.png", "real.png", "123456789.png"):
        (path / "samples" / name).touch()
    (path / "checkpoints" / "step-00000500.safetensors").touch()
    run = Run(path)
    assert [step for step, _ in run.grids] == [0, 250, 123456789]
    assert [step for step, _ in run.checkpoints] == [500]


def test_the_state_of_a_run(path: Path) -> None:
    run, file = Run(path), path / "status.json"
    file.write_text(status(host=socket.gethostname(), state="failed", detail="no\x1b[31m memory"))
    assert run.status.state == "failed"
    assert "\x1b" not in run.status.detail
    file.write_text(status(host=socket.gethostname(), state="running"))
    with Lock(RunDirectory(path)):
        assert run.status.state == "running"
    file.write_text(status(host="another-machine", state="running", pid=1))
    assert run.status.state == "running"
    file.write_text(status(host=socket.gethostname(), state="dancing"))
    assert run.status.state == "unknown"
    file.write_text("{")
    assert run.status.state == "unknown"


def test_a_run_whose_process_is_gone_is_lost(path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    text = status(host=socket.gethostname(), state="running", pid=gone.pid, step=10)
    (path / "status.json").write_text(text)
    (path / "metrics.jsonl").write_text('{"step": 25, "generator_loss": 1.0}\n')
    assert Run(path).status.state == "lost"
    assert Run(path).status.step == 25


def test_a_run_whose_number_is_that_of_another_process_is_lost(path: Path) -> None:
    pytest.importorskip("fcntl", reason="there are no locks on this system")
    (path / "status.json").write_text(status(host=socket.gethostname(), state="running"))
    assert Run(path).status.state == "lost"
    with Lock(RunDirectory(path)):
        assert Run(path).status.state == "running"


def test_what_is_no_run_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no run"):
        Run(tmp_path)
    (tmp_path / "config.toml").write_text("[")
    with pytest.raises(ConfigError):
        _ = Run(tmp_path).settings
