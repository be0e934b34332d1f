"""`--help`: short, grouped, and the same wherever it is asked for."""

from __future__ import annotations

import re

import pytest

from ganforge import __version__
from ganforge.cli import COMMANDS
from ganforge.cli.train import command as train
from tests.conftest import Command


def test_the_help_names_every_command(cli: Command) -> None:
    answer = cli("--help")
    assert (answer.code, answer.err) == (0, "")
    listed = re.findall(r"^  ([a-z][a-z-]*) +[A-Z]", answer.out, flags=re.MULTILINE)
    assert listed == list(COMMANDS)
    assert "ganforge train --dataset my/images" in answer.out


def test_the_version_is_told(cli: Command) -> None:
    assert cli("--version").out == f"ganforge, version {__version__}\n"


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_every_command_has_help(cli: Command, name: str, flag: str) -> None:
    answer = cli(name, flag)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith(f"Usage: ganforge {name} ")


@pytest.mark.parametrize("columns", ["80", "120"])
def test_the_help_of_train_is_short_and_grouped(
    cli: Command, monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    out = cli("train", "--help").out
    assert len(out.splitlines()) < 70
    assert max(map(len, out.splitlines())) <= int(columns)
    groups = re.findall(r"^(\w[\w ]+):$", out, flags=re.MULTILINE)
    assert groups == ["What", "How long", "How", "Output", "Run", "Other"]


def test_the_help_of_train_has_every_option_once(cli: Command) -> None:
    out = cli("train", "--help").out
    for parameter in train.params:
        assert len(re.findall(rf"^  {parameter.opts[0]}\b", out, flags=re.MULTILINE)) == 1


def test_no_arguments_are_answered_with_the_help(cli: Command) -> None:
    answer = cli()
    assert answer.code == 2
    assert "Usage: ganforge [OPTIONS] COMMAND" in answer.err
