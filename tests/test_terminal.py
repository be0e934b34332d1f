"""Streams that nothing can break."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ganforge.terminal import SafeStream, escaped, safe_streams


class Broken(io.StringIO):
    """A stream whose writing fails."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        raise self.error


class OnlyWrites:
    """What programs put in the place of standard output."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> None:
        self.text += text


class Shut:
    """An object that is no stream at all."""


def closed() -> io.StringIO:
    stream = io.StringIO()
    stream.close()
    return stream


FAULTS: dict[str, tuple[Callable[[], Any], str]] = {
    "full": (lambda: Broken(OSError(errno.ENOSPC, "No space left")), "No space left"),
    "unread": (lambda: Broken(BrokenPipeError(errno.EPIPE, "Broken pipe")), "Broken pipe"),
    "hung up": (lambda: Broken(OSError(errno.EIO, "Input/output error")), "Input/output error"),
    "without a text": (lambda: Broken(OSError()), "OSError"),
    "closed": (closed, "ValueError: I/O operation on closed file"),
    "absent": (lambda: None, "it is closed"),
    "somebody's": (lambda: Broken(RuntimeError("no")), "RuntimeError: no"),
    "no stream": (Shut, "AttributeError: 'Shut' object has no attribute 'write'"),
}


@pytest.mark.parametrize(("make", "fault"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_noted_told_once_and_never_raised(make: Callable[[], Any], fault: str) -> None:
    told: list[str] = []
    stream = SafeStream(make(), "standard output")
    stream.when_broken(lambda it: told.append(it.fault))
    assert print("a line", file=stream, flush=True) is None
    assert stream.write("another") == 7
    assert (stream.fault, told) == (fault, [fault])
    assert stream.unread == (fault == "Broken pipe")
    assert not stream.isatty()


def test_an_object_that_can_only_write_is_written_to() -> None:
    into = OnlyWrites()
    stream = SafeStream(into, "standard output")  # type: ignore[arg-type]
    print("Möbius", file=stream, flush=True)
    assert (into.text, stream.fault, stream.encoding) == ("Möbius\n", "", "utf-8")
    assert not stream.isatty()
    assert stream.writable()
    with pytest.raises(TypeError, match="must be str, not bytes"):
        stream.write(b"bytes")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [("ascii", b"\\u00b1 \\u2588 \\U0001f600"), ("latin-1", b"\xb1 \\u2588 \\U0001f600")],
)
def test_what_an_encoding_lacks_is_escaped_as_in_toml_and_json(encoding: str, shown: bytes) -> None:
    raw = io.BytesIO()
    stream = SafeStream(io.TextIOWrapper(raw, encoding=encoding), "standard output")
    stream.write("± █ \U0001f600")
    assert (raw.getvalue(), stream.fault, stream.encoding) == (shown, "", encoding)
    assert escaped("μ", "utf-8") == "μ"


def test_the_streams_of_a_program_are_its_own_again() -> None:
    before = sys.stdout, sys.stderr
    with safe_streams() as output:
        assert sys.stdout is output
        assert isinstance(sys.stderr, SafeStream)
    assert (sys.stdout, sys.stderr) == before


OCCUPIED = """
import os, sys
from ganforge.terminal import safe_streams
with safe_streams() as output:
    number = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)
    os.write(1, b"what a C library prints")
    os.write(2, b"what a C library prints")
assert (sys.stdout, sys.stderr, output.fault) == (None, None, "it is closed")
sys.exit(number)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the numbers are those of POSIX")
def test_no_file_gets_the_number_of_a_stream_that_was_closed(tmp_path: Path) -> None:
    file = tmp_path / "checkpoint"
    command = f'exec "{sys.executable}" -c "$CODE" "{file}" <&- >&- 2>&-'
    environ = {**os.environ, "CODE": OCCUPIED}
    answer = subprocess.run(["sh", "-c", command], env=environ, check=False, timeout=60)
    assert answer.returncode >= 3
    assert file.read_bytes() == b""
