"""Grids within a terminal: which terminals get one, what they are sent, and when."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import pytest
from PIL import Image

from ganforge.cli.preview import drawn, way_of
from tests.conftest import Command

from .test_display import QUICK, Terminal, terminal

__all__ = ["terminal"]  # the fixture

TRUE = {"COLORTERM": "truecolor", "TERM": "xterm-256color"}


@pytest.mark.parametrize(
    ("environ", "way"),
    [
        ({}, None),
        ({"TERM": "xterm-256color"}, None),
        (TRUE, "blocks"),
        ({**TRUE, "NO_COLOR": "1"}, None),
        ({**TRUE, "TERM": "dumb"}, None),
        ({**TRUE, "CI": "true"}, None),
        ({"TERM": "xterm-kitty"}, "kitty"),
        ({"TERM": "xterm-256color", "KITTY_WINDOW_ID": "1"}, "kitty"),
        ({"TERM": "xterm-kitty", "CI": "1"}, None),
        ({"TERM": "xterm-ghostty"}, "kitty"),
        ({"TERM_PROGRAM": "iTerm.app"}, "iterm"),
        ({"TERM_PROGRAM": "WezTerm"}, "iterm"),
        ({"LC_TERMINAL": "iTerm2"}, "iterm"),
        ({**TRUE, "TERM": "tmux-256color", "TMUX": "/tmp/x", "LC_TERMINAL": "iTerm2"}, "blocks"),
        ({"TERM": "screen", "KITTY_WINDOW_ID": "1"}, None),
        ({"GANFORGE_PREVIEW": "blocks", "TERM": "xterm-kitty"}, "blocks"),
        ({"GANFORGE_PREVIEW": "kitty", "CI": "1"}, "kitty"),
        ({"GANFORGE_PREVIEW": "off", **TRUE}, None),
        ({"GANFORGE_PREVIEW": "nonsense", **TRUE}, None),
    ],
)
def test_the_environment_tells_what_a_terminal_can_show(
    environ: dict[str, str], way: str | None
) -> None:
    assert way_of(environ, "utf-8") == way


def test_blocks_need_an_encoding_that_has_them() -> None:
    assert way_of(TRUE, "ascii") is None
    assert way_of(TRUE, None) is None
    assert way_of({"TERM": "xterm-kitty"}, "ascii") == "kitty"


@pytest.fixture
def grid(tmp_path: Path) -> Path:
    picture = Image.new("RGB", (40, 20), (255, 0, 0))
    picture.paste((0, 0, 255), (0, 10, 40, 20))
    picture.save(tmp_path / "grid.png")
    return tmp_path / "grid.png"


def test_a_half_block_is_two_pixels(grid: Path) -> None:
    shown = drawn(grid, "blocks", columns=4, rows=10)
    assert shown == "\x1b[38;2;255;0;0m\x1b[48;2;0;0;255m\u2580" * 4 + "\x1b[0m\n"
    lines = drawn(grid, "blocks", columns=80, rows=3).splitlines()
    assert len(lines) == 3
    assert all(line.count("\u2580") == 12 for line in lines)


def test_samples_that_would_be_too_small_are_shown_in_part(tmp_path: Path) -> None:
    picture = Image.new("L", (280, 280))
    picture.paste(255, (0, 0, 28, 28))  # the first of ten times ten samples
    picture.save(tmp_path / "grid.png")
    lines = drawn(tmp_path / "grid.png", "blocks", columns=70, rows=14, side=28).splitlines()
    assert [line.count("\u2580") for line in lines] == [70] * 14
    assert [line.count("38;2;255;255;255") for line in lines] == [14] * 7 + [0] * 7


def test_kitty_and_iterm_are_sent_the_picture(grid: Path) -> None:
    shown = drawn(grid, "kitty", columns=80, rows=7)
    (said, sent) = re.fullmatch("\x1b_G(.*?);(.*)\x1b\\\\\n", shown).groups()
    assert said == "a=T,f=100,r=7,q=2,m=0"
    with Image.open(io.BytesIO(base64.b64decode(sent))) as picture:
        assert picture.size == (40, 20)
    shown = drawn(grid, "iterm", columns=80, rows=7)
    (said, sent) = re.fullmatch("\x1b]1337;File=(.*?):(.*)\x07\n", shown).groups()
    assert said == f"inline=1;size={len(base64.b64decode(sent))};height=7;preserveAspectRatio=1"


def test_a_large_picture_is_sent_smaller_and_in_pieces(tmp_path: Path) -> None:
    Image.effect_noise((2000, 1000), 90).save(tmp_path / "grid.png")
    shown = drawn(tmp_path / "grid.png", "kitty", columns=80, rows=7)
    pieces = re.findall("\x1b_G(.*?);(.*?)\x1b\\\\", shown)
    assert all(len(sent) <= 4096 for _, sent in pieces)
    assert [said[-3:] for said, _ in pieces] == ["m=1"] * (len(pieces) - 1) + ["m=0"]
    sent = base64.b64decode("".join(sent for _, sent in pieces))
    with Image.open(io.BytesIO(sent)) as picture:
        assert picture.size == (640, 320)


def test_what_is_no_picture_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "grid.png").write_text("\x1b[2J")
    for way in ("kitty", "iterm", "blocks"):
        assert drawn(tmp_path / "grid.png", way, columns=80, rows=7) == ""


@pytest.mark.parametrize(
    ("when", "number"), [pytest.param("end", 1, marks=pytest.mark.slow), ("grids", 3), ("never", 0)]
)
def test_a_terminal_shows_the_newest_grid_when_it_is_asked_to(
    terminal: Terminal, when: str, number: int
) -> None:
    known = {"GANFORGE_PREVIEW": "iterm"}
    lines = terminal(80, "train", *QUICK, "--steps", "8", "--preview", when, **known)
    assert len([line for line in lines if "1337;File=inline=1" in line]) == number
    assert any(line.startswith("Done: 8 steps") for line in lines)
    last = [line for line in lines if "step 8/8" in line and "left" in line]
    assert last


def test_without_a_terminal_nothing_is_shown(cli: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANFORGE_PREVIEW", "kitty")
    answer = cli("train", *QUICK, "--steps", "4", "--preview", "grids")
    assert answer.code == 0
    assert "\x1b" not in answer.out + answer.err
