"""Runs that were really trained: silent where they are well, and the right finding where not.

`scripts/healthy_and_sick_runs.py` has trained them, and trains them again.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ganforge.diagnosis.diagnosis import diagnose

RECORDS = sorted((Path(__file__).parents[1] / "data" / "diagnosis").glob("*.jsonl"))


def read(path: Path) -> tuple[list[str], list[dict[str, float]]]:
    head, *lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return head["expected"], lines


def test_there_are_ten_runs_that_are_well_and_one_for_each_finding() -> None:
    expected = [read(path)[0] for path in RECORDS]
    assert sum(not names for names in expected) >= 10
    named = {name for names in expected for name in names}
    assert len(named) == 6


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_what_is_found_in_a_run_is_what_is_wrong_with_it(path: Path) -> None:
    expected, lines = read(path)
    assert [finding.name for finding in diagnose(lines).findings] == expected


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_it_does_not_hang_on_how_often_lines_are_written(path: Path) -> None:
    expected, lines = read(path)
    if not expected:  # every second line, of those with the samples measured
        assert diagnose(lines[1::2]).findings == []
