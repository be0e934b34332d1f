"""Output of commands: tables on standard output, errors and warnings on standard error."""

from __future__ import annotations

import functools
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from ganforge.errors import OutdatedWarning
from ganforge.printable import printable
from ganforge.terminal import SafeStream

if TYPE_CHECKING:
    from rich.console import Console

    from ganforge.plugin.discovery import Discovery


#: columns below which a table loses more than it is worth; a narrower terminal breaks its lines
NARROWEST_TABLE = 60


@functools.cache
def stdout(*, live: bool = False) -> Console:
    """The console on standard output; text is never parsed as markup or highlighted.

    What is drawn over again, `live`, has to know the width that the terminal really has.
    """
    from rich.console import Console

    console = Console(markup=False, highlight=False, emoji=False, soft_wrap=False)
    # rich believes COLUMNS=0 and LINES=0, which some programs set, and would show nothing at all.
    if console.width < (1 if live else NARROWEST_TABLE):
        console.width = NARROWEST_TABLE
    if console.height < 1:
        console.height = 25
    return console


def print_error(message: str) -> None:
    """One paragraph on standard error. Line breaks separate entries of a list."""
    _paragraph("Error: ", message)


def print_warning(message: str) -> None:
    _paragraph("Warning: ", message)


def go_on_without_output() -> None:
    """Tell that the command has more to do than to print, which it does though nobody can read.

    That nothing more is shown is a warning then, and no failure.
    """
    if isinstance(sys.stdout, SafeStream):
        sys.stdout.when_broken(_warn_of_silence)


def _warn_of_silence(stream: SafeStream) -> None:
    print_warning(
        f"{stream.label} cannot be written ({stream.fault}); nothing more is shown, and the work "
        "goes on"
    )


@contextmanager
def shown_warnings() -> Iterator[None]:
    """Show Python's warnings as those of a command."""
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        # Python shows no DeprecationWarning to people; these are for them.
        warnings.filterwarnings("default", category=OutdatedWarning)
        yield


def _show_warning(
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
