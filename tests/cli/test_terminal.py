"""Nothing that a plugin says of itself reaches the terminal as more than text."""

from __future__ import annotations

import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

from tests.conftest import Command, FakePlugin

pty = pytest.importorskip("pty", reason="there are no pseudo-terminals on this system")

#: clears the screen, opens a link, writes the clipboard, clears again by one byte, turns text round
EVIL = "\x1b[2J\x1b]8;;http://evil\x1b\\\x1b]52;c;aGk=\x07\x9b2J\u202e[red]x[/red][/x]\r\u200b"
SHOWN = "[2J]8;;http://evil\\]52;c;aGk=2J[red]x[/red][/x]"

SOURCE = f"""
from dataclasses import dataclass
from ganforge import GeneratorSpec, hookimpl, option

EVIL = {EVIL!r}

@dataclass(frozen=True, kw_only=True)
class Options:
    text: str = option(EVIL, help="text " + EVIL)
    choice: str = option(EVIL, help="choice", choices=(EVIL, "b"))

@hookimpl
def ganforge_generators():
    yield GeneratorSpec(name="evil", summary="summary " + EVIL, build="m:f", options=Options,
                        discriminator="mlp")

hook = hookimpl(specname="ganforge_" + EVIL)(lambda: [])
"""
METADATA = f"Metadata-Version: 2.1\nName: evil{EVIL[:4]}\nVersion: 1{EVIL[-40:-20]}\n"


@pytest.fixture
def evil(fake_plugin: FakePlugin) -> list[Path]:
    """A plugin that loads and one that does not, both with texts meant for the terminal."""
    return [
        fake_plugin("evil", SOURCE, entry_points=f"{EVIL[:4]}\u202e = evil", metadata=METADATA),
        fake_plugin("worse", f"raise ValueError('line\\nError: forged ' + {EVIL!r})"),
    ]


MAIN = "import sys; from ganforge.cli import main; sys.exit(main())"

COMMANDS = {
    "list-plugins": (["list-plugins"], SHOWN),
    "list-plugins --json": (["list-plugins", "--json"], "u001b"),
    "show": (["show", "evil"], f"summary {SHOWN}"),
    "show --json": (["show", "evil", "--json"], "u001b"),
    "dry run": (["train", "--generator", "evil", "--dry-run"], f"# summary {SHOWN}"),
    "wrong choice": (
        ["train", "--generator", "evil", "--set", "generator.choice=x"],
        "'x' is not allowed: one of '\\x1b[2J",
    ),
    "wrong name": (["train", "--generator", f"a{EVIL}"], f"'a{SHOWN[:6]}"),
    "wrong section": (["train", "--set", f'"{EVIL[:4]}\u202e".x=1'], "is not a dotted key"),
    "wrong path": (["train", "--resume", f"a{EVIL[:4]}\u202e"], "in a[2J: it has no"),
    "warnings": (["train", "--dataset", "absent/x"], f"ValueError: line Error: forged {SHOWN}"),
}


@pytest.mark.parametrize(("arguments", "shown"), COMMANDS.values(), ids=COMMANDS)
@pytest.mark.usefixtures("evil")
def test_the_texts_of_plugins_are_only_text(cli: Command, arguments: list[str], shown: str) -> None:
    answer = cli(*arguments)
    text = answer.out + answer.err
    assert not [
        char for char in text if unicodedata.category(char) in ("Cc", "Cf") and char != "\n"
    ]
    assert "".join(shown.split()) in "".join(text.split())
    assert not [line for line in answer.err.splitlines() if line.startswith("Error: forged")]


@pytest.mark.parametrize("command", ["list-plugins", "show evil"])
def test_nothing_of_it_reaches_a_terminal(evil: list[Path], tmp_path: Path, command: str) -> None:
    ours, theirs = pty.openpty()
    environ = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, evil)),
        "TERM": "xterm-256color",
        "COLUMNS": "200",
    }
    process = subprocess.Popen(
        [sys.executable, "-c", MAIN, *command.split()],
        stdout=theirs,
        stderr=theirs,
        stdin=subprocess.DEVNULL,
        env=environ,
        cwd=tmp_path,
    )
    os.close(theirs)
    received = bytearray()
    try:
        while chunk := os.read(ours, 65536):
            received += chunk
    except OSError:  # what Linux answers when the other end is closed
        pass
    finally:
        os.close(ours)
    assert process.wait(timeout=60) == 0
    text = received.decode()
    assert "\x1b[1m" in text  # it was a terminal: there is bold in it
    for evil_text in ("\x1b[2J", "\x1b]", "\x07", "\x9b", "\u202e", "\u200b"):
        assert evil_text not in text
    assert "[red]x[/red][/x]" in "".join(text.split())
