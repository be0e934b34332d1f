"""Memory: how much of it was used, and what it looks like where there is no more."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ganforge.errors import OutOfMemoryError
from ganforge.printable import printable, size_in_words

if TYPE_CHECKING:
    import torch

#: what libraries say in exceptions that have no type of their own for it
_SAID = ("can't allocate memory", "out of memory", "CUBLAS_STATUS_ALLOC_FAILED", "bad_alloc")


def is_out_of_memory(error: BaseException) -> bool:
    """True where an exception, or what has caused it, says that there was no more memory."""
    return any(
        isinstance(it, MemoryError | OutOfMemoryError)
        or type(it).__name__ == "OutOfMemoryError"  # torch's, which need not be loaded here
        or (isinstance(it, RuntimeError) and any(words in str(it) for words in _SAID))
        for it in _causes(error)
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        yield found
        found = found.__cause__ or found.__context__


def peak(device: torch.device | None) -> str:
    """The most memory that was used so far, in words: of the device, or of this process."""
    if device is not None and device.type == "cuda":
        import torch

        used = torch.cuda.max_memory_allocated(device)
        total = torch.cuda.mem_get_info(device)[1]
        return f"{size_in_words(used)} of {size_in_words(total)} on {device}"
    used_here = peak_memory()
    if used_here is None:
        return "an unknown amount"
    return f"{size_in_words(used_here)} of this process"


def peak_memory() -> int | None:
    """Peak resident memory of this process in bytes, where the system tells.

    What Linux gives as `ru_maxrss` may be the peak of the process that started this one.
    """
    with suppress(OSError, ValueError, IndexError):
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024
    try:
        import resource
    except ImportError:
        return None
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if os.uname().sysname == "Darwin" else used * 1024


@contextmanager
def memory_explained(
    when: Callable[[], str], help: Callable[[], str], device: torch.device | None = None
) -> Iterator[None]:
    """Make of a lack of memory an error that says `when`, how much there was, and what needs less.

    Raises OutOfMemoryError.
    """
    try:
        yield
    except OutOfMemoryError:
        raise
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise OutOfMemoryError(
            f"out of memory {when()} (at the most {peak(device)} was used): "
            f"{printable(error, 200)}. {help()}"
        ) from error


def in_parts(batch_size: int, num_parts: int) -> int | None:
    """The next number of equal parts for a batch that does not fit; None where there is none."""
    larger = range(2 * num_parts, batch_size + 1)
    return next((it for it in larger if batch_size % it == 0), None)
