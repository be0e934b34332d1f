"""Comparisons in other people's formats: nothing in a name is markup there."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest

from ganforge.runs.comparison import Cell, Comparison, compare
from ganforge.runs.rendering import as_json, comma_separated, latex, markdown, shown_cell
from ganforge.runs.run import Run

from .conftest import MakeRun

EVIL = "a|b_c*d<script>$x^2$\\&%#{}~[y](z)`!\x1b[31m"


@pytest.fixture
def comparison(make_run: MakeRun) -> Comparison:
    runs = [
        Run(
            make_run(
                f"{number}-{seed}",
                seed=seed,
                more=f"[data]\nroot = {json.dumps(text)}",
                metrics={100: {"metric/fid": 10.0 + seed, "metric/m_x": 0.5, "seconds": 61.0}},
            )
        )
        for number, text in enumerate((EVIL, "=1+1"))
        for seed in (0, 1)
    ]
    return compare(runs, lambda name: None)


def test_markdown(comparison: Comparison) -> None:
    lines = markdown(comparison).splitlines()
    assert lines[0] == "| root | n | step | fid | m\\_x | CPU s | wall s |"
    assert lines[1] == "|---|--:|--:|--:|--:|--:|--:|"
    assert lines[3] == "| =1+1 | 2 | 100 | 10.50 ± 0.71 | 0.5000 ± 0.0000 | - | 61 |"
    assert len(re.findall(r"(?<!\\)\|", lines[2])) == 8
    assert "<script" not in lines[2].replace("\\<", "")
    assert "\x1b" not in markdown(comparison)
    assert "mean ± standard deviation over n runs" in lines[-1]


def test_latex(comparison: Comparison) -> None:
    text = latex(comparison)
    lines = text.splitlines()
    assert r"m\_x" in text
    assert lines[0].startswith("% Last values")
    (row,) = [line for line in lines if line.startswith("a")]
    assert row.startswith(
        r"a\textbar{}b\_c*d\textless{}script\textgreater{}\$x\textasciicircum{}2\$"
        r"\textbackslash{}\&\%\#\{\}\textasciitilde{}[y](z)`![31m & 2 & 100 & 10.50 $\pm$ 0.71"
    )
    assert row.endswith(r"\\")
    assert text.count("\n") == len(lines) == 9


def test_csv(comparison: Comparison) -> None:
    rows = list(csv.DictReader(io.StringIO(comma_separated(comparison))))
    assert rows[0]["root"] == EVIL.replace("\x1b", "")
    assert rows[1]["root"] == "'=1+1"
    assert float(rows[1]["fid"]) == 10.5
    assert float(rows[1]["fid std"]) == pytest.approx(0.7071, abs=1e-4)
    assert (rows[1]["fid n"], rows[1]["CPU s"], rows[1]["wall s"]) == ("2", "", "61.0")


def test_json(comparison: Comparison) -> None:
    found = json.loads(as_json(comparison))
    group = found["groups"][1]
    assert group["settings"] == {"data.root": "=1+1"}
    assert [run["seed"] for run in group["runs"]] == [0, 1]
    assert sorted(group["metrics"]["metric/fid"]["values"].values()) == [10.0, 11.0]


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([8.0, 8.0], "8 ± 0"),
        ([8.0, 7.0], "7.50 ± 0.71"),
        ([23.123, 24.456], "23.79 ± 0.94"),
        ([1234.5, 1300.5], "1,268 ± 47"),
        ([1e-5, 2e-5], "1.5e-05 ± 7.07e-06"),
        ([0.0015, 0.00201], "0.00176 ± 0.00036"),
        ([0.98765], "0.9877 (n=1)"),
        ([], "-"),
    ],
)
def test_as_many_digits_as_the_spread_has_meaning(values: list[float], text: str) -> None:
    assert shown_cell(Cell(values=dict(enumerate(values))), 2) == text
