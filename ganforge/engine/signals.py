"""Signals that end a session: first a request to stop in good order, then, if repeated, an order.

Ctrl-C and SIGTERM are what people and schedulers send. The others that would end the process are
handled where they would; what `nohup` or a program has decided about one of them stands.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from ganforge.errors import Cut, UsageError
from ganforge.storage.run_directory import State
from ganforge.terminal import ENDING_SIGNALS

PREEMPT_VARIABLE = "GANFORGE_PREEMPT_SIGNAL"

#: signals that systems repeat by themselves: shell and kernel both tell of a terminal that is gone,
#: and a limit of CPU time is told of every second
_REPEATED = {"SIGHUP", "SIGXCPU"}

#: within so many seconds a signal is the same one again: `timeout` sends its own to a process and
#: to the group that this is in
_ECHO_SECONDS = 0.2

#: the state that a run is left in -> exit code
EXIT_CODES: dict[State, int] = {
    "finished": 0,
    "interrupted": 130,
    "terminated": 143,
    "preempted": 143,
}


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
        self._came = 0.0
        self._preempting = _preempt_signal()
        self._numbers = [signal.SIGINT, signal.SIGTERM, *self._preempting]

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
        first = self.number is None
        if not first and not self._insists(number):
            return
        self.number, self._came = number, time.monotonic()
        state: State = "interrupted" if number == signal.SIGINT else "terminated"
        if number in self._preempting:
            state = "preempted"
        self.insists = not first
        self._state = self._state or state
        if self.insists or not self._deferring:
            raise Stopped(state)

    def _insists(self, number: int) -> bool:
        """True for a signal after the first that is neither its echo nor can wait for the save."""
        if time.monotonic() - self._came < _ECHO_SECONDS:
            return False
        repeated = number == self.number and signal.Signals(number).name not in _REPEATED
        return repeated or number == signal.SIGINT

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Handle the signals that end a session, and the one named in GANFORGE_PREEMPT_SIGNAL.

        Only the main thread can: in another one, signals are the program's.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        # Not those that a program ignores (nohup), or that it handles.
        others = [it for it in ENDING_SIGNALS if signal.getsignal(it) is signal.SIG_DFL]
        before = {
            number: signal.signal(number, self._handle)
            for number in dict.fromkeys([*self._numbers, *others])
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                # None is a handler of somebody's C code, which Python cannot put back.
                signal.signal(number, signal.SIG_DFL if handler is None else handler)


def _preempt_signal() -> list[signal.Signals]:
    name = os.environ.get(PREEMPT_VARIABLE, "").strip().upper()
    if not name:
        return []
    try:
        number = signal.Signals[name if name.startswith("SIG") else f"SIG{name}"]
    except KeyError as error:
        raise UsageError(f"{PREEMPT_VARIABLE}={name} is not the name of a signal") from error
    if number.name in ("SIGKILL", "SIGSTOP"):
        raise UsageError(f"{PREEMPT_VARIABLE}={name} is a signal that no process can handle")
    return [number]
