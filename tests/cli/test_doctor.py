"""The words of `ganforge doctor`: one line for each in a pipe, wrapped on a terminal."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ganforge.cli.doctor import _print
from ganforge.doctor.findings import Examination, Fact, Trouble, examination

COMMAND = "`ganforge train --resume runs/00001-dcgan-nonsat-digits --set dataset.root=PATH`"


@pytest.fixture
def found() -> Examination:
    return examination(
        [
            Fact(subject="state", text="finished, step 12"),
            Fact(subject="checkpoints", text="sound: " + "step 12 and " * 12 + "step 13"),
            Trouble(name="b", severity="warning", text="a thing that is good to know"),
            Trouble(name="a", text="a thing that is wrong", remedy=f"{COMMAND} mends it"),
        ]
    )


def test_in_a_pipe_each_thing_is_one_line(
    found: Examination, capsys: pytest.CaptureFixture[str]
) -> None:
    _print("The run r:", found)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "The run r:"
    assert lines[1] == "  state        finished, step 12"
    assert len(lines[2]) > 150
    assert lines[3:] == [
        "Error: a thing that is wrong.",
        f"  Fix: {COMMAND} mends it",
        "Warning: a thing that is good to know.",
        "1 error and 1 warning.",
    ]


@pytest.mark.parametrize("columns", [80, 60])
def test_a_terminal_gets_lines_that_fit_and_whole_commands(
    found: Examination,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    columns: int,
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(columns))
    _print("The run r:", found)
    lines = capsys.readouterr().out.splitlines()
    assert [it for it in lines if len(it) > columns] == [f"  Fix: {COMMAND}"]
    assert "    mends it" in lines
    assert [it for it in lines if it.startswith(" " * 15)]


def test_nothing_is_said_to_be_wrong_where_nothing_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _print("The run r:", examination([]))
    assert capsys.readouterr().out == "The run r:\nNothing is wrong.\n"


def test_the_help_names_the_three_subjects(cli) -> None:
    out = cli("doctor", "--help").out
    for subject in ("this installation and machine", "RUN  ", "FILE.safetensors"):
        assert subject in out
    assert not [*Path().iterdir()]
