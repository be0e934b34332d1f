"""Worker processes that read batches ahead, waited for so that a signal and a death are noticed.

What a DataLoader does when its workers go is not enough here: it waits for ever for a worker that
is stopped, for a batch that its worker could not send, and, at exit, for a worker that does not
end. So a thread does the waiting, and whoever wants a batch looks at the workers meanwhile.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from queue import Empty, SimpleQueue
from typing import Any

from torch.utils.data import DataLoader

from ganforge.errors import WorkerError

from .sending import check_handles, fault_of_exit, fault_of_receiving

POLL_SECONDS = 0.2  # between two looks at the workers
STOPPED_SECONDS = 5.0  # that a worker may be stopped: one that was suspended with us wakes with us
END_SECONDS = 1.0  # that workers have to end in good order

INSTEAD = "`--workers 0` (execution.num_workers=0) reads in the main process instead"


class Workers:
    """The items of a DataLoader with worker processes, one after another.

    Raises WorkerError where the processes cannot be started. `label` is what messages call the
    data set.
    """

    def __init__(self, loader: DataLoader[Any], label: str) -> None:
        self._label = label
        self._processes: list[BaseProcess] = []
        self._stopped_since: float | None = None
        self._wanted: SimpleQueue[bool] = SimpleQueue()
        self._found: SimpleQueue[Any] = SimpleQueue()
        before = {*multiprocessing.active_children()}
        try:
            check_handles(loader.num_workers)
            with _own_child_signal():
                items = iter(loader)
        except (OSError, RuntimeError) as error:
            raise self._error(f"cannot be started: {fault_of_receiving(error)}") from error
        finally:
            started = multiprocessing.active_children()
            self._processes = [it for it in started if it not in before]
        self._thread = threading.Thread(
            target=_hand_over, args=(items, self._wanted, self._found), daemon=True
        )
        self._thread.start()
        self._wanted.put(True)

    def next(self) -> Any:
        """The next item. Raises WorkerError where a worker is gone, or stopped for good."""
        while True:
            try:
                found = self._found.get(timeout=POLL_SECONDS)
            except Empty:
                self._look()
                continue
            if isinstance(found, BaseException):
                self._look()
                raise self._error(f"gave no batch: {fault_of_receiving(found)}") from found
            self._wanted.put(True)
            return found

    def _look(self) -> None:
        """Raise WorkerError where a worker has ended, or was stopped and stays so."""
        for process in self._processes:
            if process.exitcode is not None:
                raise self._error(f"ended: process {process.pid} {fault_of_exit(process.exitcode)}")
        stopped = [it.pid for it in self._processes if _is_stopped(it)]
        now = time.monotonic()
        self._stopped_since = (self._stopped_since or now) if stopped else None
        if self._stopped_since is not None and now - self._stopped_since > STOPPED_SECONDS:
            raise self._error(
                f"is stopped, and gives no batch: process {stopped[0]} was suspended by a signal "
                "(SIGSTOP or SIGTSTP) and not continued"
            )

    def _error(self, what: str) -> WorkerError:
        return WorkerError(f"a worker process that reads {self._label} {what}. {INSTEAD}")

    def close(self) -> None:
        """End the processes, by force where they do not end by themselves."""
        self._wanted.put(False)
        if not any(map(_is_stopped, self._processes)):
            self._thread.join(END_SECONDS)
        for process in self._processes:
            if process.exitcode is None:
                process.kill()
        for process in self._processes:
            process.join(END_SECONDS)


def _hand_over(items: Iterator[Any], wanted: SimpleQueue[bool], found: SimpleQueue[Any]) -> None:
    """Give an item each time that one is wanted; the one thing that may be waited for at length."""
    while wanted.get():
        try:
            found.put(next(items))
        except BaseException as error:  # whatever it is, whoever waits is to have it
            found.put(error)
            return


@contextmanager
def _own_child_signal() -> Iterator[None]:
    """Keep the handler of SIGCHLD: torch's raises the death of a worker wherever one happens to be.

    That may be in a callback, or in the writing of a file, which would be blamed for it.
    """
    if not hasattr(signal, "SIGCHLD") or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGCHLD)
    try:
        yield
    finally:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL if before is None else before)


def _is_stopped(process: BaseProcess) -> bool:
    """True where a process is suspended, as far as the system tells."""
    if not hasattr(os, "waitid") or process.pid is None:
        return False
    try:
        flags = os.WSTOPPED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, process.pid, flags) is not None
    except OSError:  # it has ended
        return False
