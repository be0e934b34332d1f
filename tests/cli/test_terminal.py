"""Nothing that a plugin says of itself reaches the terminal as more than text."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import unicodedata
import warnings
from pathlib import Path

import pytest

from tests.conftest import Command, FakePlugin
from tests.integration.conftest import TINY
from tests.report.conftest import write_run

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


#: a name of a folder; a slash is none
NAMED = EVIL.replace("/", "-")


@pytest.fixture
def evil_runs(tmp_path: Path) -> Path:
    """Runs, a sweep and a folder that is none, of such names and with such contents."""
    folder = tmp_path / "runs"
    quoted = json.dumps(EVIL)
    for number in (0, 1):
        write_run(
            folder / f"{number}{NAMED}",
            config=f"[generator]\nname = {quoted}\n{quoted} = {quoted}\n"
            f"[loss.{quoted}]\nweight = 1\n[dataset]\nname = {quoted}\n"
            f"[training]\nseed = {number}\nsteps = 100\n",
            lines=[{"step": it, f"metric/{EVIL}": it + number, EVIL: 1.0} for it in (1, 2)],
            sessions=[{"plugins": {EVIL: EVIL}, "ganforge": EVIL}],
            detail=EVIL,
        )
    (folder / f"damaged{NAMED}").mkdir()
    (folder / f"damaged{NAMED}" / "config.toml").write_text("x = \x1b")
    (folder / f"foreign{NAMED}").mkdir()
    (folder / f"sweep{NAMED}").mkdir()
    (folder / f"sweep{NAMED}" / "sweep.json").write_text(json.dumps({"axes": {EVIL: [EVIL]}}))
    return folder


ABOUT_RUNS = {
    "runs": ["runs", "{folder}"],
    "runs --json": ["runs", "{folder}", "--json"],
    "compare": ["compare", "{run}", "{other}"],
    "compare --format": ["compare", "{run}", "{other}", "--format", "markdown"],
    "diagnose": ["diagnose", "{run}"],
    "report": ["report", "{run}"],
    "resume": ["train", "--resume", "{run}"],
    "sample": ["sample", "{run}"],
    "remove": ["runs", "remove", "{run}", "--yes"],
    "sweep": ["sweep", "--resume", "{sweep}"],
}


def of_runs(command: list[str], folder: Path) -> list[str]:
    names = {"run": f"0{NAMED}", "other": f"1{NAMED}", "sweep": f"sweep{NAMED}"}
    places = {key: str(folder / name) for key, name in names.items()}
    return [word.format(folder=folder, **places) for word in command]


def steering(text: str) -> list[str]:
    return [it for it in text if unicodedata.category(it) in ("Cc", "Cf") and it not in "\n\t"]


@pytest.mark.parametrize("command", ABOUT_RUNS.values(), ids=ABOUT_RUNS)
def test_the_texts_of_runs_are_only_text(cli: Command, evil_runs: Path, command: list[str]) -> None:
    answer = cli(*of_runs(command, evil_runs))
    assert steering(answer.out + answer.err) == []
    assert "aGk=2J" in answer.out + answer.err or "u001b[2J" in answer.out


def test_names_of_files_and_classes_are_only_text(cli: Command, tmp_path: Path) -> None:
    from PIL import Image

    for name in (f"a{NAMED}", "b"):
        folder = tmp_path / "data" / name
        folder.mkdir(parents=True)
        for number in range(4):
            Image.new("RGB", (8, 8)).save(folder / f"{number}{NAMED}.png", "PNG")
    (tmp_path / "data" / "b" / f"bad{NAMED}.png").write_text("no image")
    with warnings.catch_warnings():
        warnings.simplefilter("default", UserWarning)
        answer = cli("train", "--dataset", tmp_path / "data", *TINY, "--steps", 1, "--conditional",
                     "--set", "dataset.size=8", "--out", "run")  # fmt: skip
    assert answer.code == 0, answer.err
    assert steering(answer.out + answer.err) == []
    assert "left out 1 of 9 files" in answer.err
    shown = cli("sample", "run", "--labels", EVIL)
    assert (shown.code, steering(shown.err)) == (2, [])


@pytest.mark.parametrize(
    "command",
    [["list-plugins"], ["show", "evil"], *(ABOUT_RUNS[it] for it in ("runs", "compare"))],
    ids=" ".join,
)
def test_nothing_of_it_reaches_a_terminal(
    evil: list[Path], evil_runs: Path, tmp_path: Path, command: list[str]
) -> None:
    ours, theirs = pty.openpty()
    environ = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([*map(str, evil), *filter(None, sys.path)]),
        "TERM": "xterm-256color",
        "COLUMNS": "200",
    }
    process = subprocess.Popen(
        [sys.executable, "-c", MAIN, *of_runs(command, evil_runs)],
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
    assert "[red]x[" in "".join(text.split())
