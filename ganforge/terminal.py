"""A terminal, and what stands in its place: streams that nothing can break, signals that end.

All output for people goes through `sys.stdout` and `sys.stderr`: tables, warnings, displays, what
plugins print. Either can be closed, full, a pipe that nobody reads, a terminal that went away, an
object of somebody's that has only `write`, or of an encoding that lacks a character. None of this
is worth a run, so for as long as a command runs both are replaced by streams that take everything.
What could not be written is known afterwards: for a command that has nothing else to give, that is
a failure.
"""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO, TextIO, cast

from ganforge.printable import described

#: signals that end a process besides Ctrl-C and SIGTERM, where this system has them: of a terminal
#: that is gone, of Ctrl-backslash, of a limit of CPU time, of a scheduler, of Ctrl-Break
ENDING_SIGNALS = tuple(
    signal.Signals[name]
    for name in ("SIGHUP", "SIGQUIT", "SIGXCPU", "SIGUSR1", "SIGUSR2", "SIGBREAK")
    if hasattr(signal, name)
)


class SafeStream(io.TextIOBase):
    """A stream whose faults are noted, and never raised.

    A character that the encoding lacks is written as its escape, such as `\\u03bc`. After a fault
    of the stream itself nothing is written any more.
    """

    def __init__(self, stream: TextIO | None, label: str) -> None:
        self.label = label
        #: description of the fault; empty where there was none
        self.fault = ""
        #: True where the reader of a pipe has gone, who did not want the rest
        self.unread = False
        self._stream = stream
        self._tell: Callable[[SafeStream], None] | None = None
        if stream is None:
            self.fault = "it is closed"

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return getattr(self._stream, "encoding", None) or "utf-8"

    def isatty(self) -> bool:
        """True for a terminal that is still there."""
        if self._stream is None or self.fault:
            return False
        try:
            return bool(self._stream.isatty())
        except Exception:  # somebody's object has whatever faults it has
            return False

    def fileno(self) -> int:
        if self._stream is None:
            raise io.UnsupportedOperation(f"{self.label} is closed")
        return self._stream.fileno()

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if self._stream is not None and not self.fault:
            try:
                try:
                    self._stream.write(text)
                except UnicodeEncodeError:
                    self._stream.write(escaped(text, self.encoding))
                # At once, for a fault to be known while it can be told.
                if (flush := getattr(self._stream, "flush", None)) is not None:
                    flush()
            except Exception as error:
                self._break(error, self._stream)
        return len(text)

    @property
    def buffer(self) -> BinaryIO:
        """The same stream for bytes of UTF-8, as which click writes what completes a word."""
        return cast(BinaryIO, _Encoded(self))

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """The stream behind this one is somebody else's."""

    def when_broken(self, tell: Callable[[SafeStream], None]) -> None:
        """Call `tell` when a fault comes, or now where it has come."""
        self._tell = tell
        if self.fault:
            tell(self)

    @property
    def is_secondary(self) -> bool:
        """True once something is told of a fault, which is then no failure of the command."""
        return self._tell is not None

    def _break(self, error: Exception, stream: TextIO) -> None:
        known = isinstance(error, OSError) and error.strerror
        self.fault = str(error.strerror) if known else described(error)  # type: ignore[attr-defined]
        self.unread = isinstance(error, BrokenPipeError) or (
            isinstance(error, OSError) and error.errno == errno.EPIPE
        )
        _empty(stream)
        if self._tell is not None:
            self._tell(self)


class _Encoded(io.BufferedIOBase):
    """Bytes that are text, for a stream of texts."""

    def __init__(self, stream: SafeStream) -> None:
        self._stream = stream

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._stream.write(bytes(data).decode(errors="replace"))
        return len(data)


def escaped(text: str, encoding: str) -> str:
    """The text with escapes, as in TOML and JSON, for the characters that an encoding lacks."""
    found = []
    for char in text:
        try:
            char.encode(encoding)
            found.append(char)
        except UnicodeEncodeError:
            number = ord(char)
            found.append(f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}")
    return "".join(found)


@contextmanager
def safe_streams() -> Iterator[SafeStream]:
    """Replace `sys.stdout` and `sys.stderr` by streams that nothing can break; gives the first."""
    _occupy_standard_descriptors()
    before = sys.stdout, sys.stderr
    output = SafeStream(sys.stdout, "standard output")
    sys.stdout, sys.stderr = output, SafeStream(sys.stderr, "standard error")
    try:
        yield output
    finally:
        sys.stdout, sys.stderr = before


def _occupy_standard_descriptors() -> None:
    """Open what was closed of 0, 1 and 2 on nothing.

    The next file to be opened would get the number, and what a C library prints would be written
    into a checkpoint.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            with suppress(OSError):
                # The lowest number that is free, which is this one.
                os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)


def _empty(stream: TextIO) -> None:
    """Empty the buffer of a stream of this process that cannot be written.

    Python would try again when it ends, complain, and change the exit code.
    """
    with suppress(Exception):
        number = stream.fileno()
        if number not in (1, 2):
            return
        kept, nothing = os.dup(number), os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nothing, number)
            stream.flush()
        finally:
            os.dup2(kept, number)
            os.close(kept)
            os.close(nothing)
