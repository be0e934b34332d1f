"""Commands of ganforge as real processes: started, traced, killed and waited for."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
PATIENCE = 100.0  # seconds that any command may take, on a machine with other work


def needs(*tools: str) -> pytest.MarkDecorator:
    """Skip, with a word, where a tool is absent."""
    absent = [tool for tool in tools if shutil.which(tool) is None]
    return pytest.mark.skipif(bool(absent), reason=f"needs {', '.join(absent)}")


class Ended(NamedTuple):
    """How a command ended; `peak` is the memory in MB that it took."""

    code: int
    out: str
    err: str
    peak: float
    seconds: float

    @property
    def text(self) -> str:
        return " ".join(self.err.split())


@dataclass(kw_only=True)
class Process:
    """A command that is running."""

    pid: int
    out: Path
    err: Path
    parent: Parent
    started: float = field(default_factory=time.monotonic)
    ended: Ended | None = None

    def signal(self, number: int) -> None:
        """Send a signal, if it is still there."""
        if self.ended is None:
            os.kill(self.pid, number)

    def kill(self) -> Ended:
        self.signal(signal.SIGKILL)
        return self.wait()

    def wait(self, seconds: float = PATIENCE) -> Ended:
        """Wait for its end; one that takes longer fails the test."""
        if self.ended is None:
            answer = self.parent.ask(do="wait", pid=self.pid, seconds=seconds)
            code = answer["code"]
            if code is None:
                os.kill(self.pid, signal.SIGKILL)
                self.parent.ask(do="wait", pid=self.pid, seconds=seconds)
                pytest.fail(f"still running after {seconds} s: {self.out.read_text()[-2000:]}")
            elapsed = time.monotonic() - self.started
            texts = (self.out.read_text(), self.err.read_text())
            self.ended = Ended(code, *texts, answer["peak"], elapsed)
        return self.ended

    def until(self, condition: Any, seconds: float = PATIENCE) -> None:
        """Wait until something is true while it runs."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline or self.status() == "Z":
                pytest.fail(f"it did not happen: {self.kill()}")
            time.sleep(0.002)

    def status(self) -> str:
        """The letter by which the system says what it does: `T` stopped, `Z` ended, ..."""
        return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0]


class Parent:
    """The process that forks them (forking.py)."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._number = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.forking"],
            cwd=ROOT,
            env={
                **os.environ,
                "OMP_NUM_THREADS": "1",
                "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)]),
                "COLUMNS": "200",
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert "ready" in self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the process that forks has died"
        found: dict[str, Any] = json.loads(line)
        return found

    def ask(self, **order: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def start(self, *arguments: object, folder: Path, **how: Any) -> Process:
        """Start a command in a folder; `how` is what `forking.become` takes."""
        self._number += 1
        out, err = (self._scratch / f"{self._number}.{kind}" for kind in ("out", "err"))
        for file in (out, err):
            file.touch()
            file.chmod(0o666)
        words = [str(argument) for argument in arguments]
        places = {"out": str(out), "err": str(err), "folder": str(folder)}
        answer = self.ask(do="start", arguments=words, **places, **how)
        return Process(pid=answer["pid"], out=out, err=err, parent=self)

    def run(self, *arguments: object, folder: Path, **how: Any) -> Ended:
        return self.start(*arguments, folder=folder, **how).wait()

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._process.stdout.close()


@contextmanager
def traced(process: Process, log: Path, *options: str) -> Iterator[None]:
    """Let a process that was started `stopped` go on under strace, with its options."""
    process.until(lambda: process.status() == "T")
    tracer = subprocess.Popen(
        ["strace", "-f", "-qq", "-y", "-o", str(log), *options, "-p", str(process.pid)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        status = Path(f"/proc/{process.pid}/status")
        deadline = time.monotonic() + 20
        while "TracerPid:\t0\n" in status.read_text():
            if tracer.poll() is not None or time.monotonic() > deadline:
                process.kill()
                pytest.skip(f"strace cannot attach here: {tracer.communicate()[1].strip()}")
            time.sleep(0.005)
        process.signal(signal.SIGCONT)
        yield
    finally:
        if tracer.poll() is None:
            process.wait()
        tracer.communicate(timeout=20)


@contextmanager
def small_file_system(folder: Path, size: str) -> Iterator[SmallFileSystem]:
    """A tmpfs of a size over a folder, in a namespace of its own; skips where none can be made."""
    command = f'mount -t tmpfs -o size={size},mode=777 none "{folder}" && echo ready && exec cat'
    holder = subprocess.Popen(
        ["unshare", "-rm", "sh", "-c", command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    try:
        if holder.stdout.readline() != "ready\n":
            pytest.skip(f"no file system can be mounted here: {holder.communicate()[1].strip()}")
        yield SmallFileSystem(holder=holder.pid, inside=folder)
    finally:
        holder.communicate()


@dataclass(frozen=True, kw_only=True)
class SmallFileSystem:
    """A file system that only the processes of a namespace see."""

    holder: int
    inside: Path

    @property
    def outside(self) -> Path:
        """The same folder, seen from here."""
        return Path(f"/proc/{self.holder}/root{self.inside}")

    def remount(self, size: str) -> None:
        """Give it another size."""
        enter: Sequence[str] = ["nsenter", "-t", str(self.holder), "-U", "-m"]
        options = ["mount", "-o", f"remount,size={size}", str(self.inside)]
        subprocess.run([*enter, "--preserve-credentials", *options], check=True)

    def used(self) -> int:
        """Bytes that are taken."""
        found = os.statvfs(self.outside)
        return (found.f_blocks - found.f_bfree) * found.f_frsize
