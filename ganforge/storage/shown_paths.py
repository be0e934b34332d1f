"""Paths in texts that are shown: as a shell takes them, and without the user's own folder."""

from __future__ import annotations

import shlex
from pathlib import Path

from ganforge.printable import printable


def quoted(path: Path) -> str:
    """A path as a shell takes it, below `~` where it is there; one with a dash is no option."""
    text, home = str(path), str(Path("~").expanduser())
    if len(home) > 1 and text.startswith(f"{home}/"):
        return f"~/{shlex.quote(text.removeprefix(home + '/'))}"
    return shlex.quote(f"./{text}" if text.startswith("-") else text)


def without_home(text: str, limit: int = 2000) -> str:
    """One line, safe to print, without the user's folder in it: it can be given to others."""
    home = str(Path("~").expanduser())
    if len(home) > 1:
        text = text.replace(f"{home}/", "~/")
    return printable(text, limit)
