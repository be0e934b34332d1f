"""What is measured while training: averages on the device, one transfer and one line a log step."""

from __future__ import annotations

import json
import os
import time
import warnings
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from ganforge.printable import printable


class Averages:
    """Means of named scalars since the last reading, kept on the device until then."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int] = {}

    def add(self, metrics: Mapping[str, Tensor]) -> None:
        new = [name for name in metrics if name not in self._sums]
        old = [name for name in metrics if name in self._sums]
        if old:
            torch._foreach_add_([self._sums[n] for n in old], [metrics[n] for n in old])
        for name in new:
            self._sums[name] = metrics[name].detach().clone()
        for name in metrics:
            self._counts[name] = self._counts.get(name, 0) + 1

    def read(self) -> dict[str, float]:
        """The means, and a fresh start; the one place where the host waits for the device."""
        if not self._sums:
            return {}
        sums = torch.stack(list(self._sums.values())).tolist()
        means = {
            name: total / self._counts[name] for name, total in zip(self._sums, sums, strict=True)
        }
        self._sums.clear()
        self._counts.clear()
        return dict(sorted(means.items()))

    def state(self) -> tuple[dict[str, Tensor], dict[str, int]]:
        """Sums and counts, so that a resumed run logs what an uninterrupted one would have."""
        return dict(self._sums), dict(self._counts)

    def load(self, sums: Mapping[str, Tensor], counts: Mapping[str, int]) -> None:
        self._sums = dict(sums)
        self._counts = {name: int(counts[name]) for name in sums}


class MetricsFile:
    """`metrics.jsonl`. Its failure is a warning: it never ends a run that can go on."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._broken = False

    def rewind(self, step: int) -> None:
        """Drop what a killed run wrote after the step that it is resumed from."""
        try:
            text = self._path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return
        kept = [line for line in text.splitlines() if _step_of(line) <= step]
        self._guarded("w", "".join(f"{line}\n" for line in kept))

    def append(self, values: Mapping[str, float | int]) -> None:
        # NaN has no JSON; a value that is not finite has stopped the run before it gets here.
        self._guarded("a", json.dumps(dict(values)) + "\n")

    def _guarded(self, mode: str, text: str) -> None:
        if self._broken:
            return
        try:
            with self._path.open(mode, encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            self._broken = True
            warnings.warn(
                f"{printable(self._path)} cannot be written ({error.strerror}); training goes on "
                "without it",
                stacklevel=2,
            )


def _step_of(line: str) -> float:
    try:
        return float(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return float("inf")  # a line that was cut off


class Speed:
    """Images per second, since the last reading and over the session."""

    def __init__(self, clock: float | None = None) -> None:
        self.started = self._last = time.perf_counter() if clock is None else clock
        self._images = 0

    def count(self, images: int) -> None:
        self._images += images

    def read(self) -> float:
        now = time.perf_counter()
        rate = self._images / max(now - self._last, 1e-9)
        self._last, self._images = now, 0
        return rate

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.started


def peak_memory() -> int | None:
    """Peak resident memory of this process in bytes, where the system tells."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if os.uname().sysname == "Darwin" else peak * 1024
