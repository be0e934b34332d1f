"""Paths: which ones no file system takes, and how one is typed in a shell."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

from ganforge.errors import UsageError
from ganforge.printable import printable

#: names of what ganforge makes, and of what people name in it: no shell and no system minds them
NAME_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")
MOST_LETTERS = 64

_MOST_BYTES, _MOST_BYTES_IN_ALL = 255, 4095


def check_path(path: Path, place: str = "") -> None:
    """Raise UsageError for a path that is too long for every file system; `place` is its flag."""
    where = f"{place}: " if place else ""
    longest = max((len(os.fsencode(part)) for part in path.parts), default=0)
    if longest > _MOST_BYTES:
        raise UsageError(
            f"{where}{printable(path, 60)} has a name of {longest} bytes, and file systems take "
            f"{_MOST_BYTES}; choose a shorter one"
        )
    if len(os.fsencode(path)) > _MOST_BYTES_IN_ALL:
        raise UsageError(
            f"{where}{printable(path, 60)} is a path of {len(os.fsencode(path))} bytes, and "
            f"systems take {_MOST_BYTES_IN_ALL}; choose a shorter one"
        )


def cut_name(name: str) -> str:
    """A name that is made of others, cut to what NAME_PATTERN takes."""
    return name[:MOST_LETTERS].rstrip("-._+")


def suffix_of(path: Path) -> str:
    """The suffix of a file, whose case says nothing: `.png` of `GRID.PNG`."""
    return path.suffix.lower()


def quoted(path: Path | str) -> str:
    """A path as it is typed in a shell: in quotes where need be, and never taken for a flag."""
    text = printable(path, 4000)
    return shlex.quote(f"./{text}" if text.startswith("-") else text)


def quoted_from_home(path: Path | str) -> str:
    """A path as it is typed in a shell, below `~` where it is there: for text that others read."""
    text, home = str(path), f"{Path.home()}/"
    if len(home) > 2 and text.startswith(home):
        return f"~/{quoted(text.removeprefix(home)).removeprefix('./')}"
    return quoted(path)


def without_home(text: str, limit: int = 2000) -> str:
    """One line, safe to print, without the user's own folder in it: it can be given to others."""
    home = f"{Path.home()}/"
    if len(home) > 2:
        text = text.replace(home, "~/")
    return printable(text, limit)
