"""The flag `--watchdog` of commands that work for long."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from ganforge.engine.watchdog import Stalled, Watchdog
from ganforge.errors import GanforgeError
from ganforge.storage.run_directory import RunDirectory

from .console import print_error
from .grouped import Function, option_in

if TYPE_CHECKING:
    from ganforge.contracts import Drawn
    from ganforge.measuring.streams import Progress

_WATCHDOG = "ganforge.watchdog"
_RUN = "ganforge.watched_run"


class StalledError(GanforgeError):
    """Nothing has moved for as long as `--watchdog` waits."""


def watchable(group: str) -> Callable[[Function], Callable[..., Any]]:
    """Give a command the flag, and watch it where that is given."""
    option = option_in(
        group,
        "--watchdog",
        metavar="SECONDS",
        type=click.FloatRange(min=0.0, min_open=True),
        help="Fail where nothing moves for so long. [wait]",
    )

    def decorate(function: Function) -> Callable[..., Any]:
        @functools.wraps(function)
        def watched(*arguments: Any, watchdog: float | None, **keywords: Any) -> Any:
            if watchdog is None:
                return function(*arguments, **keywords)
            meta = click.get_current_context().meta
            meta[_WATCHDOG] = watch = Watchdog(watchdog, lambda message: _note(meta, message))
            try:
                with watch.watching():
                    return function(*arguments, **keywords)
            except Stalled as stalled:
                raise StalledError(str(stalled)) from stalled

        return option(watched)

    return decorate


def _note(meta: dict[str, Any], message: str) -> None:
    """Say what has happened where nobody else will."""
    print_error(message)
    run: RunDirectory | None = meta.get(_RUN)
    if run is not None:
        with suppress(GanforgeError):
            run.write_status("failed", run.saved_step, message)


def watchdogs(run: RunDirectory) -> list[Watchdog]:
    """The watchdog of this command as an observer of a run; none where it has none."""
    meta = click.get_current_context().meta
    meta[_RUN] = run
    return [meta[_WATCHDOG]] if _WATCHDOG in meta else []


def move(doing: str) -> None:
    """Tell the watchdog of this command, where it has one, what follows."""
    watch: Watchdog | None = click.get_current_context().meta.get(_WATCHDOG)
    if watch is not None:
        watch.move(doing)


def moving(progress: Progress) -> Progress:
    """Progress that the watchdog of this command hears of, too."""
    watch: Watchdog | None = click.get_current_context().meta.get(_WATCHDOG)
    if watch is None:
        return progress

    def told(what: str, done: int, total: int) -> None:
        watch.measuring(what, done, total)
        progress(what, done, total)

    return told


def moving_parts(parts: Iterable[Drawn]) -> Iterator[Drawn]:
    """Parts of samples, each of which is a move."""
    done = 0
    for part in parts:
        done += len(part.samples)
        move(f"what follows sample {done:,}")
        yield part
