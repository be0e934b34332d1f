"""Ctrl-C and termination: first a request to stop in good order, then, if repeated, an order."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from ganforge.errors import Cut, UsageError
from ganforge.storage.run_directory import State

PREEMPT_VARIABLE = "GANFORGE_PREEMPT_SIGNAL"

#: the state that a run is left in -> exit code
EXIT_CODES: dict[State, int] = {"finished": 0, "interrupted": 130, "terminated": 143}


class Stopped(Cut):
    """A signal came while there was nothing to save, or nothing that could not be done again."""

    def __init__(self, state: State) -> None:
        super().__init__(state)
        self.state = state


class StopRequest:
    """The state that a signal has asked the run to stop in, or None.

    Until the loop first asks, a signal ends the session at once, by raising Stopped; from then on
    the first one is left for the loop to see, and a second one raises. `asked_besides` is asked for
    what is no signal.
    """

    def __init__(self, asked_besides: Callable[[], State | None] = lambda: None) -> None:
        #: the signal that has asked, for a program that is to have it afterwards
        self.number: int | None = None
        #: a second signal has come: what is not saved by now is not to be
        self.insists = False
        self._asked_besides = asked_besides
        self._state: State | None = None
        self._deferring = False
        self._numbers = [signal.SIGINT, signal.SIGTERM, *_preempt_signal()]

    def __call__(self) -> State | None:
        self._deferring = True
        return self._asked_besides() if self._state is None else self._state

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Let a request raise Stopped wherever it comes: for work that changes nothing of a run.

        Such work can be cut anywhere and done again. One that was asked for before raises here.
        """
        if self._state is not None:
            raise Stopped(self._state)
        deferring, self._deferring = self._deferring, False
        try:
            yield
        finally:
            self._deferring = deferring

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.number = number
        state: State = "interrupted" if number == signal.SIGINT else "terminated"
        self.insists = self._state is not None
        self._state = self._state or state
        if self.insists or not self._deferring:
            raise Stopped(state)

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
