"""Files that are no generators: refused by their first bytes, however large they are."""

from __future__ import annotations

import os
import pickle
import time
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import Command

resource = pytest.importorskip("resource")


def make(kind: str, path: Path) -> None:
    match kind:
        case "png":
            Image.new("RGB", (64, 64)).save(path, format="png")
        case "zip":
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("data.pkl", "x" * 1000)
        case "pickle":
            path.write_bytes(pickle.dumps({"generator": [0.0] * 100}))
        case "text":
            path.write_text("no weights\n" * 1000)
        case "empty":
            path.touch()
        case "fifo":
            os.mkfifo(path)
        case "endless":
            path.symlink_to("/dev/zero")
        case "sparse":
            with path.open("wb") as file:
                file.truncate(20 * 2**30)
        case "long header":
            path.write_bytes((10**9).to_bytes(8, "little") + b"{" * 1000)


KINDS = ("png", "zip", "pickle", "text", "empty", "fifo", "endless", "sparse", "long header")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("command", [("sample",), ("evaluate", "--dataset", "digits")])
def test_a_file_that_is_no_generator_is_refused_at_once(
    cli: Command, kind: str, command: tuple[str, ...]
) -> None:
    path = Path("generator.safetensors")
    make(kind, path)
    began, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    answer = cli(command[0], path, *command[1:])
    assert answer.code == 1
    assert answer.out == ""
    assert answer.err.startswith("Error: generator.safetensors ")
    assert "not a ganforge generator" in answer.err or "not a regular file" in answer.err
    assert answer.err.count("\n") == 1
    assert time.process_time() - began < 2
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kilobytes


def test_a_folder_that_is_no_run_is_refused(cli: Command) -> None:
    Path("folder").mkdir()
    answer = cli("sample", "folder")
    assert answer.code == 2
    assert "neither a run directory nor a generator.safetensors" in answer.err
