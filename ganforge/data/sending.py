"""The sending of a batch by a worker process, and the meaning of its failures."""

from __future__ import annotations

import errno
import faulthandler
import multiprocessing.queues
import os
import signal
import sys
from contextlib import suppress
from typing import Any

from torch import Tensor
from torch.utils.data import get_worker_info

from ganforge.printable import described, printable
from ganforge.terminal import ENDING_SIGNALS

_SHARED_MEMORY = "/dev/shm"
HANDLES_OF_ALL, HANDLES_OF_EACH = 4, 4  # pipes and sentinels of worker processes, at the least
NO_ROOM, NO_HANDLES, NOT_SENT = 81, 82, 83  # exit codes of workers that could not send a batch


def set_up_worker(worker: int) -> None:
    """Leave what happens to a worker process for the main process to tell.

    Ctrl-C and what ends a terminal or a job reach every process of it; what they mean is the
    parent's to say.
    """
    # Not SIGTERM, by which the parent ends a worker that does not end by itself.
    for number in (signal.SIGINT, *ENDING_SIGNALS):
        signal.signal(number, signal.SIG_IGN)
    if hasattr(signal, "SIGBUS"):  # torch's handler prints
        signal.signal(signal.SIGBUS, signal.SIG_DFL)
    if (
        hasattr(signal, "SIGUSR2") and sys.__stderr__ is not None
    ):  # asks where a worker is that gives nothing
        with suppress(AttributeError, OSError, ValueError):
            faulthandler.register(signal.SIGUSR2, file=sys.__stderr__, all_threads=False)
    # A batch that cannot be sent would be printed as a traceback, and waited for for ever.
    queue: Any = multiprocessing.queues.Queue
    queue._on_queue_feeder_error = staticmethod(lambda error, item: _give_up(error))
    # So does the thread from which the main process fetches the handles of shared memory.
    sys.excepthook = lambda kind, error, traceback: _give_up(error)


def shared(values: dict[str, Tensor]) -> dict[str, Tensor]:
    """The values where the main process can read them: in shared memory, if this is a worker.

    Raises RuntimeError where there is no room.
    """
    if get_worker_info() is not None:
        for value in values.values():
            value.share_memory_()  # type: ignore[no-untyped-call]
    return values


def check_handles(num_workers: int) -> None:
    """Raise OSError where there are not enough file handles left to start so many workers."""
    taken: list[int] = []
    try:
        for _ in range(HANDLES_OF_ALL + HANDLES_OF_EACH * num_workers):
            taken.append(os.open(os.devnull, os.O_RDONLY))
    finally:
        for handle in taken:
            os.close(handle)


def _give_up(error: BaseException) -> None:
    """End a worker whose batch could not be sent."""
    os._exit(_code(error))


def _code(error: BaseException) -> int:
    text = str(error)
    if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
        return NO_HANDLES
    # The last is what Python says where a handle that was sent could not be taken.
    if any(it in text for it in ("Too many open files", "(24)", "ancdata")):
        return NO_HANDLES
    return NO_ROOM if "shared memory" in text else NOT_SENT


def fault_of_exit(code: int) -> str:
    """The meaning of an exit code of a worker process, as the end of a sentence."""
    if code == -getattr(signal, "SIGKILL", 9):
        return "was killed (out of memory?)"
    if code == -getattr(signal, "SIGBUS", 7) or code == NO_ROOM:
        return _no_room()
    if code == NO_HANDLES:
        return _no_handles()
    if code == NOT_SENT:
        return "could not send a batch to the main process"
    if code < 0:
        return f"was ended by the signal {_name_of(-code)}"
    return f"ended by itself, with exit code {code}"


def fault_of_receiving(error: BaseException) -> str:
    """The meaning of an error at the receiving end, as the end of a sentence."""
    code = _code(error)
    return printable(described(error), 300) if code == NOT_SENT else fault_of_exit(code)


def fault_of_sharing(error: BaseException) -> str | None:
    """The reason why a worker could not share a batch; None where that is not what failed."""
    code = _code(error)
    return None if code == NOT_SENT else fault_of_exit(code)


def _no_room() -> str:
    try:
        found = os.statvfs(_SHARED_MEMORY)
    except (OSError, AttributeError):
        return "found no room in shared memory"
    size = found.f_blocks * found.f_frsize / 2**20
    return (
        f"found no room in {_SHARED_MEMORY}, which holds {size:,.0f} MB (of a container it is set "
        "by --shm-size)"
    )


def _no_handles() -> str:
    try:
        import resource

        limit = f", of which {resource.getrlimit(resource.RLIMIT_NOFILE)[0]} are allowed"
    except ImportError:
        limit = ""
    return f"had no file handles left{limit} (`ulimit -n` raises that)"


def _name_of(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)
