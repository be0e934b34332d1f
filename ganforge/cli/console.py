"""Output of commands: tables on standard output, errors and warnings on standard error."""

from __future__ import annotations

import functools
import sys
import warnings
from typing import TYPE_CHECKING, TextIO

from ganforge.errors import OutdatedWarning
from ganforge.printable import printable

if TYPE_CHECKING:
    from rich.console import Console

    from ganforge.plugin.discovery import Discovery


@functools.cache
def stdout() -> Console:
    """The console on standard output; text is never parsed as markup or highlighted."""
    from rich.console import Console

    return Console(markup=False, highlight=False, emoji=False, soft_wrap=False)


def print_error(message: str) -> None:
    """One paragraph on standard error. Line breaks separate entries of a list."""
    _paragraph("Error: ", message)


def print_warning(message: str) -> None:
    _paragraph("Warning: ", message)


def show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """`warnings.showwarning` for people: the message, without the line that raised it.

    What other packages deprecate is for those who write them, and is left out.
    """
    if issubclass(category, UserWarning | OutdatedWarning):
        print_warning(printable(message, 2000))
    elif not issubclass(category, DeprecationWarning):
        text = warnings.formatwarning(message, category, filename, lineno, line)
        sys.stderr.write(text)


def warn_of_failures(discovery: Discovery) -> None:
    """One warning a plugin that failed or is odd, for commands that do not list them."""
    for trouble in discovery.troubles:
        print_warning(trouble)


def _paragraph(prefix: str, message: str) -> None:
    # Not wrapped: the terminal does that, and a path or a name stays in one piece.
    first, *rest = [printable(line, 4000) for line in message.splitlines()] or [""]
    sys.stderr.write("\n".join([prefix + first, *(f"  {line}" for line in rest)]) + "\n")
