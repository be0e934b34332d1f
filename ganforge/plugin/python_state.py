"""Parts of a process that Python has: environment, folder, paths, warnings, signals, streams."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ganforge.printable import printable

from .process_state import Part

#: Beginnings of the variables that say how a run is computed. Libraries that are imported leave
#: marks of their own in the environment, on which others may depend: those stay.
OF_RUNS = (
    *("ATEN_", "CUBLAS_", "CUDA_", "GANFORGE_", "LANG", "LC_", "MKL_", "NUMEXPR_", "NVIDIA_"),
    *("OMP_", "OPENBLAS_", "PYTHON", "PYTORCH_", "TMPDIR", "TORCH_", "TZ"),
)
#: those that people and schedulers send, as far as the system has them
SIGNALS = [
    *(getattr(signal, name) for name in ("SIGINT", "SIGTERM")),
    *(
        getattr(signal, name)
        for name in ("SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGPIPE", "SIGTSTP")
        if hasattr(signal, name)
    ),
]
Handlers = Sequence[Any]  # of SIGNALS, in their order; none outside the main thread
#: of CPython, the one beneath, which makes no enumeration of each answer
_getsignal: Callable[[int], Any] = getattr(
    sys.modules.get("_signal"), "getsignal", signal.getsignal
)
_NUMBERS = [int(it) for it in SIGNALS]
Warnings = tuple[list[Any], Any]  # the filters, and what shows one


class _Environment:
    """The variables as text, which are decoded again only where one has changed."""

    def __init__(self) -> None:
        self._raw: dict[Any, Any] | None = None
        self._text: Mapping[str, str] = {}

    def __call__(self, os: Any) -> Mapping[str, str]:
        table = getattr(os.environ, "_data", None)  # of CPython; elsewhere each is decoded
        if not isinstance(table, dict):
            return dict(os.environ)
        if table != self._raw:
            self._raw, self._text = dict(table), dict(os.environ)
        return self._text


def _variables(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """The variables that have changed, without the marks that libraries leave."""
    gone = [name for name, value in before.items() if after.get(name) != value]
    return gone + [it for it in after if it not in before and it.startswith(OF_RUNS)]


def _name_variables(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    return [f"the environment variable {printable(it, 60)}" for it in _variables(before, after)]


def _restore_variables(_: Any, before: Mapping[str, str]) -> None:
    for name in _variables(before, os.environ):
        if name in before:
            os.environ[name] = before[name]
        else:
            del os.environ[name]


def _name_path(before: list[str], after: list[str]) -> list[str]:
    # What is added at the end hides nothing.
    return [] if after[: len(before)] == before else ["sys.path"]


def _restore_path(_: Any, before: list[str]) -> None:
    # What was added goes to the end: its plugin still finds it there.
    sys.path[:] = [*before, *(it for it in sys.path if it not in before)]


def _read_warnings(_: Any) -> Warnings:
    return list(warnings.filters), warnings.showwarning


def _narrow(before: Sequence[Any], after: Sequence[Any]) -> list[Any]:
    """The filters that were added for one message, module or category of a library's own.

    NumPy and torch add some when they are imported.
    """
    return [
        entry
        for entry in after
        for _, message, category, module, line in [entry]
        if entry not in before
        if message or module or line or category.__module__ != "builtins"
    ]


def _name_warnings(before: Warnings, after: Warnings) -> list[str]:
    narrow = _narrow(before[0], after[0])
    same = [it for it in after[0] if it not in narrow] == before[0] and before[1] is after[1]
    return [] if same else ["the filters of warnings"]


def _restore_warnings(_: Any, before: Warnings) -> None:
    filters: Any = warnings.filters
    filters[:] = [*_narrow(before[0], filters), *before[0]]
    with warnings.catch_warnings():
        pass  # which lets Python forget what the filters have decided so far
    warnings.showwarning = before[1]


def _read_handlers(_: Any) -> Handlers:
    if threading.current_thread() is not threading.main_thread():
        return ()  # no other thread can set one
    return [_getsignal(number) for number in _NUMBERS]


def _changed_handlers(before: Handlers, after: Handlers) -> list[tuple[signal.Signals, Any]]:
    """The signals whose handler is another, with the one before.

    One of None was not set by Python, and cannot be set again.
    """
    if before == after or len(before) != len(after):
        return []
    every = zip(SIGNALS, before, after, strict=True)
    return [(it, old) for it, old, new in every if old is not None and old != new]


def _name_handlers(before: Handlers, after: Handlers) -> list[str]:
    return [f"the handler of {it.name}" for it, _ in _changed_handlers(before, after)]


def _restore_handlers(_: Any, before: Handlers) -> None:
    for number, handler in _changed_handlers(before, _read_handlers(None)):
        signal.signal(number, handler)


def _restore_streams(_: Any, before: tuple[Any, Any, Any]) -> None:
    sys.stdin, sys.stdout, sys.stderr = before


def _read_umask(_: Any) -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _read_logging(logging: Any) -> tuple[int, list[Any], int]:
    return logging.root.level, list(logging.root.handlers), logging.root.manager.disable


def _restore_logging(logging: Any, before: tuple[int, list[Any], int]) -> None:
    level, logging.root.handlers[:], disabled = before
    logging.root.setLevel(level)
    logging.disable(disabled)


PYTHON = (
    Part(
        name="the environment",
        module="os",
        read=_Environment(),
        restore=_restore_variables,
        differences=_name_variables,
        early=True,
    ),
    Part(
        name="the working directory",
        module="os",
        read=lambda os: os.getcwd(),
        restore=lambda os, it: os.chdir(it),
    ),
    Part(
        name="the umask",
        module="os",
        read=_read_umask,
        restore=lambda os, it: os.umask(it),
    ),
    Part(
        name="sys.path",
        module="sys",
        read=lambda sys: list(sys.path),
        restore=_restore_path,
        differences=_name_path,
    ),
    Part(
        name="the filters of warnings",
        module="warnings",
        read=_read_warnings,
        restore=_restore_warnings,
        differences=_name_warnings,
    ),
    Part(
        name="the handlers of signals",
        module="signal",
        read=_read_handlers,
        restore=_restore_handlers,
        differences=_name_handlers,
    ),
    Part(
        name="the standard streams",
        module="sys",
        read=lambda sys: (sys.stdin, sys.stdout, sys.stderr),
        restore=_restore_streams,
    ),
    Part(
        name="the recursion limit",
        module="sys",
        read=lambda sys: sys.getrecursionlimit(),
        restore=lambda sys, it: sys.setrecursionlimit(it),
    ),
    Part(
        name="the collection of garbage",
        module="gc",
        read=lambda gc: gc.isenabled(),
        restore=lambda _, it: gc.enable() if it else gc.disable(),
    ),
    Part(
        name="the locale",
        module="locale",
        read=lambda locale: locale.setlocale(locale.LC_ALL),
        restore=lambda locale, it: locale.setlocale(locale.LC_ALL, it),
    ),
    Part(
        name="the configuration of logging",
        module="logging",
        read=_read_logging,
        restore=_restore_logging,
    ),
    Part(
        name="Python's random generator",
        module="random",
        read=lambda random: random.getstate(),
        restore=lambda random, it: random.setstate(it),
        drawn=True,
    ),
)
