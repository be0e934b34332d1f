"""A run that was trained once, a copy of it for each test, and the doctor's word on either."""

from __future__ import annotations

import json
import shlex
import shutil
import warnings
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from PIL import Image

from ganforge.cli import main
from tests.conftest import Command
from tests.integration.conftest import TINY


class Word(NamedTuple):
    """The exit code, what is said in all, and the troubles by their names."""

    code: int
    document: dict[str, Any]
    troubles: dict[str, dict[str, str]]

    @property
    def severities(self) -> dict[str, str]:
        return {name: it["severity"] for name, it in self.troubles.items()}

    @property
    def facts(self) -> dict[str, str]:
        return {it["subject"]: it["text"] for it in self.document["facts"]}


Doctor = Callable[..., Word]


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of 12 steps with checkpoints of steps 10 and 12, and a best generator."""
    path = tmp_path_factory.mktemp("trained") / "r"
    arguments = [*TINY, "--steps", "12", "--checkpoint-every", "5", "--best", "fid"]
    arguments += ["--metric", "fid", "--features", "identity"]
    arguments += ["--set", "evaluation.num_samples=80", "--set", "evaluation.every=10"]
    with warnings.catch_warnings(), redirect_stdout(StringIO()):
        warnings.simplefilter("default", UserWarning)
        assert main(["train", *arguments, "--out", str(path)]) == 0
    return path


@pytest.fixture
def pictures(cli: Command) -> Path:
    """A run of 2 steps on a folder of two classes, `fruit`."""
    for number, name in enumerate(("apple", "pear")):
        folder = Path("fruit", name)
        folder.mkdir(parents=True)
        for index in range(8):
            Image.new("RGB", (9, 9), (20 * index, 99 * number, 7)).save(folder / f"{index}.png")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        arguments = [*TINY, "--steps", "2", "--dataset", "fruit", "--conditional"]
        assert cli("train", *arguments, "--out", "r").code == 0
    return Path("r")


@pytest.fixture
def run(cli: Command, trained: Path) -> Path:
    """A copy of the run, called `r`, in the working folder."""
    shutil.copytree(trained, "r")
    return Path("r")


@pytest.fixture
def doctor(cli: Command) -> Doctor:
    def examine(*arguments: object) -> Word:
        answer = cli("doctor", *arguments, "--json")
        assert answer.err == ""
        document = json.loads(answer.out)
        assert document["sound"] == (answer.code == 0)
        return Word(answer.code, document, {it["name"]: it for it in document["troubles"]})

    return examine


@pytest.fixture
def shell(cli: Command) -> Callable[[str], None]:
    """Type the commands in the backquotes of a remedy, as a shell would read them."""

    def run_remedy(remedy: str) -> None:
        for words in map(shlex.split, remedy.split("`")[1::2]):
            if words[0] == "rm":
                for name in words[1:]:
                    Path(name).unlink()
            elif words[0] == "ganforge":
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", UserWarning)
                    assert cli(*words[1:]).code == 0

    return run_remedy
