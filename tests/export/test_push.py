"""A push: shown without a network, and made to a hub that is a server of this test."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest

from ganforge.export import pushing
from tests.conftest import Command
from tests.export.conftest import SMALL, Train

HUB = "needs `pip install ganforge[hub]`"
TOKEN = "hf_a-token-that-nobody-is-to-see"


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening a connection is a failure."""

    def refuse(*arguments: object, **keywords: object) -> None:
        raise AssertionError("the network was asked for")

    monkeypatch.setattr("socket.socket.connect", refuse)
    monkeypatch.setattr("socket.getaddrinfo", refuse)


@pytest.mark.usefixtures("no_network")
def test_a_dry_run_shows_all_that_would_be_uploaded(train: Train, cli: Command):
    run = train("--generator=dcgan", *SMALL)
    before = sorted(run.rglob("*"))
    answer = cli("push", run, "somebody/digits", "--dry-run", "--private", "--license", "mit")
    assert (answer.code, answer.err) == (0, "")
    first, *lines = answer.out.splitlines()
    assert first == ("Would upload, in one commit, to a private repository somebody/digits, main:")
    shown = dict(re.fullmatch(r"  (\S+) +(.+)", it).groups() for it in lines[:3])  # type: ignore
    size = (run / "generator.safetensors").stat().st_size
    assert [*shown] == ["README.md", "generator.safetensors", "samples.png"]
    assert shown["generator.safetensors"] == f"{size / 1000:.3g} kB"
    text = "\n".join(lines)
    assert "# digits" in text
    assert 'license: "mit"' in text
    assert "![Samples of the generator](samples.png)" in text
    assert "hf download somebody/digits generator.safetensors --local-dir ." in text
    assert 'ganforge.load("generator.safetensors").sample(16)' in text
    assert sorted(run.rglob("*")) == before


def test_a_dry_run_needs_no_client(train: Train, cli: Command, monkeypatch: pytest.MonkeyPatch):
    run = train("--generator=dcgan", *SMALL)
    monkeypatch.setattr(pushing, "find_spec", lambda name: None)
    assert cli("push", run, "somebody/digits", "--dry-run").code == 0
    answer = cli("push", run, "somebody/digits")
    assert answer.code == 2
    assert answer.text == (
        "Error: push needs the package 'huggingface_hub', which is not installed: "
        'pip install "ganforge[hub]"; --dry-run does without'
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["digits"], "'digits': a repository is named OWNER/NAME"),
        (["a/b/c"], "a repository is named OWNER/NAME"),
        (["../b"], "a repository is named OWNER/NAME"),
        (["a/b", "--revision", "two words"], "'two words': a revision is a branch"),
    ],
)
def test_a_name_that_cannot_be_is_told_at_once(arguments: list[str], message: str, cli: Command):
    answer = cli("push", "absent", *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert message in answer.text


class Hub(BaseHTTPRequestHandler):
    """As much of a model hub as an upload asks for; it remembers what it was sent."""

    requests: ClassVar[list[tuple[str, str, str]]] = []
    private = True
    refuses = False

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._answer({"id": "somebody/digits", "private": self.private, "siblings": []})

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if self.refuses:
            self._answer({"error": "Invalid username or password."}, body, status=401)
            return
        if self.path.endswith("/api/repos/create"):
            self._answer({"url": f"{self.home}/somebody/digits"}, body)
        elif "/preupload/" in self.path:
            files = [
                {"path": it["path"], "uploadMode": "regular", "shouldIgnore": False}
                for it in json.loads(body)["files"]
            ]
            self._answer({"files": files}, body)
        else:
            done = {
                "success": True,
                "commitOid": "0" * 40,
                "commitUrl": f"{self.home}/somebody/digits/commit/0",
            }
            self._answer(done, body)

    @property
    def home(self) -> str:
        return f"http://{self.headers['Host']}"

    def _answer(self, document: dict[str, Any], body: bytes = b"", status: int = 200) -> None:
        token = self.headers.get("Authorization", "")
        self.requests.append((self.path, token, body.decode()))
        contents = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(contents)))
        self.end_headers()
        self.wfile.write(contents)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[type[Hub], str]]:
    """A hub on this machine, and its address."""
    pytest.importorskip("huggingface_hub", reason=HUB)
    handler = type("Handler", (Hub,), {"requests": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield handler, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def pushed(address: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """`ganforge push` in a process of its own: the client reads its environment once."""
    code = "import sys; from ganforge.cli import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", code, "push", *map(str, arguments)],
        env={
            **os.environ,
            "HF_ENDPOINT": address,
            "HF_TOKEN": TOKEN,
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_XET": "1",
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        },
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_a_push_is_one_commit_of_what_the_dry_run_shows(
    train: Train, cli: Command, hub: tuple[type[Hub], str]
):
    run = train("--generator=dcgan", *SMALL)
    handler, address = hub
    answer = pushed(address, run, "somebody/digits", "--private", "--license", "mit")
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.startswith("Wrote README.md, generator.safetensors, samples.png to ")
    created = [json.loads(body) for path, _, body in handler.requests if "repos/create" in path]
    ((name, owner, hidden),) = (
        # Versions of the client differ in how they ask for a private repository.
        (it["name"], it["organization"], it.get("private") or it.get("visibility") == "private")
        for it in created
    )
    assert (name, owner, hidden) == ("digits", "somebody", True)
    commits = [(path, body) for path, _, body in handler.requests if "/commit/" in path]
    ((path, body),) = commits
    assert path == "/api/models/somebody/digits/commit/main"
    header, *lines = (json.loads(line) for line in body.splitlines())
    assert header["value"]["summary"] == "Generator of run by ganforge"
    sent = {it["value"]["path"]: base64.b64decode(it["value"]["content"]) for it in lines}
    assert sent["generator.safetensors"] == (run / "generator.safetensors").read_bytes()
    grid = max((run / "samples").glob("0*.png"))
    assert sent["samples.png"] == grid.read_bytes()
    dry = cli("push", run, "somebody/digits", "--dry-run", "--private", "--license", "mit")
    assert sent.keys() == {"README.md", "generator.safetensors", "samples.png"}
    assert dry.out.endswith(f"\n{sent['README.md'].decode()}\n")


def test_the_token_goes_to_the_hub_and_nowhere_else(train: Train, hub: tuple[type[Hub], str]):
    run = train("--generator=dcgan", *SMALL)
    handler, address = hub
    answer = pushed(address, run, "somebody/digits")
    assert answer.returncode == 0, answer.stderr
    assert {token for _, token, _ in handler.requests} == {f"Bearer {TOKEN}"}
    assert TOKEN not in answer.stdout + answer.stderr
    assert all(TOKEN not in body for _, _, body in handler.requests)
    files = [path for path in run.rglob("*") if path.is_file()]
    assert all(TOKEN.encode() not in path.read_bytes() for path in files)


def test_what_is_to_be_private_is_not_pushed_to_what_is_public(
    train: Train, hub: tuple[type[Hub], str]
):
    run = train("--generator=dcgan", *SMALL)
    handler, address = hub
    handler.private = False
    answer = pushed(address, run, "somebody/digits", "--private")
    assert answer.returncode == 2
    assert "is there already, and is public" in answer.stderr
    assert [path for path, _, _ in handler.requests if "/commit/" in path] == []


def test_a_refusal_says_how_to_log_in(train: Train, hub: tuple[type[Hub], str]):
    run = train("--generator=dcgan", *SMALL)
    handler, address = hub
    handler.refuses = True
    answer = pushed(address, run, "somebody/digits")
    assert answer.returncode == 1
    assert answer.stderr.splitlines() == [
        "Error: somebody/digits was not pushed: the hub refused it (401): log in with "
        "`hf auth login`, or set HF_TOKEN to a token that may write there"
    ]


def test_a_network_that_is_not_there_is_one_paragraph(train: Train):
    pytest.importorskip("huggingface_hub", reason=HUB)
    run = train("--generator=dcgan", *SMALL)
    answer = pushed("http://127.0.0.1:9", run, "somebody/digits")
    assert answer.returncode == 1
    (line,) = answer.stderr.splitlines()
    assert line.startswith("Error: somebody/digits was not pushed: ")
    assert line.endswith("(is the network there, and HF_ENDPOINT, if it is set, right?)")
    assert TOKEN not in line


def test_another_branch_is_made_where_it_is_missing(train: Train, hub: tuple[type[Hub], str]):
    run = train("--generator=dcgan", *SMALL)
    handler, address = hub
    answer = pushed(address, run, "somebody/digits", "--revision", "v2")
    assert answer.returncode == 0, answer.stderr
    paths = [path for path, _, _ in handler.requests]
    assert "/api/models/somebody/digits/branch/v2" in paths
    assert "/api/models/somebody/digits/commit/v2" in paths


def test_a_damaged_generator_is_not_pushed(train: Train, cli: Command):
    run = train("--generator=dcgan", *SMALL)
    path = run / "generator.safetensors"
    contents = bytearray(path.read_bytes())
    contents[-3] ^= 1
    path.write_bytes(contents)
    answer = cli("push", run, "somebody/digits", "--dry-run")
    assert (answer.code, answer.out) == (1, "")
    assert "is damaged: the checksum of" in answer.text
    assert Path(path).read_bytes() == contents
