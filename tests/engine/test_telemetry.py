"""What a run measures of itself: the file of its metrics survives whatever ends the run."""

from __future__ import annotations

import os
import time

import pytest

from ganforge.engine.telemetry import MetricsFile, Speed

LINES = ['{"step": 3, "loss": 1.0}', '{"step": 6, "loss": 0.5}', '{"step": 9, "loss": 0.2}']


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text("".join(f"{line}\n" for line in LINES))
    return path


@pytest.mark.parametrize(("step", "left"), [(0, 0), (3, 1), (8, 2), (9, 3), (100, 3)])
def test_lines_after_the_step_that_is_resumed_from_are_dropped(file, step, left):
    MetricsFile(file).rewind(step)
    assert file.read_text().splitlines() == LINES[:left]


def test_a_line_that_was_cut_off_is_dropped(file):
    file.write_text(file.read_text() + '{"step": 12, "lo')
    MetricsFile(file).rewind(12)
    assert file.read_text().splitlines() == LINES


def test_a_run_that_is_killed_while_it_drops_lines_loses_none(file, monkeypatch):
    class Killed(BaseException):
        pass

    def kill(descriptor):
        raise Killed

    monkeypatch.setattr(os, "fsync", kill)
    with pytest.raises(Killed):
        MetricsFile(file).rewind(3)
    assert file.read_text().splitlines() == LINES
    assert list(file.parent.iterdir()) == [file]


def test_a_line_is_added_at_the_end_and_what_cannot_be_written_is_one_warning(file, tmp_path):
    metrics = MetricsFile(file)
    metrics.metrics({"step": 12, "loss": 0.1})
    assert file.read_text().splitlines() == [*LINES, '{"step": 12, "loss": 0.1}']
    lost = MetricsFile(tmp_path / "nowhere" / "metrics.jsonl")
    with pytest.warns(UserWarning, match=r"metrics\.jsonl cannot be written \(No such file"):
        lost.metrics({"step": 12})
    lost.metrics({"step": 15})


def test_cpu_seconds_count_work_and_not_waiting():
    speed = Speed()
    time.sleep(0.2)
    idle = speed.cpu_seconds
    while speed.cpu_seconds < idle + 0.05:
        sum(range(1000))
    assert idle < 0.1
    assert speed.seconds > 0.2
