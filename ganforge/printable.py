"""Text from outside, made safe to print: plugin metadata, file names, error messages.

Control and format characters can move the cursor, forge lines or reverse text; they are dropped,
and line breaks become spaces. Nothing is parsed as markup: that is for the printing side to see to.
What cannot be shown at all, since it raises or is endless, is told as that. Sizes are told in
words.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def described(error: BaseException) -> str:
    """`ValueError: its message`, on one line, also for an exception that cannot be shown."""
    message = _attempted(str, error)
    if message is None:
        message = "its message cannot be shown"
    return printable(f"{type(error).__name__}: {message}" if message else type(error).__name__)


def represented(value: object, limit: int = 60) -> str:
    """The value of a plugin as Python writes it, on one line; its type where that fails."""
    shown = _attempted(repr, value)
    return printable(f"<{type(value).__name__} object>" if shown is None else shown, limit)


def printable(text: object, limit: int = 500) -> str:
    """One line of at most `limit` characters without control or format characters."""
    shown = _attempted(str, text)
    if shown is None:
        return f"<{type(text).__name__} object>"
    one_line = " ".join(shown[: 20 * limit].split())  # the rest of a long text is cut anyway
    safe = "".join(char for char in one_line if unicodedata.category(char) not in _UNSAFE)
    return safe if len(safe) <= limit else safe[: limit - 3] + "..."


def _attempted(show: Callable[[object], str], value: object) -> str | None:
    """The text of a value, or None where showing it raises, whatever it raises."""
    try:
        return show(value)
    except KeyboardInterrupt:
        raise
    except BaseException:
        return None


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


def size_in_words(num_bytes: float) -> str:
    """`12.3 MB`, in three digits."""
    for unit in ("B", "kB", "MB", "GB"):
        if float(f"{num_bytes:.3g}") < 1000:
            return f"{num_bytes:.3g} {unit}"
        num_bytes /= 1000
    return f"{num_bytes:.4g} TB"
