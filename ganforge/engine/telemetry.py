"""Measurements while training: averages on the device, one transfer and one line a log step."""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from ganforge.printable import printable
from ganforge.storage.files import write_text

from .observers import Observer


class Averages:
    """Means of named scalars since the last reading.

    Sums of scalars on an accelerator stay there until then. A scalar on the CPU is added as a
    number: reading it waits for nothing, and costs less than adding tensors.
    """

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._numbers: dict[str, float] = {}
        self._counts: dict[str, int] = {}

    def add(self, metrics: Mapping[str, Tensor | float]) -> None:
        sums: list[Tensor] = []
        addends: list[Tensor] = []
        for name, value in metrics.items():
            self._counts[name] = self._counts.get(name, 0) + 1
            if not isinstance(value, Tensor) or value.is_cpu:
                self._numbers[name] = self._numbers.get(name, 0.0) + float(value)
            elif name in self._sums:
                sums.append(self._sums[name])
                addends.append(value.detach())
            else:
                self._sums[name] = value.detach().clone()
        if sums:
            torch._foreach_add_(sums, addends)

    def read(self) -> dict[str, float]:
        """The means, and a fresh start; the one place where the host waits for the device."""
        sums = dict(self._numbers)
        if self._sums:
            on_device = torch.stack(list(self._sums.values())).tolist()
            sums.update(zip(self._sums, on_device, strict=True))
        means = {name: sums[name] / self._counts[name] for name in sorted(sums)}
        self._sums.clear()
        self._numbers.clear()
        self._counts.clear()
        return means

    def state(self) -> tuple[dict[str, Tensor], dict[str, int]]:
        """Sums and counts, so that a resumed run logs what an uninterrupted one would have."""
        numbers = {n: torch.tensor(v, dtype=torch.float64) for n, v in self._numbers.items()}
        return self._sums | numbers, dict(self._counts)

    def load(
        self, sums: Mapping[str, Tensor], counts: Mapping[str, int], device: torch.device
    ) -> None:
        """Take the sums of a run that goes on on `device`."""
        self._sums, self._numbers = {}, {}
        if device.type == "cpu":
            self._numbers = {name: value.item() for name, value in sums.items()}
        else:  # float32, for not every device has the numbers' float64
            self._sums = {name: value.to(device, torch.float32) for name, value in sums.items()}
        self._counts = {name: int(counts[name]) for name in sums}


class MetricsFile(Observer):
    """`metrics.jsonl`. Its failure is a warning: it never ends a run that can go on."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._broken = False

    def rewind(self, step: int, *, evaluated: bool = True) -> None:
        """Drop what a killed run wrote after the step that it is resumed from.

        Unless that step is `evaluated`, the line of its evaluation is dropped, too.
        """
        try:
            text = self._path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return
        lines = [line for line in text.splitlines() if _step_of(line) <= step]
        if not evaluated:
            lines = [it for it in lines if _step_of(it) < step or not _is_of_evaluation(it)]
        kept = "".join(f"{line}\n" for line in lines)
        if kept != text:
            # Whole or not at all: a run may be killed here, too.
            self._guarded(lambda: write_text(self._path, kept))

    def metrics(self, values: Mapping[str, float]) -> None:
        # NaN has no JSON; a value that is not finite has stopped the run before it gets here.
        self._guarded(lambda: self._append(json.dumps(dict(values)) + "\n"))

    def _append(self, line: str) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line)

    def _guarded(self, write: Callable[[], None]) -> None:
        if self._broken:
            return
        try:
            write()
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


def _is_of_evaluation(line: str) -> bool:
    return any(key.startswith("metric/") for key in json.loads(line))


class Speed:
    """Images per second, since the last reading and over the session."""

    def __init__(self, clock: float | None = None) -> None:
        self.started = self._last = time.perf_counter() if clock is None else clock
        self._cpu_started = time.process_time()
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

    @property
    def cpu_seconds(self) -> float:
        """CPU time of this process, all of its threads together."""
        return time.process_time() - self._cpu_started
