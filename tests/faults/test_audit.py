"""No command unpickles, starts a process or connects: an audit hook of Python refuses all of it.

Armed in a process that has imported torch, whose own start is not in our hands (it looks for
compilers and devices). Allowed are `git`, which a run asks for its commit; the process in which
`doctor` and `check-plugin` try imports; and what is asked for by name: the processes of `sweep` and
of `execution.num_workers`, downloads by `dataset.download=true`, and `push`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image

from ganforge.cli import COMMANDS

from .conftest import T
from .processes import ROOT, Ended, Parent

CALLS = {
    "train": [*T, "--steps", "6", "--metric", "moments", "--out", "new"],
    "train a folder": [
        *("train", "--dataset", "pictures", "--image-size", "8", "--generator", "mlp"),
        *("--steps", "2", "--batch-size", "4", "--device", "cpu", "--out", "new"),
        *("--set", "output.grid_samples=4", "--workers", "0"),
    ],
    "resume": ["train", "--resume", "run", "--steps", "64"],
    "sample": ["sample", "run", "--num", "10", "--out", "x.npz"],
    "sample a picture": ["sample", "run", "--out", "x.png"],
    "evaluate": ["evaluate", "run", "--num", "50", "--device", "cpu"],
    "runs": ["runs", "."],
    "compare": ["compare", "run", "twin"],
    "diagnose": ["diagnose", "run"],
    "doctor": ["doctor"],
    "doctor of a run": ["doctor", "run"],
    "report": ["report", "run", "--out", "x.html"],
    "export": ["export", "run", "--format", "safetensors", "--out", "exported"],
    "list-recipes": ["list-recipes"],
    "list-plugins": ["list-plugins"],
    "show": ["show", "dcgan"],
    "check-plugin": ["check-plugin", "ganforge", "--component", "sampler/normal"],
    "new-plugin": ["new-plugin", "ganforge-tinygan", "--kind", "loss"],
}
#: those that start processes or connect because that is what they are for
EXEMPT = {"sweep", "benchmark", "push"}


@pytest.fixture
def place(reference: Path, tmp_path: Path) -> Path:
    """A folder with a run and some pictures."""
    for name in ("run", "twin"):
        shutil.copytree(reference, tmp_path / name)
    (tmp_path / "pictures").mkdir()
    for number in range(8):
        Image.new("L", (9, 9), number * 20).save(tmp_path / "pictures" / f"{number}.png")
    return tmp_path


def audited(parent: Parent, folder: Path, *arguments: str) -> tuple[Ended, str]:
    log = folder / "audit.log"
    ended = parent.run(*arguments, folder=folder, audit=str(log))
    return ended, log.read_text()


@pytest.mark.parametrize("call", CALLS)
def test_a_command_does_nothing_of_the_kind(parent: Parent, place: Path, call: str) -> None:
    ended, refused = audited(parent, place, *CALLS[call])
    assert refused == ""
    assert ended.code == 0, ended
    assert "is not allowed here" not in ended.err + ended.out


def test_every_command_is_called_or_exempt() -> None:
    assert set(COMMANDS) - EXEMPT <= {words[0] for words in CALLS.values()}


class Trap:
    """Unpickling this creates a file."""

    def __init__(self, target: Path) -> None:
        self.target = str(target)

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (self.target, "w")


@pytest.mark.parametrize(
    "words",
    [
        ["sample", "{file}", "--out", "x.npz"],
        ["train", "--init", "{file}", "--steps", "1", "--out", "new"],
        ["train", "--resume", "run"],
        ["train", "--config", "{file}", "--out", "new"],
        ["train", "--dataset", "{file}", "--out", "new"],
        ["evaluate", "{file}"],
        ["export", "{file}", "--format", "safetensors", "--out", "exported"],
        ["report", "{file}", "--out", "x.html"],
    ],
    ids=lambda words: " ".join(words[:2]),
)
@pytest.mark.parametrize("ending", ["safetensors", "pt", "png"])
def test_a_pickle_is_refused_and_does_nothing(
    parent: Parent, place: Path, words: list[str], ending: str
) -> None:
    trap, file = place / "sprung", place / f"generator.{ending}"
    torch.save({"x": Trap(trap)}, file)
    before = file.read_bytes()
    for checkpoint in (place / "run/checkpoints").iterdir():
        checkpoint.write_bytes(before)
    ended, refused = audited(parent, place, *(it.format(file=file) for it in words))
    assert ended.code in (1, 2), ended
    assert "Error: " in ended.err
    assert refused == ""
    assert not trap.exists()
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("statement", "event"),
    [
        ("import pickle; pickle.loads(pickle.dumps(OSError))", "pickle.find_class"),
        ("import subprocess; subprocess.run(['true'])", "subprocess.Popen"),
        ("import os; os.system('true')", "os.system"),
        ("import os; os.posix_spawn('/bin/true', ['true'], {})", "os.posix_spawn"),
        ("import os; os.fork()", "os.fork"),
        ("import socket; socket.create_connection(('127.0.0.1', 9))", "socket.getaddrinfo"),
        ("import socket; socket.socket().connect(('127.0.0.1', 9))", "socket.connect"),
        ("import urllib.request; urllib.request.urlopen('http://x.invalid')", "urllib.Request"),
    ],
    ids=lambda it: it if "(" not in it else "",
)
def test_the_hook_sees_what_it_is_to_refuse(tmp_path: Path, statement: str, event: str) -> None:
    log = tmp_path / "log"
    program = (
        "import sys; from pathlib import Path; from tests.faults.auditing import arm\n"
        f"arm(Path(sys.argv[1]))\n{statement}\n"
    )
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, str(log)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert f"PermissionError: {event} is not allowed here" in ended.stderr
    assert log.read_text().startswith(f"{event}: ")
