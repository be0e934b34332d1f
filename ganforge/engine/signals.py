"""Ctrl-C and termination: first a request to stop in good order, then, if repeated, an order."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from ganforge.errors import UsageError
from ganforge.storage.run_directory import State

PREEMPT_VARIABLE = "GANFORGE_PREEMPT_SIGNAL"

#: the state that a run is left in -> exit code
EXIT_CODES: dict[State, int] = {
    "finished": 0,
    "interrupted": 130,
    "terminated": 143,
    "preempted": 143,
}


class Stopped(BaseException):
    """A signal came while there was nothing yet to save."""

    def __init__(self, state: State) -> None:
        super().__init__(state)
        self.state = state


class StopRequest:
    """The state that a signal has asked the run to stop in, or None.

    Until the loop first asks, a signal ends the session at once, by raising Stopped; from then on
    the first one is left for the loop to see, and a second one raises.
    """

    def __init__(self) -> None:
        #: the signal that has asked, for a program that is to have it afterwards
        self.number: int | None = None
        self._state: State | None = None
        self._deferring = False
        self._preempting = _preempt_signal()
        self._numbers = [signal.SIGINT, signal.SIGTERM, *self._preempting]

    def __call__(self) -> State | None:
        self._deferring = True
        return self._state

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.number = number
        state: State = "interrupted" if number == signal.SIGINT else "terminated"
        if number in self._preempting:
            state = "preempted"
        if not self._deferring or self._state is not None:
            raise Stopped(state)
        self._state = state

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Handle SIGINT, SIGTERM and the signal named in GANFORGE_PREEMPT_SIGNAL."""
        before = {number: signal.signal(number, self._handle) for number in self._numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _preempt_signal() -> list[signal.Signals]:
    name = os.environ.get(PREEMPT_VARIABLE, "").strip().upper()
    if not name:
        return []
    try:
        return [signal.Signals[name if name.startswith("SIG") else f"SIG{name}"]]
    except KeyError as error:
        raise UsageError(f"{PREEMPT_VARIABLE}={name} is not the name of a signal") from error
