"""Sources of configuration values: layers of entries, each of which knows its place.

A later layer overrides an earlier one: defaults, then a file, then flags, then `--set`.
"""

from __future__ import annotations

import re
import tomllib
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, time
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from ganforge.config.migration import migrate
from ganforge.config.places import read_places
from ganforge.config.toml import inline, quoted
from ganforge.errors import Complaint, ConfigError, OutdatedWarning, listed
from ganforge.plugin.schedule import is_schedule
from ganforge.plugin.specs import TABLES
from ganforge.printable import is_utf8, printable

MAX_FILE_BYTES = 1_000_000
MAX_LOCATED_LINES = 400
MAX_LOCATED_CHARACTERS = 40_000
MAX_DEPTH = 4

KeyPath = tuple[str, ...]


class Origin(Protocol):
    """The source of a layer."""

    def place(self, path: KeyPath) -> str:
        """The place that a complaint about this key names: `run.toml:12`, `--loss`."""


@dataclass(frozen=True)
class Flag:
    """A flag of the command line, or anything else that has no lines."""

    text: str

    def place(self, path: KeyPath) -> str:
        return self.text


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One value, its key, and where it comes from.

    `typed` is the text of a number, truth value or date on the command line: where a string is
    wanted, that is what was meant, as in `dataset.root=2024`. `place` is the absolute path that a
    relative one of a stored run meant.
    """

    path: KeyPath
    value: object
    origin: Origin
    typed: str | None = None
    place: str | None = None

    @property
    def where(self) -> str:
        return self.origin.place(self.path)


@dataclass(frozen=True)
class Names:
    """The components of one kind that a layer selects, and where it does."""

    names: tuple[str, ...] = ()
    origin: Origin = Flag("default")


@dataclass(frozen=True, kw_only=True)
class Layer:
    """Entries that stand side by side: none resets what another one of them sets.

    `tables` names what the layer selects of a kind of which a run has any number (its losses, its
    metrics, its callbacks); a kind that is absent is left alone. `whole` says that it is a
    configuration of its own, as a file is: what it lists is all that there is, while a person who
    names a loss or a data set means the usual setting of each. `stored` says that it is the
    configuration of a run, which had every value that there was at the time. `companions` is false
    where the companions of losses are not wanted.
    """

    entries: tuple[Entry, ...] = ()
    tables: Mapping[str, Names] = field(default_factory=dict)
    whole: bool = False
    stored: bool = False
    companions: bool = True


def from_file(path: Path) -> Layer:
    """The layer of a TOML file that a person keeps. Raises ConfigError for a file that is not one.

    Words of 0.1 in it are understood, with a warning.
    """
    shown = printable(path)
    layer, outdated = _layer(_read(path), shown)
    if outdated:
        warnings.warn(
            f"{shown} has words of ganforge 0.1, which are understood until 1.0: "
            f"{listed([printable(it) for it in outdated])}; `ganforge train --config FILE "
            "--dry-run` prints it in those of today",
            OutdatedWarning,
            stacklevel=2,
        )
    return layer


def _read(path: Path) -> str:
    shown = printable(path)
    try:
        if not path.is_file():
            raise OSError("it is not a file" if path.exists() else "there is no such file")
        if path.stat().st_size > MAX_FILE_BYTES:
            raise OSError("it is too large for a configuration")
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError([Complaint(where=shown, what=f"cannot be read: {reason}")]) from error
    except UnicodeDecodeError as error:
        raise ConfigError([Complaint(where=shown, what="is not UTF-8 text")]) from error


def from_run(path: Path) -> Layer:
    """The layer of a run's own `config.toml`. Raises ConfigError for a file that is not one."""
    return of_run(_read(path), printable(path), path)


def of_run(text: str, name: str, config_file: Path) -> Layer:
    """The layer of the configuration of a run, with the places of its data as they are now.

    They are kept beside `config_file`, which need not be there.
    """
    layer, places = from_text(text, name), read_places(config_file)
    entries = []
    for entry in layer.entries:
        typed, place = places.get(".".join(entry.path), (None, None))
        entries.append(replace(entry, place=place) if typed == entry.value else entry)
    return replace(layer, entries=tuple(entries), stored=True)


def from_text(text: str, name: str) -> Layer:
    """The layer of TOML text, of 0.1 too; `name` stands before the line number in complaints."""
    return _layer(text, name)[0]


def _layer(text: str, name: str) -> tuple[Layer, list[str]]:
    """The layer of TOML text, and the words of 0.1 in it."""
    try:
        tree = tomllib.loads(text)
    except _UNREADABLE as error:
        what = f"is not TOML: {printable(error)}{_about_backslashes(str(error))}"
        raise ConfigError([Complaint(where=name, what=what)]) from error
    origin = _File(name, text)
    complaints = [
        Complaint(where=origin.place(path), what=f"{printable(inline(value), 80)}{_ESCAPED}")
        for path, value in leaves(tree)
        if _is_escaped_path(value)
    ]
    if complaints:
        raise ConfigError(complaints)
    outdated = migrate(tree)
    layer = Layer(
        entries=tuple(Entry(path=path, value=value, origin=origin) for path, value in leaves(tree)),
        tables={
            kind: Names(tuple(tree[kind]), origin)
            for kind in TABLES
            if isinstance(tree.get(kind), dict)
        },
        whole=True,
    )
    return layer, outdated


def from_settings(assignments: Sequence[str], flag: str = "--set") -> Layer:
    """The layer of `--set KEY=VALUE` arguments: VALUE is TOML, or else a string.

    `flag` is the one that complaints name.
    """
    entries: list[Entry] = []
    complaints: list[Complaint] = []
    for assignment in assignments:
        where = f"{flag} {printable(assignment, 100)}"
        key, separator, raw = assignment.partition("=")
        if not separator or not key.strip():
            complaints.append(Complaint(where=where, what="must look like generator.width=128"))
            continue
        if not raw.strip():
            complaints.append(Complaint(where=where, what="has no value"))
            continue
        if not is_utf8(assignment):
            complaints.append(Complaint(where=where, what="is not UTF-8 text"))
            continue
        tree = _toml_or_none(f"{key} = {raw}")
        if not tree or any(_is_escaped_path(value) for _, value in leaves(tree)):
            tree = _toml_or_none(f"{key} = {quoted(_bare(raw))}")
        origin = Flag(where)
        found = [
            Entry(path=path, value=value, origin=origin, typed=_typed(value, raw))
            for path, value in leaves(tree or {})
        ]
        if not found:
            what = "sets nothing" if tree else f"{printable(key)!r} is not a dotted key"
            complaints.append(Complaint(where=where, what=what))
        entries += found
    if complaints:
        raise ConfigError(complaints)
    return Layer(entries=tuple(entries))


def _is_escaped_path(value: object) -> bool:
    return isinstance(value, str) and _ESCAPED_PATH.match(value) is not None


def _about_backslashes(reason: str) -> str:
    return _ESCAPED if "\\" in reason or "hex value" in reason else ""


def _bare(raw: str) -> str:
    """A text without the double quotes of one that is no TOML, a path of Windows for example."""
    text = raw.strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' and "\\" in text else raw


def _typed(value: object, raw: str) -> str | None:
    return raw.strip() if isinstance(value, bool | int | float | date | time) else None


def _toml_or_none(text: str) -> dict[str, Any] | None:
    # A value with a line break could smuggle in a second key.
    if "\n" in text:
        return None
    try:
        return tomllib.loads(text)
    except _UNREADABLE:
        return None


#: a path of Windows, of which TOML has taken backslashes and letters for escapes
_ESCAPED_PATH = re.compile(r"[A-Za-z]:[\t\n\r\b\f]|[A-Za-z]:\\[^\n]*[\t\n\r\b\f]")
_ESCAPED = (
    "; in double quotes a backslash begins an escape, so write a Windows path in single quotes, "
    "'C:\\data', or with forward slashes"
)

# tomllib also raises what it meets in a number of thousands of digits and in nested brackets.
_UNREADABLE = (ValueError, RecursionError)


def leaves(tree: Mapping[str, Any], prefix: KeyPath = ()) -> Iterator[tuple[KeyPath, object]]:
    """The values of a tree of sections by their keys; a schedule is one value."""
    for key, value in tree.items():
        path = (*prefix, key)
        if isinstance(value, dict) and not _is_section(path) and is_schedule(value):
            yield path, value
        elif isinstance(value, dict) and (value or len(path) == 1) and len(path) < MAX_DEPTH:
            yield from leaves(value, path)
        elif isinstance(value, dict):
            # An empty table such as [loss.nonsat] selects without setting anything.
            if not _is_section(path):
                yield path, value
        else:
            yield path, value


def _is_section(path: KeyPath) -> bool:
    """True if a table at this place is a section: `[generator]`, `[loss.nonsat]`."""
    return len(path) == 1 or (path[0] in TABLES and len(path) == 2)


class _File:
    """A TOML file, which finds the line on which a key gets its value.

    TOML parsers give values without their places. A prefix of a TOML text that ends at a line break
    is either TOML itself or ends inside a value, so the first prefix that holds the key ends where
    its value does; the value begins after the last prefix before it that parses. That takes a parse
    a line, so it is done when something is wrong, and not for texts longer than any configuration.
    A table's line is that of its header.
    """

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self._text = text

    def place(self, path: KeyPath) -> str:
        line = self._lines.get(path)
        return f"{self.name}:{line}" if line else self.name

    @cached_property
    def _lines(self) -> dict[KeyPath, int]:
        found: dict[KeyPath, int] = {}
        lines = [f"{line}\n" for line in self._text.split("\n")]
        if len(lines) > MAX_LOCATED_LINES or len(self._text) > MAX_LOCATED_CHARACTERS:
            return found
        start = 1
        for end in range(1, len(lines) + 1):
            try:
                tree = tomllib.loads("".join(lines[:end]))
            except _UNREADABLE:
                continue
            for path in _nodes(tree):
                found.setdefault(path, start)
            start = end + 1
        return found


def _nodes(tree: Mapping[str, Any], prefix: KeyPath = ()) -> Iterator[KeyPath]:
    for key, value in tree.items():
        path = (*prefix, key)
        yield path
        if isinstance(value, dict) and len(path) < MAX_DEPTH:
            yield from _nodes(value, path)
