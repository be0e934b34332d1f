"""Files that are either wholly there or not there at all."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from ganforge.errors import UsageError
from ganforge.printable import printable

TEMPORARY_PREFIX = ".tmp-"


def write_atomically(path: Path, chunks: Iterable[bytes | memoryview]) -> None:
    """Write a file so that a crash at any moment leaves the old one or the new one.

    Written beside its place, flushed to the disk, renamed, and the folder flushed: in that order,
    or a power loss could keep the rename and lose the contents. Raises OSError, and leaves no
    temporary file behind.
    """
    descriptor, name = tempfile.mkstemp(prefix=TEMPORARY_PREFIX, dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            os.fchmod(file.fileno(), 0o666 & ~_umask())
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    flush_folder(path.parent)


@contextlib.contextmanager
def open_regular(path: Path) -> Iterator[BinaryIO]:
    """A regular file to be read; of anything else nothing is. Raises OSError.

    Opening a FIFO would otherwise wait for a writer, and a device has no end.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError("it is not a regular file")
        file = os.fdopen(descriptor, "rb", closefd=False)
        with file:
            yield file
    finally:
        os.close(descriptor)


def write_text(path: Path, text: str) -> None:
    write_atomically(path, [text.encode()])


def check_folder(path: Path) -> None:
    """Raise UsageError for a folder to write files in that is a file, or that holds some."""
    try:
        if path.is_dir() and any(path.iterdir()):
            raise UsageError(
                f"{printable(path)} is not empty, and what it holds would be mixed with what is to "
                "be written; name a new folder"
            )
        if path.exists() and not path.is_dir():
            raise UsageError(f"{printable(path)} is a file; name a directory")
    except OSError as error:
        raise UsageError(f"{printable(path)} cannot be used: {error.strerror}") from error


@contextlib.contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A folder to write files in, which gets its name once all are there, and is gone otherwise.

    A folder that is there already, which must be empty, is written in as it is. Raises OSError, and
    UsageError for a folder that holds something.
    """
    check_folder(path)
    if path.is_dir():
        yield path
        return
    temporary = Path(tempfile.mkdtemp(prefix=TEMPORARY_PREFIX, dir=path.parent))
    try:
        yield temporary
        temporary.chmod(0o777 & ~_umask())
        temporary.replace(path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    flush_folder(path.parent)


def flush_folder(folder: Path) -> None:
    """Make renames in a folder durable; not every system lets a folder be opened."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files of a process that was killed while writing."""
    for leftover in folder.glob(f"{TEMPORARY_PREFIX}*"):
        with contextlib.suppress(OSError):
            leftover.unlink()


def _umask() -> int:
    # The mask can be read only by setting it.
    mask = os.umask(0)
    os.umask(mask)
    return mask
