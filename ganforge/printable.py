"""Text from outside, made safe to print: plugin metadata, file names, error messages.

Control and format characters can move the cursor, forge lines or reverse text; they are dropped,
and line breaks become spaces. Nothing is parsed as markup: that is for the printing side to see to.
"""

from __future__ import annotations

import unicodedata

_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def described(error: BaseException) -> str:
    """`ValueError: its message`, on one line, also for an exception that cannot be shown."""
    try:
        message = str(error)
    except Exception:
        message = "its message cannot be shown"
    return printable(f"{type(error).__name__}: {message}" if message else type(error).__name__)


def printable(text: object, limit: int = 500) -> str:
    """One line of at most `limit` characters without control or format characters."""
    one_line = " ".join(str(text).split())
    safe = "".join(char for char in one_line if unicodedata.category(char) not in _UNSAFE)
    return safe if len(safe) <= limit else safe[: limit - 3] + "..."


def printable_lines(text: str) -> str:
    """Lines of text, spaces and tabs as they are, without control or format characters."""
    kept = {"\n", "\t"}
    return "".join(
        char for char in text if char in kept or unicodedata.category(char) not in _UNSAFE
    )


def is_utf8(text: str) -> bool:
    """True if text can be written as UTF-8; an argument or a file name of other bytes cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
