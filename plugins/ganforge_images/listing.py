"""Listing of the image files in a folder, and safe opening of each.

Links are not followed, nothing but a regular file is opened, and every file that is not read is
accounted for.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol

# Larger files are left out: some decoders read a file whole.
MAX_FILE_BYTES = 256 * 2**20
_SUFFIXES = frozenset(
    (
        *(".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".gif", ".bmp"),
        *(".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm"),
    )
)
_LINK = "a symbolic link, which is not followed"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An image file: its name relative to the root, with `/`, and its size in bytes."""

    name: str
    size: int


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """A file or folder that cannot be read, and why."""

    name: str
    reason: str


@dataclass(kw_only=True)
class Listing:
    """Contents of a root; `other` are files that by their name are no images."""

    entries: list[Entry] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    other: list[str] = field(default_factory=list)

    def add(self, name: str, size: int) -> None:
        """Enters a regular file under the kind that it is of."""
        if not is_image_name(name):
            self.other.append(name)
        elif size > MAX_FILE_BYTES:
            self.refuse(name, f"{size:,} bytes, more than {MAX_FILE_BYTES:,}")
        else:
            self.entries.append(Entry(name=name, size=size))

    def refuse(self, name: str, reason: str) -> None:
        self.left_out.append(LeftOut(name=name, reason=reason))

    def sort(self) -> None:
        """By name, folder by folder, so that the order is that of no file system."""
        self.entries.sort(key=lambda entry: entry.name.split("/"))
        self.left_out.sort(key=lambda left_out: left_out.name.split("/"))
        self.other.sort(key=lambda name: name.split("/"))


class ImageFiles(Protocol):
    """A place that holds image files; sent to worker processes, so it must be picklable."""

    def listing(self) -> Listing:
        """All that is there, sorted."""

    def open(self, name: str) -> BinaryIO:
        """A file of the listing, seekable. Raises OSError."""


def is_image_name(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in _SUFFIXES  # noqa: PTH122 - names in zips, too


def is_hidden(name: str) -> bool:
    """True if a file or folder is none of the user's: `.DS_Store`, `.git`, `__MACOSX`."""
    return name.startswith(".") or name == "__MACOSX"


class Folder:
    """The image files below a folder."""

    def __init__(self, root: str) -> None:
        self.root = root

    def listing(self) -> Listing:
        listing = Listing()
        pending = [""]
        while pending:
            folder = pending.pop()
            try:
                for entry in self._scan(folder):
                    name = f"{folder}{entry.name}"
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(f"{name}/")
                    else:
                        _enter(listing, name, entry)
            except OSError as error:
                listing.refuse(folder or ".", f"cannot be listed: {error.strerror}")
        listing.sort()
        return listing

    def open(self, name: str) -> BinaryIO:
        # What was a regular file when it was listed may be a pipe by now, whose opening would wait
        # for a writer, or a link.
        safe = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
        descriptor = os.open(
            os.path.join(self.root, name),  # noqa: PTH118 - a Path would normalise the name
            os.O_RDONLY | getattr(os, "O_BINARY", 0) | safe,
        )
        stream = os.fdopen(descriptor, "rb")
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            stream.close()
            raise OSError("not a regular file")
        return stream

    def _scan(self, folder: str) -> Iterator[os.DirEntry[str]]:
        with os.scandir(os.path.join(self.root, folder)) as entries:  # noqa: PTH118
            yield from (entry for entry in entries if not is_hidden(entry.name))


def _enter(listing: Listing, name: str, entry: os.DirEntry[str]) -> None:
    if entry.is_symlink():
        if is_image_name(name) or entry.is_dir():
            listing.refuse(name, _LINK)
        else:
            listing.other.append(name)
        return
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError as error:
        listing.refuse(name, error.strerror or "cannot be examined")
        return
    if stat.S_ISREG(status.st_mode):
        listing.add(name, status.st_size)
    elif is_image_name(name):
        listing.refuse(name, "not a regular file")
    else:
        listing.other.append(name)
