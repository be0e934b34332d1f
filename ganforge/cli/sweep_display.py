"""Display of a sweep: a line for each run that is trained, live in a terminal, plain elsewhere."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganforge.printable import printable
from ganforge.sweeps.folder import SweepFolder
from ganforge.sweeps.runner import Progress

from .console import stdout
from .progress import print_line

if TYPE_CHECKING:
    from rich.live import Live

REFRESH_SECONDS = 0.5
_TAIL = 8192


def choose_display(folder: SweepFolder, num_runs: int) -> PlainSweep:
    """The live display where standard output is a terminal."""
    return LiveSweep(folder, num_runs) if sys.stdout.isatty() else PlainSweep(folder, num_runs)


class PlainSweep:
    """A line where a run starts, and one where it ends."""

    def __init__(self, folder: SweepFolder, num_runs: int) -> None:
        self.folder = folder
        self.num_runs = num_runs
        self.num_ended = 0

    def started(self, name: str, how: str) -> None:
        self.line(f"{how}  {name}")

    def ended(self, name: str, progress: Progress, reason: str) -> None:
        self.num_ended += 1
        what = "stopped" if progress == "left" else progress
        numbers = "  ".join(measured(self.folder.run(name))) if progress == "finished" else ""
        count = f"({self.num_ended}/{self.num_runs})"
        self.line("  ".join(it for it in (what, name, count, numbers or reason) if it))

    def tick(self) -> None:
        """Nothing moves here."""

    def line(self, text: str) -> None:
        """A line that stays."""
        print_line(text)

    def close(self) -> None:
        """Nothing to clear."""


class LiveSweep(PlainSweep):
    """The runs that are being trained, with bars, below the lines of those that have ended."""

    def __init__(self, folder: SweepFolder, num_runs: int) -> None:
        super().__init__(folder, num_runs)
        self._steps: dict[str, int | None] = {}
        self._live: Live | None = None
        self._active: dict[str, float] = {}
        self._drawn = 0.0

    def started(self, name: str, how: str) -> None:
        self._active[name] = time.monotonic()
        self._steps[name] = self.folder.setting(name, "training", "steps")
        if how != "started":
            self.line(f"{how}  {name}")
        self._draw()

    def ended(self, name: str, progress: Progress, reason: str) -> None:
        self._active.pop(name, None)
        super().ended(name, progress, reason)
        self._draw()

    def tick(self) -> None:
        if time.monotonic() - self._drawn >= REFRESH_SECONDS:
            self._draw()

    def line(self, text: str) -> None:
        if self._live is None:
            print_line(text)
        else:
            self._live.console.print(printable(text, 500), soft_wrap=True)

    def close(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _draw(self) -> None:
        from rich.live import Live

        if self._live is None:
            self._live = Live(console=stdout(live=True), auto_refresh=False, transient=True)
            self._live.start()
        self._live.update(self._overview(), refresh=True)
        self._drawn = time.monotonic()

    def _overview(self) -> Any:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2, 0, 0), expand=True)
        table.add_column(ratio=3, overflow="ellipsis", no_wrap=True)
        table.add_column(ratio=2)
        for _ in range(2):
            table.add_column(justify="right", no_wrap=True)
        for name, since in self._active.items():
            step, total = last_step(self.folder.run(name)), self._steps.get(name)
            bar = ProgressBar(total=total or 1, completed=step if total else 0)
            done = f"{step:,}/{total:,}" if total else f"step {step:,}"
            seconds = round(time.monotonic() - since)
            table.add_row(Text(name), bar, done, f"{seconds // 60}:{seconds % 60:02d}")
        waiting = self.num_runs - self.num_ended - len(self._active)
        # The last line is short: the `^C` that a terminal adds there would else begin another one.
        return Group(table, Text(f"{self.num_ended} ended, {waiting} waiting", style="dim"))


def last_step(path: Path) -> int:
    """The step of the last line of a run's metrics, without reading the file from its start."""
    for line in reversed(_tail(path / "metrics.jsonl")):
        try:
            return int(json.loads(line)["step"])
        except (ValueError, KeyError, TypeError):
            continue  # one that is being written
    return 0


def measured(path: Path) -> Sequence[str]:
    """The metrics of a run's last measurement in a few words."""
    for line in reversed(_tail(path / "metrics.jsonl")):
        try:
            values = json.loads(line)
            found = {k: v for k, v in values.items() if k.startswith("metric/")}
        except (ValueError, AttributeError):
            continue
        if found:
            return [
                f"{printable(name.removeprefix('metric/'), 40)} {value:.4g}"
                for name, value in [*found.items()][:3]
            ]
    return []


def _tail(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(file.tell() - _TAIL, 0))
            return file.read().decode(errors="replace").splitlines()
    except OSError:
        return []
