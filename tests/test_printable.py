"""Text from outside is printed on one line and cannot steer the terminal."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganforge.printable import described, printable, size_in_words


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("Bücher 漢字 😀", "Bücher 漢字 😀"),
        ("two\nlines\r\nand\ttabs\x0b\x0c\x1c\x85\u2028\u2029end", "two lines and tabs end"),
        ("\x1b[2Jcleared", "[2Jcleared"),
        ("\x9b2Jcleared", "2Jcleared"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x07", "]8;;http://x\\link]8;;"),
        ("\x1b]52;c;aGk=\x07", "]52;c;aGk="),
        ("abc\u202edef\u202c\u2066x\u2069\u200e\u200b", "abcdefx"),
        ("\ufeffbom\x00nul\x7fdel\xad", "bomnuldel"),
        ("bytes \udcff", "bytes "),
        ("private \ue000\U000f0000", "private "),
        ("tag \U000e0041", "tag "),
        ("[red]x[/red] [/x]", "[red]x[/red] [/x]"),
    ],
)
def test_what_is_shown(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_a_long_text_is_cut() -> None:
    assert printable("x" * 501) == "x" * 497 + "..."
    assert printable("x" * 500) == "x" * 500
    assert printable("x" * 100, 10) == "x" * 7 + "..."


@given(st.text(st.characters()))
def test_nothing_that_steers_comes_through(text: str) -> None:
    shown = printable(text)
    assert len(shown) <= 500
    assert not {unicodedata.category(char) for char in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no message")


def test_an_exception_is_described_even_if_it_cannot_be_shown() -> None:
    assert described(ValueError("too\n\x1b[2Jbig")) == "ValueError: too [2Jbig"
    assert described(ValueError()) == "ValueError"
    assert described(SystemExit(3)) == "SystemExit: 3"
    assert described(Mute()) == "Mute: its message cannot be shown"


@pytest.mark.parametrize(
    ("num_bytes", "shown"),
    [
        (0, "0 B"),
        (5, "5 B"),
        (999, "999 B"),
        (1500, "1.5 kB"),
        (999_499, "999 kB"),
        (999_600, "1 MB"),
        (2_500_000, "2.5 MB"),
        (3_210_000_000, "3.21 GB"),
        (5e15, "5000 TB"),
    ],
)
def test_sizes_are_for_people(num_bytes: float, shown: str) -> None:
    assert size_in_words(num_bytes) == shown
