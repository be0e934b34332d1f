"""The lines that stand below all others while a run is trained, whatever the terminal's width."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.progress import Progress, Task
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from .console import stdout
from .progress import duration

GAP = "  "
_NARROWEST_BAR, _WIDEST_BAR = 8, 60


class LiveLines(Progress):
    """A bar with share, step and time left; losses and scores; and where the newest grid is."""

    def __init__(self, first_step: int, num_steps: int) -> None:
        super().__init__(console=stdout(live=True), refresh_per_second=5)
        self._shown: dict[str, Any] = {"rate": "", "measured": [], "grid": ""}
        self._task = self.add_task("", total=num_steps, completed=first_step)

    def at(self, step: int) -> None:
        """Tell that a step is done."""
        self.update(self._task, completed=step)

    def show(self, **parts: Any) -> None:
        """Show a new `rate`, what was `measured`, or the path of a `grid`."""
        self._shown |= parts

    def aside(self, written: str) -> None:
        """Write above the lines what is no text that rich could wrap, such as a picture."""
        self.live.transient = True
        self.stop()
        self.console.file.write(written)
        self.console.file.flush()
        self.live.transient = False
        self.start()

    def get_renderables(self) -> Iterable[RenderableType]:
        if self.tasks:
            yield _Lines(task=self.tasks[0], **self._shown)


@dataclass(frozen=True, kw_only=True)
class _Lines:
    """The lines in whatever width the terminal has when they are drawn."""

    task: Task
    rate: str
    measured: Sequence[str]
    grid: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = options.max_width
        yield first_line(self.task, self.rate, width)
        if self.measured:
            yield Text(GAP.join(fitting(self.measured, width)), no_wrap=True, overflow="crop")
        if self.grid:
            shown = f"newest grid{GAP}{tail(self.grid, width - 13)}"
            yield Text(shown, no_wrap=True, overflow="crop")


def first_line(task: Task, rate: str, width: int) -> RenderableType:
    """Share, step and time left, and what else there is room for: time, speed and a bar."""
    total = int(task.total or 1)
    left = "?" if task.time_remaining is None else duration(task.time_remaining)
    place = f"{100 * int(task.completed) // total:3d} %"
    step = f"{int(task.completed):,}/{total:,}"
    kept = [place, f"step {step}", f"{left} left"]
    if len(GAP.join(kept)) > width:
        kept = [place.strip(), step, f"{left} left"]
    further = [f"{duration(task.elapsed or 0)} elapsed", *([rate] if rate else [])]
    text = GAP.join(fitting([*kept, *further], width, num_kept=len(kept)))
    room = width - len(text) - len(GAP)
    if room < _NARROWEST_BAR:
        return Text(text, no_wrap=True, overflow="crop")
    line = Table.grid(padding=(0, len(GAP), 0, 0))
    line.add_row(
        ProgressBar(total=total, completed=task.completed, width=min(room, _WIDEST_BAR)),
        Text(text, no_wrap=True),
    )
    return line


def fitting(parts: Sequence[str], width: int, num_kept: int = 1) -> list[str]:
    """As many of the parts, from the first on, as fit on a line; the first `num_kept` always."""
    found: list[str] = list(parts[:num_kept])
    for part in parts[num_kept:]:
        if len(GAP.join([*found, part])) > width:
            break
        found.append(part)
    return found


def tail(path: str, width: int) -> str:
    """The end of a path, which tells more than its beginning."""
    return path if len(path) <= width else f"...{path[len(path) - max(0, width - 3) :]}"
