"""Parts of a run that other people are shown: its configuration and its commands."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from ganforge.config import toml
from ganforge.printable import printable
from ganforge.runs.run import Run
from ganforge.sharing import shareable


def configuration(run: Run) -> str:
    """The configuration of a run as TOML, in which paths of this machine are names alone."""
    tables: dict[tuple[str, ...], list[toml.Line]] = {}
    for path, value in run.entries:
        shown = shareable({path[-1]: value})[path[-1]]
        tables.setdefault(path[:-1], []).append(toml.Line(key=path[-1], value=shown))
    return "\n".join(toml.table(path, lines) for path, lines in tables.items())


def command_line(command: Iterable[object]) -> str:
    """A recorded command as it is typed, in which paths of this machine are names alone."""
    return printable(shlex.join(map(str, shareable([str(it) for it in command]))), 4000)
