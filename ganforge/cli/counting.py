"""Progress of a command that makes very many samples, on a terminal alone."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .console import stdout

if TYPE_CHECKING:
    from ganforge.contracts import Drawn

MANY = 10_000  # samples, for which somebody waits


@contextmanager
def counted(parts: Iterable[Drawn], num: int) -> Iterator[Iterable[Drawn]]:
    """The parts as they are, with a bar that goes away at the end."""
    if num < MANY or not sys.stdout.isatty():
        yield parts
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=stdout(live=True), transient=True) as progress:
        task = progress.add_task("", total=num)

        def told() -> Iterator[Drawn]:
            for part in parts:
                yield part
                progress.advance(task, len(part.samples))

        yield told()
