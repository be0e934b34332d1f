"""The image files of a zip file, read in place: nothing is ever extracted."""

from __future__ import annotations

import io
import os
import stat
import struct
import zipfile
from typing import Any, BinaryIO

from .listing import LINK, MAX_FILE_BYTES, OUTSIDE, Listing
from .names import is_hidden, is_image_name

# Enough for ImageNet. Python holds about half a kilobyte for each, whatever the member holds.
MAX_MEMBERS = 1_500_000
MAX_DIRECTORY_BYTES = 128 * 2**20

_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR_64_SIZE = 20


class ZipFiles:
    """The image files of a zip file.

    Every process opens the file for itself: a position in a file is shared with forked workers.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._opened: tuple[int, zipfile.ZipFile] | None = None
        #: members whose names have backslashes for slashes, by what they mean
        self._meant: dict[str, str] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "_opened": None, "_meant": self._meant}

    def listing(self) -> Listing:
        """All members, sorted. Raises OSError where the directory is damaged or too large."""
        listing = Listing()
        seen: set[str] = set()
        try:
            _check_directory(self.path)
            members = self._archive().infolist()
        except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError) as error:
            raise OSError(f"{error}") from error
        for member in members:
            # Some programs of Windows write them against the standard.
            name = member.filename.replace("\\", "/")
            parts = name.split("/")
            hidden = any(is_hidden(part) for part in parts if part not in (".", ".."))
            if name.endswith("/") or hidden:
                continue
            reason = _refusal(member, parts, seen) if is_image_name(name) else None
            if reason is None:
                listing.add(name, member.file_size)
                if name != member.filename:
                    self._meant[name] = member.filename
            else:
                listing.refuse(name, reason)
            seen.add(name)
        listing.sort()
        return listing

    def open(self, name: str) -> BinaryIO:
        # Read whole, because seeking back in a compressed member starts it over.
        return io.BytesIO(self.read(name))

    def read(self, name: str) -> bytes:
        try:
            with self._archive().open(self._meant.get(name, name)) as member:
                # No more is read than the directory promised, which the listing has limited.
                return member.read(MAX_FILE_BYTES)
        except OSError:
            raise
        # zlib.error, BadZipFile, NotImplementedError for an unknown method, KeyError for a member
        # that has vanished, and what else a damaged file leads to.
        except Exception as error:
            raise OSError(str(error) or type(error).__name__) from error

    def _archive(self) -> zipfile.ZipFile:
        if self._opened is None or self._opened[0] != os.getpid():
            self._opened = (os.getpid(), zipfile.ZipFile(self.path))
        return self._opened[1]


def _refusal(member: zipfile.ZipInfo, parts: list[str], seen: set[str]) -> str | None:
    if stat.S_ISLNK(member.external_attr >> 16):
        return LINK
    if not parts[0] or ".." in parts or parts[0].endswith(":"):
        return OUTSIDE
    if member.flag_bits & 0x1:
        return "encrypted"
    if "/".join(parts) in seen:
        return "a second member of this name"
    return None


def _check_directory(path: str) -> None:
    """Raises ValueError for a table of contents that would fill the memory."""
    with open(path, "rb") as file:  # noqa: PTH123 - as the name was given
        length = file.seek(0, 2)
        tail_start = max(0, length - _END.size - 0xFFFF)
        file.seek(tail_start)
        tail = file.read()
        at = tail.rfind(b"PK\x05\x06")
        if at < 0 or len(tail) - at < _END.size:
            raise zipfile.BadZipFile("it has no table of contents")
        _, _, _, _, members, size, _, _ = _END.unpack_from(tail, at)
        # A zip file of more than 65,535 members says how many in a record before that.
        record_at = tail_start + at - _LOCATOR_64_SIZE - _END_64.size
        if record_at >= 0:
            file.seek(record_at)
            record = file.read(_END_64.size)
            if record.startswith(b"PK\x06\x06"):
                members, size = _END_64.unpack(record)[7:9]
    if members > MAX_MEMBERS or size > MAX_DIRECTORY_BYTES:
        raise ValueError(
            f"{members:,} members with a table of contents of {size:,} bytes; at most "
            f"{MAX_MEMBERS:,} and {MAX_DIRECTORY_BYTES:,} are read"
        )
