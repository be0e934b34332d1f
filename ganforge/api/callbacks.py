"""Callbacks of a program, objects and functions, as observers of a session."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ganforge.contracts import Callback
from ganforge.engine.reports import CallbackObserver
from ganforge.errors import UsageError
from ganforge.printable import printable

#: `(step, values)`, told of each line of metrics
OnMetrics = Callable[[int, Mapping[str, float]], Any]


class FunctionCallback(Callback):
    """A callback that is one function of `(step, values)`, called at each line of metrics."""

    def __init__(self, function: OnMetrics) -> None:
        super().__init__()
        self._function = function

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        self._function(step, values)


def observers_of(given: Sequence[Callback | OnMetrics]) -> list[CallbackObserver]:
    """The observers that tell these callbacks. Raises UsageError for what is none."""
    found = []
    for it in given:
        if isinstance(it, type) or not (isinstance(it, Callback) or callable(it)):
            raise UsageError(
                "callbacks= takes objects of classes that derive from ganforge.Callback, and "
                f"functions of (step, values), not {printable(repr(it), 60)}"
            )
        callback = it if isinstance(it, Callback) else FunctionCallback(it)
        name = type(it).__name__ if isinstance(it, Callback) else getattr(it, "__name__", "")
        shown = f"the callback {printable(name or type(it).__name__)!r}"
        found.append(CallbackObserver(callback, shown))
    return found
