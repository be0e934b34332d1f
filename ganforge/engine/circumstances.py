"""Circumstances of a session that move the last bits of a run: threads and the version of torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ganforge.printable import printable


def other_circumstances(sessions: Sequence[Any], now: Mapping[str, Any]) -> Iterator[str]:
    """Sentences on what is otherwise now than in the last of the sessions before.

    A record that lacks something, or is damaged, says nothing.
    """
    before = sessions[-1] if sessions else None
    if not isinstance(before, Mapping):
        return
    devices = [str(it.get("device", "")).partition(" ")[0] for it in (before, now)]
    threads = before.get("threads")
    if devices == ["cpu", "cpu"] and isinstance(threads, int) and threads != now["threads"]:
        yield (
            f"the run was trained on {_threads(threads)} so far, and goes on on "
            f"{_threads(now['threads'])}: sums are added in another order, so its last bits differ "
            f"from those of a run that was never stopped; OMP_NUM_THREADS={threads} keeps them"
        )
    torch = before.get("torch")
    if isinstance(torch, str) and torch != now["torch"]:
        yield (
            f"the run was trained with torch {printable(torch, 40)} so far, and goes on with "
            f"{now['torch']}, which need not compute the same to the last bit"
        )


def _threads(number: int) -> str:
    return f"{number} thread{'' if number == 1 else 's'}"
