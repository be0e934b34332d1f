"""Configurations, `--set` and flags with anything in them: a run's configuration, or exit 2."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganforge.cli import COMMANDS
from tests.conftest import Answer, Command

from .fuzzing import thorough

TOKENS = st.sampled_from(
    [
        *("1", "-1", "0", "1e3", "1e400", "nan", "inf", "0x10", "9" * 30, "8.5", "true", "null"),
        *("''", "\x00", "\n", '""', "'x'", "fast", "[1]", "[[]]", "{}", "{from=1,to=0}", "{from=1"),
        *("\x1b[2J", "ü", "日本", "/", "../..", "~", "-", "--", "=", "a=b", "C:\\new"),
    ]
)
VALUES = TOKENS | st.text(max_size=8) | st.integers().map(str) | st.floats().map(repr)


@pytest.fixture
def usual(cli: Command) -> list[str]:
    """The lines of a whole configuration, with every section and key."""
    answer = cli("train", "--dataset", "images", "--set", "dataset.root=x", "--dry-run")
    assert answer.code == 0
    return answer.out.splitlines()


def keys_of(lines: list[str]) -> list[str]:
    def walk(tree: dict[str, object], before: str) -> list[str]:
        found = []
        for key, value in tree.items():
            found.append(before + key)
            if isinstance(value, dict):
                found += walk(value, f"{before}{key}.")
        return found

    return walk(tomllib.loads("\n".join(lines)), "")


def assert_resolved_or_refused(answer: Answer) -> None:
    assert answer.code in (0, 2), answer.err
    assert "Traceback" not in answer.err
    printed = answer.err.replace("\n", "").replace("\t", "")
    assert printed.isprintable(), repr(answer.err)
    if answer.code == 2:
        assert "Error: " in answer.err
        assert answer.out == "" or answer.out.startswith("Usage")
    else:
        tomllib.loads(answer.out)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_fuzzed_settings_are_resolved_or_refused(cli: Command, usual: list[str]) -> None:
    keys = st.sampled_from(keys_of(usual)) | st.text(max_size=6)
    settings = st.builds("{}{}{}".format, keys, st.sampled_from(["=", "=", "=", "", "=="]), VALUES)

    @thorough(2)
    @given(st.lists(settings, min_size=1, max_size=3))
    def resolve(given: list[str]) -> None:
        words = [word for it in given for word in ("--set", it)]
        assert_resolved_or_refused(cli("train", *words, "--dry-run"))

    resolve()


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_fuzzed_configuration_files_are_resolved_or_refused(cli: Command, usual: list[str]) -> None:
    edits = st.lists(
        st.tuples(
            st.integers(0, len(usual) - 1),
            st.sampled_from(["value", "value", "value", "line", "gone", "twice"]),
            VALUES,
        ),
        max_size=4,
    )

    @thorough(2)
    @given(edits, st.binary(max_size=4), st.integers(0, 10**6))
    def resolve(edits: list[tuple[int, str, str]], junk: bytes, at: int) -> None:
        lines = list(usual)
        for number, how, value in edits:
            line = lines[number]
            lines[number] = {
                "value": f"{line.partition(' = ')[0]} = {value}",
                "line": value,
                "gone": "",
                "twice": f"{line}\n{line}",
            }[how]
        data = "\n".join(lines).encode("utf-8", "surrogatepass")
        at %= len(data)
        Path("run.toml").write_bytes(data[:at] + junk + data[at:])
        answer = cli("train", "--config", "run.toml", "--dry-run")
        assert_resolved_or_refused(answer)
        assert answer.code == 0 or "run.toml" in answer.err

    resolve()


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_fuzzed_flags_are_resolved_or_refused(cli: Command) -> None:
    text = cli("train", "--help").out
    flags = sorted(set(re.findall(r"--[a-z-]+", text)) - {"--help", "--dry-run", "--resume"})

    @thorough(2)
    @given(st.lists(st.tuples(st.sampled_from(flags), st.none() | VALUES), max_size=3))
    def resolve(given: list[tuple[str, str | None]]) -> None:
        words = [word for flag, value in given for word in (flag, value) if word is not None]
        # First, for a flag without its value would take it.
        answer = cli("train", "--dry-run", *words)
        assert_resolved_or_refused(answer)

    resolve()


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_fuzzed_words_after_any_command_are_answered(cli: Command) -> None:
    commands = sorted(set(COMMANDS) - {"train", "sweep", "benchmark", "push", "new-plugin"})

    @thorough(1)
    @given(
        st.sampled_from(commands),
        st.lists(
            VALUES | st.sampled_from(["--json", "--out", "--num", "--seed", "--sort", "--help"]),
            max_size=3,
        ),
    )
    def call(command: str, words: list[str]) -> None:
        answer = cli(command, *words)
        assert answer.code in (0, 1, 2)
        assert "Traceback" not in answer.err

    call()
