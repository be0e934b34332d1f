"""The machine around a run: memory, space for files, handles, and what a terminal can show."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from ganforge.printable import printable, size_in_words
from ganforge.runs.sizes import size_of
from ganforge.storage.cache_folder import VARIABLE, cache_folder

from .findings import Fact, Findings, Trouble

LITTLE_MEMORY = 1_000_000_000  # bytes; torch alone takes half of it
LITTLE_SPACE = 200_000_000
SMALL_SHARED_MEMORY = 64 * 2**20  # what a container gets that is not asked
FEW_HANDLES = 256
SHARED_MEMORY = Path("/dev/shm")
CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")


def memory() -> Findings:
    """Main memory, what of it is free, and what bounds this process."""
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):  # a system that does not say
        return
    free, limit = _free_memory(), _memory_limit()
    parts = [size_in_words(total)]
    if free is not None:
        parts.append(f"{size_in_words(free)} free")
    if limit is not None and limit < total:
        parts.append(f"{size_in_words(limit)} for this process")
    yield Fact(subject="memory", text=", ".join(parts))
    least = min(it for it in (total, free, limit) if it is not None)
    if least < LITTLE_MEMORY:
        yield Trouble(
            name="little-memory",
            severity="warning",
            text=f"{size_in_words(least)} of memory is little: torch alone takes half a gigabyte",
            remedy="end other programs, or train with a smaller `--batch-size`",
        )


def _free_memory() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        fields = dict(line.split(":", 1) for line in lines)
        return int(fields["MemAvailable"].split()[0]) * 1024
    except (OSError, ValueError, KeyError):
        return None


def _memory_limit() -> int | None:
    """The least of the bounds on the memory of this process."""
    limits = []
    with suppress(OSError, ValueError):  # `max`, or a system without
        limits.append(int(CGROUP_LIMIT.read_text(encoding="ascii")))
    try:
        import resource
    except ImportError:
        return min(limits, default=None)
    bound = resource.getrlimit(resource.RLIMIT_AS)[0]
    if bound != resource.RLIM_INFINITY:
        limits.append(bound)
    return min(limits, default=None)


def shared_memory() -> Findings:
    """The place through which worker processes hand over batches."""
    if not SHARED_MEMORY.is_dir():
        return
    usage = shutil.disk_usage(SHARED_MEMORY)
    text = f"{SHARED_MEMORY}, {size_in_words(usage.total)}, {size_in_words(usage.free)} free"
    yield Fact(subject="shared memory", text=text)
    if usage.free <= SMALL_SHARED_MEMORY:
        yield Trouble(
            name="little-shared-memory",
            severity="warning",
            text=f"{size_in_words(usage.free)} are free in {SHARED_MEMORY}, through which worker "
            "processes hand over batches; without room there they are killed",
            remedy="`--workers 0` reads in the process itself; a container gets more by "
            "`docker run --shm-size=1g` or `--ipc=host`",
        )


def temporary_space() -> Findings:
    """The folder for temporary files."""
    try:
        folder = Path(tempfile.gettempdir())
    except OSError as error:
        yield Trouble(
            name="no-temporary-folder",
            text=f"there is no folder for temporary files: {error.strerror or error}",
            remedy="name one that can be written: `export TMPDIR=PATH`",
        )
        return
    free = shutil.disk_usage(folder).free
    yield Fact(subject="temporary", text=f"{printable(folder)}, {size_in_words(free)} free")
    if free < LITTLE_SPACE:
        yield Trouble(
            name="little-temporary-space",
            severity="warning",
            text=f"{size_in_words(free)} are free in {printable(folder)}, where `--compile` and "
            "some libraries put temporary files",
            remedy="remove files there, or name another folder: `export TMPDIR=PATH`",
        )


def file_handles() -> Findings:
    """The number of files that a process may have open."""
    try:
        import resource
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    endless = soft == resource.RLIM_INFINITY
    yield Fact(subject="open files", text="any number" if endless else f"{soft:,} at most")
    if not endless and soft < FEW_HANDLES:
        most = hard if hard != resource.RLIM_INFINITY else 4096
        more = f"`ulimit -n {min(most, 4096)}`, or " if most > soft else ""
        yield Trouble(
            name="few-file-handles",
            severity="warning",
            text=f"a process may have {soft} files open, and each worker process takes some",
            remedy=f"{more}`--workers 0`",
        )


def cache() -> Findings:
    """The cache of features, which is made again where it is not there."""
    folder = cache_folder()
    size = size_in_words(size_of(folder)) if folder.is_dir() else "empty"
    yield Fact(subject="cache", text=f"{printable(folder)}, {size}")
    existing = next(it for it in (folder.absolute(), *folder.absolute().parents) if it.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        yield Trouble(
            name="cache-that-cannot-be-written",
            severity="warning",
            text=f"the cache {printable(folder)} cannot be written, so that each evaluation looks "
            "at the same samples again",
            remedy=f"name a folder that can be: `export {VARIABLE}=PATH`",
        )


def terminal() -> Findings:
    """The encoding of what is printed."""
    encoding = getattr(sys.stdout, "encoding", None) or "unknown"
    yield Fact(subject="encoding", text=printable(encoding).lower())
    if encoding.lower().replace("-", "") not in ("utf8", "unknown"):
        yield Trouble(
            name="narrow-encoding",
            severity="warning",
            text=f"output is encoded as {printable(encoding)}, which cannot show every name",
            remedy="`export PYTHONUTF8=1`, or a locale such as LANG=C.UTF-8",
        )
