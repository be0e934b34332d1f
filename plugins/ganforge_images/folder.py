"""The image files below a folder, and safe opening of each.

Links are not followed unless that is asked for, and nothing but a regular file is opened.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from typing import BinaryIO

from .listing import LINK, Listing
from .names import is_companion, is_hidden, is_image_name

# What is in the folder of every run of ganforge, from its first moment on.
_MARKS_OF_RUNS = ("config.toml", "status.json", "checkpoints")
_SIGNATURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*")


class Folder:
    """The image files below a folder."""

    def __init__(self, root: str, *, follow_links: bool = False) -> None:
        self.root = root
        self.follow_links = follow_links

    def listing(self) -> Listing:
        """All that is there, sorted; the root itself is among `runs` where it is one."""
        listing = Listing()
        pending = [""]
        seen: set[tuple[int, int]] = set()  # folders, where links could lead to one twice
        while pending:
            folder = pending.pop()
            try:
                if self.follow_links and not _enter_once(self._path(folder), seen):
                    listing.refuse(folder, "a folder that was listed before")
                    continue
                found = [*self._scan(folder)]
            except OSError as error:
                listing.refuse(folder or ".", f"cannot be listed: {error.strerror}")
                continue
            if {it.name for it in found}.issuperset(_MARKS_OF_RUNS):
                listing.runs.append(folder)
                continue
            for entry in found:
                name = f"{folder}{entry.name}"
                if _is_folder(entry, self.follow_links):
                    pending.append(f"{name}/")
                else:
                    self._enter(listing, name, entry)
        listing.sort()
        return listing

    def open(self, name: str) -> BinaryIO:
        return os.fdopen(self._descriptor(name), "rb")

    def read(self, name: str) -> bytes:
        descriptor = self._descriptor(name)
        try:
            # One call reads what the listing has limited; the loop is for rare file systems.
            data = os.read(descriptor, os.fstat(descriptor).st_size + 1)
            while more := os.read(descriptor, 2**20):
                data += more
            return data
        finally:
            os.close(descriptor)

    def _descriptor(self, name: str) -> int:
        # What was a regular file when it was listed may be a pipe by now, whose opening would wait
        # for a writer, or a link.
        safe = getattr(os, "O_NONBLOCK", 0)
        if not self.follow_links:
            safe |= getattr(os, "O_NOFOLLOW", 0)
        descriptor = os.open(self._path(name), os.O_RDONLY | getattr(os, "O_BINARY", 0) | safe)
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return descriptor
        os.close(descriptor)
        raise OSError("not a regular file")

    def _path(self, name: str) -> str:
        return f"{self.root}/{name}"  # as it is: a Path would normalise the name

    def _scan(self, folder: str) -> Iterator[os.DirEntry[str]]:
        with os.scandir(self._path(folder)) as entries:
            yield from (entry for entry in entries if not is_hidden(entry.name))

    def _enter(self, listing: Listing, name: str, entry: os.DirEntry[str]) -> None:
        if entry.is_symlink() and not self.follow_links:
            if is_image_name(name) or entry.is_dir():
                listing.refuse(name, LINK)
            else:
                listing.other.append(name)
            return
        try:
            status = entry.stat(follow_symlinks=self.follow_links)
        except OSError as error:
            listing.refuse(name, error.strerror or "cannot be examined")
            return
        if stat.S_ISREG(status.st_mode):
            listing.add(name, status.st_size)
            if listing.other[-1:] == [name] and not is_companion(name) and self._is_image(name):
                listing.other.pop()
                listing.refuse(name, "an image, whose name needs a suffix such as .png or .jpg")
        elif is_image_name(name):
            listing.refuse(name, "not a regular file")
        else:
            listing.other.append(name)

    def _is_image(self, name: str) -> bool:
        try:
            with self.open(name) as stream:
                return stream.read(4).startswith(_SIGNATURES)
        except OSError:
            return False


def _is_folder(entry: os.DirEntry[str], follow_links: bool) -> bool:
    try:
        return entry.is_dir(follow_symlinks=follow_links)
    except OSError:  # a link to itself
        return False


def _enter_once(path: str, seen: set[tuple[int, int]]) -> bool:
    """False for a folder that was entered before, by whatever way."""
    status = os.stat(path)  # noqa: PTH116 - as it is
    key = (status.st_dev, status.st_ino)
    if key in seen:
        return False
    seen.add(key)
    return True
