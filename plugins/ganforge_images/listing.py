"""Listing of the image files of a folder or a zip file, and of every file that is not read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple, Protocol

from .names import by_folder, is_foreign_picture, is_image_name, suffix_of

# Larger files are left out: some decoders read a file whole.
MAX_FILE_BYTES = 256 * 2**20
LINK = "a symbolic link, which is not followed"
OUTSIDE = "its path leads out of the zip file"


class Entry(NamedTuple):
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
    """Contents of a root.

    `other` are files that by their name are no images, `runs` folders that are runs of ganforge,
    whose grids are no data.
    """

    entries: list[Entry] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    other: list[str] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)

    def add(self, name: str, size: int) -> None:
        """Enters a regular file under the kind that it is of."""
        if is_image_name(name):
            if size > MAX_FILE_BYTES:
                self.refuse(name, f"{size:,} bytes, more than {MAX_FILE_BYTES:,}")
            else:
                self.entries.append(Entry(name, size))
        elif is_foreign_picture(name):
            self.refuse(name, f"{suffix_of(name)} files are not read")
        else:
            self.other.append(name)

    def refuse(self, name: str, reason: str) -> None:
        self.left_out.append(LeftOut(name=name, reason=reason))

    def sort(self) -> None:
        """By name, folder by folder, so that the order is that of no file system."""
        self.entries.sort(key=lambda entry: by_folder(entry.name))
        self.left_out.sort(key=lambda left_out: by_folder(left_out.name))
        self.other.sort(key=by_folder)
        self.runs.sort(key=by_folder)


class ImageFiles(Protocol):
    """A place that holds image files; sent to worker processes, so it must be picklable."""

    def listing(self) -> Listing:
        """All that is there, sorted. Raises OSError for a place that cannot be read at all."""

    def open(self, name: str) -> BinaryIO:
        """A file of the listing, seekable. Raises OSError."""

    def read(self, name: str) -> bytes:
        """The bytes of a file of the listing. Raises OSError."""
