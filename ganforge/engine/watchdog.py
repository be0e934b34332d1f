"""The watchdog: ends a command in which nothing moves any more, and says what does not.

A step, a line, a picture, a checkpoint, some samples that were read: each is a move. Where none
comes for so many seconds, the stacks of all threads are written, and an exception is raised in the
main thread, so that temporary files go and the state of a run is kept. What holds against that is
ended by force.
"""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from ganforge.errors import Cut
from ganforge.plugin.discovery import GROUP
from ganforge.plugin.packages import packages_with
from ganforge.printable import printable

from .observers import Observer, SessionFacts

if TYPE_CHECKING:
    from torch import Tensor

GRACE_SECONDS = 5.0  # that the main thread has to put things in order
STACK_SECONDS = 0.3  # that worker processes have to write where they are
#: modules of ours in which a wait is that for something else
WAITING = {"ganforge.data.workers": "waiting for the worker processes that read the data"}


class Stalled(Cut):
    """Nothing has moved for as long as was to be waited."""


class Watchdog(Observer):
    """Watches that something moves at least every `seconds`.

    `by_force` is told the message before the process is ended where an exception does not help.
    """

    def __init__(self, seconds: float, by_force: Callable[[str], None]) -> None:
        self._seconds = seconds
        self._by_force = by_force
        self._moved, self._doing = time.monotonic(), "the start"
        self._step = 0
        self._message = ""
        self._over = threading.Event()

    def move(self, doing: str) -> None:
        """Something is done, and what follows is this."""
        self._moved, self._doing = time.monotonic(), doing

    def preparing(self, what: str) -> None:
        self.move(what)

    def started(self, facts: SessionFacts) -> None:
        self._step = facts.first_step
        self.move(f"step {self._step + 1}")

    def step(self, step: int) -> None:
        self._step = step
        self.move(f"step {step + 1}")

    def measuring(self, what: str, done: int, total: int) -> None:
        self.move(f"the evaluation after step {self._step}" if self._step else "the evaluation")

    def metrics(self, values: Mapping[str, float]) -> None:
        self.move(f"what is due after step {int(values['step'])}")

    def picture(self, step: int, picture: Tensor) -> None:
        self.move(f"what is due after step {step}")

    def saved(self, step: int, checkpoint: Path) -> None:
        self.move(f"step {step + 1}")

    def ended(self, state: str) -> None:
        self.move("the end")

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch the main thread, which this is called in.

        Raises Stalled in it, with a message for the user.
        """
        main = threading.get_ident()
        thread = threading.Thread(target=self._watch, args=(main,), daemon=True, name="watchdog")
        alarm = getattr(signal, "SIGALRM", None)
        before = None if alarm is None else signal.signal(alarm, self._raise)
        self.move(self._doing)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join(GRACE_SECONDS)
            faulthandler.cancel_dump_traceback_later()
            if alarm is not None:
                signal.signal(alarm, before)

    def _raise(self, number: int, frame: FrameType | None) -> None:
        if not self._over.is_set():
            raise Stalled(self._message)

    def _watch(self, main: int) -> None:
        while not self._over.wait(min(1.0, self._seconds / 4)):
            # Where nothing lets go of Python's lock, this thread stands still as well.
            with suppress(AttributeError, OSError, ValueError, TypeError):
                late = 2 * self._seconds + 4 * GRACE_SECONDS
                faulthandler.dump_traceback_later(late, exit=True, file=sys.__stderr__ or 2)
            frame = sys._current_frames().get(main)
            if _loads_torch(frame):
                self._moved = time.monotonic()
            if time.monotonic() - self._moved >= self._seconds:
                self._end(main, frame)
                return

    def _end(self, main: int, frame: FrameType | None) -> None:
        self._message = (
            f"nothing has moved for {self._seconds:g} seconds (--watchdog) in {self._doing}: "
            f"{where(frame)}. The stacks of all threads stand above; the last checkpoint is intact"
        )
        write_stacks()
        if hasattr(signal, "pthread_kill"):
            signal.pthread_kill(main, signal.SIGALRM)
            if self._over.wait(GRACE_SECONDS):
                return
        if self._over.is_set():
            return
        self._by_force(self._message)
        for process in multiprocessing.active_children():
            process.kill()
        os._exit(1)


def _loads_torch(frame: FrameType | None) -> bool:
    """True while a module of torch is imported, which takes many seconds on a busy machine."""
    while frame is not None:
        if frame.f_code.co_name == "<module>":
            name = str(frame.f_globals.get("__name__", ""))
            if name.partition(".")[0] == "torch":
                return True
        frame = frame.f_back
    return False


def where(frame: FrameType | None) -> str:
    """The place in a plugin that a thread is in, or else the place that it is in."""
    plugins = _plugins()
    frames = []
    while frame is not None:
        frames.append(frame)
        frame = frame.f_back
    for it in frames:
        module = str(it.f_globals.get("__name__", ""))
        if module in WAITING:
            return WAITING[module]
        package = plugins.get(module.partition(".")[0])
        if package is not None:
            return f"{_place(it)}, of the package {package}"
    return _place(frames[0]) if frames else "the main thread has ended"


def _place(frame: FrameType) -> str:
    module, name = frame.f_globals.get("__name__", "?"), frame.f_code.co_qualname
    line = f"{frame.f_code.co_filename}, line {frame.f_lineno}"
    return printable(f"it is in {module}:{name} ({line})", 400)


def _plugins() -> dict[str, str]:
    """The package with its version, by the name of the module that its plugin is in."""
    found: dict[str, str] = {}
    for package in packages_with(GROUP):
        for it in package.entry_points:
            module = it.value.partition(":")[0].partition(".")[0].strip()
            found[module] = printable(f"{package.name} {package.version}")
    return found


def write_stacks() -> None:
    """Write the stacks of all threads, and of worker processes, to standard error."""
    names = {it.ident: it.name for it in threading.enumerate()}
    lines = []
    for thread, frame in sys._current_frames().items():
        if thread != threading.get_ident():
            lines.append(f"Thread {names.get(thread, thread)}, most recent call last:\n")
            lines += traceback.format_stack(frame)
    with suppress(OSError, ValueError, AttributeError):
        sys.stderr.write("".join(lines))
        sys.stderr.flush()
    workers = multiprocessing.active_children()
    for process in workers:
        if process.pid is not None and hasattr(signal, "SIGUSR2"):
            with suppress(OSError):
                os.kill(process.pid, signal.SIGUSR2)
    if workers:
        time.sleep(STACK_SECONDS)
