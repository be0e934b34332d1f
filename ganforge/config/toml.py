"""Writes the resolved configuration as TOML, with the help of each key beside it.

tomllib only reads, and no small maintained writer puts a comment beside a value; the configuration
needs just tables of scalars, of lists of scalars, and of schedules, which are inline tables.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

from ganforge.printable import printable

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_COMMENT_COLUMN = 40


@dataclass(frozen=True, kw_only=True)
class Line:
    """One key of a table; a value of None is written as a comment, since TOML has no null."""

    key: str
    value: object
    comment: str = ""


def table(path: Iterable[str], lines: Iterable[Line], comment: str = "") -> str:
    """A table with its header, as text that ends in a line break."""
    header = f"[{'.'.join(_key(part) for part in path)}]"
    return "".join(f"{text}\n" for text in (_beside(header, comment), *map(_line, lines)))


def _line(line: Line) -> str:
    if line.value is None:
        return _beside(f"# {_key(line.key)} is unset", line.comment)
    return _beside(f"{_key(line.key)} = {inline(line.value)}", line.comment)


def _beside(text: str, comment: str) -> str:
    return f"{f'{text} ':<{_COMMENT_COLUMN}}# {comment}" if comment else text


def _key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else quoted(key)


def inline(value: object) -> str:
    """A value as TOML, on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, str):
        # A literal string needs no escapes, so that JSON in it can be read.
        literal = '"' in value and "'" not in value and value.isprintable()
        return f"'{value}'" if literal else quoted(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(inline(element) for element in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_key(key)} = {inline(it)}' for key, it in value.items())}}}"
    raise TypeError(f"no TOML value for {value!r}")


def shown(value: object) -> str:
    """A value for a person: as TOML, but a text without quotes, one that is unset in words."""
    if value is None:
        return "unset"
    return printable(value if isinstance(value, str) else inline(value), 80)


def _float(value: float) -> str:
    text = repr(value)
    # TOML wants a digit on both sides of the point, or an exponent; repr gives one of the two.
    return text if any(char in text for char in ".en") else f"{text}.0"


def quoted(text: str) -> str:
    """A TOML basic string."""
    # What cannot be seen is escaped, so that a value cannot steer the terminal it is printed on.
    # A JSON string is a TOML basic string, but for its escapes of what lies beyond U+FFFF.
    return "".join(
        char if char.isprintable() else f"\\U{ord(char):08x}"
        for char in json.dumps(text, ensure_ascii=False)
    )
