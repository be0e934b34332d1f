"""What a run keeps, and what of that others see."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import pytest

from ganforge.sharing import is_secret, portable, redacted, shareable
from tests.conftest import Command, FakePlugin
from tests.integration.conftest import TINY


@pytest.mark.parametrize(
    "key", ["token", "api_key", "callback.hub.api-key", "hf_token", "PASSWORD", "client_secret"]
)
def test_a_secret_is_known_by_its_key(key: str) -> None:
    assert is_secret(key)


@pytest.mark.parametrize("key", ["tokens", "key", "secretary", "data.tokenizer", "keys_per_token_"])
def test_what_only_sounds_like_one_is_none(key: str) -> None:
    assert not is_secret(key)


def test_secrets_are_hidden_wherever_they_stand() -> None:
    assert redacted({"token": "x", "api_key": None, "depth": {"a.password": "x", "b": 1}}) == {
        "token": "***",
        "api_key": None,
        "depth": {"a.password": "***", "b": 1},
    }
    command = ["train", "--set", "callback.hub.token=x=y", "--set=hub.api_key=x", "a=b", f"{KEY}=x"]
    assert redacted(command) == ["train", "--set", "callback.hub.token=***",
                                 "--set=hub.api_key=***", "a=b", f"{KEY}=***"]  # fmt: skip
    assert redacted("store=https://me:pw@host/x") == "store=https://***@host/x"


def test_paths_of_a_machine_are_names_in_what_is_shared() -> None:
    command = ["train", "--dataset=/home/me/cats", "--set", "dataset.root='/data/dogs'", "a/b"]
    assert shareable(command) == ["train", "--dataset=cats", "--set", "dataset.root=dogs", "a/b"]
    assert shareable({"a": ["~/x", "C:\\me\\y", 1], "b": "~"}) == {"a": ["x", "y", 1], "b": "~"}


#: the key in a run, where the names of strangers are whole
KEY = 'callback."hub/hub".api_key'


def test_a_checkpoint_knows_of_a_place_below_home_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "home", lambda: Path("/home/me"))
    given = {"a": ["/home/me/data/cats", "/data/dogs"], "b": "~/x", "c": "x/y", "d": 1}
    assert portable(given) == {"a": ["~/data/cats", "dogs"], "b": "~/x", "c": "x/y", "d": 1}


SOURCE = """
from dataclasses import dataclass
from ganforge import Callback, CallbackSpec, hookimpl, option

@dataclass(frozen=True, kw_only=True)
class Options:
    api_key: str = option("", help="key of the service")

@hookimpl
def ganforge_callbacks():
    yield CallbackSpec(name="hub", summary="s", build="hub:build", options=Options)

def build(problem, options):
    return Told(options.api_key)

class Told(Callback):
    def __init__(self, key):
        self.key = key
    def started(self, run, step, settings):
        (run / "told.txt").write_text(f"{self.key == 'hunter' + '2'} {settings}")
"""


def test_no_file_of_a_run_has_a_secret_and_none_that_is_shared_a_place(
    cli: Command, fake_plugin: FakePlugin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PIL import Image

    monkeypatch.setenv("HUB_TOKEN", "hunter2")
    fake_plugin("hub", SOURCE)
    (tmp_path / "cats").mkdir()
    for number in range(8):
        Image.new("RGB", (8, 8), (number * 30, 0, 0)).save(tmp_path / f"cats/{number}.png")
    run = tmp_path / "run"
    answer = cli(
        "train", *TINY, "--dataset", tmp_path / "cats", "--steps", 2, "--out", run,
        "--callback", "hub", "--set", "callback.hub.api_key=hunter2",
    )  # fmt: skip
    assert answer.code == 0, answer.err
    assert "hunter2" not in answer.out + answer.err
    assert (run / "told.txt").read_text().startswith("True ")  # it had the key all the same
    for command in (
        ["evaluate", run, "--num", 8, "--metric", "fid"],
        ["report", run],
        ["export", run, "--format", "safetensors"],
        ["sample", run, "--out", run / "samples.npz", "--num", 2],
    ):
        assert cli(*command).code == 0
    card = cli("push", run, "a/b", "--dry-run").out
    files = [path for path in run.rglob("*") if path.is_file()]
    assert not [path.name for path in files if b"hunter2" in path.read_bytes()]
    private = {"config.toml", "environment.json", "told.txt"}
    place = str(tmp_path).encode()
    assert {path.name for path in files if place in path.read_bytes()} <= private
    assert str(tmp_path) not in card
    assert "# api_key is unset" in (run / "config.toml").read_text()
    typed = json.loads((run / "environment.json").read_text())["sessions"][0]["command"]
    assert typed[-1] == "callback.hub.api_key=***"
    with warnings.catch_warnings():
        warnings.simplefilter("default", UserWarning)
        resumed = cli("train", "--resume", run, "--steps", 3, "--set", f"{KEY}=hunter2")
    assert resumed.code == 0, resumed.err
    assert b"hunter2" not in b"".join(it.read_bytes() for it in run.rglob("*.*") if it.is_file())
