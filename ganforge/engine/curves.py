"""`metrics.png`: what a run has measured so far, drawn at the rate of its grids."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Mapping

from ganforge.pictures.curves import draw_curves
from ganforge.printable import described, printable
from ganforge.runs.panels import panels_of
from ganforge.runs.run import read_metrics
from ganforge.runs.thinning import Thinned
from ganforge.storage.files import write_atomically
from ganforge.storage.run_directory import RunDirectory

from .observers import Observer, SessionFacts

MOST_SHARE = 0.01  # of the time of a run, that goes into drawing


class CurvesFile(Observer):
    """Gathers the lines of metrics in constant memory, and draws them when asked to.

    It draws more rarely than asked where that would take more than a hundredth of the time; at the
    end of a session it always does. Its failure is a warning, as that of all that only shows a run.
    """

    def __init__(self, run: RunDirectory, num_steps: int) -> None:
        self._run = run
        self._num_steps = num_steps
        self._quantities: dict[str, Thinned] = {}
        self._step = 0
        self._is_new = False
        self._broken = False
        self._drawn, self._seconds = -math.inf, 0.0  # when it was drawn last, and how long it took

    def started(self, facts: SessionFacts) -> None:
        """Read what a run that goes on has measured before; the file is the record.

        It is drawn anew at the latest at the end: the run may have been killed before it was drawn.
        """
        for name, series in read_metrics(self._run.metrics).items():
            self._quantities[name] = Thinned.of(series)
            self._step = max(self._step, series.steps[-1])
            self._is_new = True

    def metrics(self, values: Mapping[str, float]) -> None:
        self._step, self._is_new = int(values["step"]), True
        for name, value in values.items():
            self._quantities.setdefault(name, Thinned()).add(self._step, float(value))

    def ended(self, state: str) -> None:
        self._draw()

    def draw(self) -> None:
        """Write the file, where something was measured since it was written."""
        if (time.perf_counter() - self._drawn) * MOST_SHARE >= self._seconds:
            self._draw()

    def _draw(self) -> None:
        if self._broken or not self._is_new:
            return
        self._is_new, began = False, time.perf_counter()
        title = f"{printable(self._run.path.resolve().name, 80)}   step {self._step:,} of "
        try:
            picture = draw_curves(panels_of(self._quantities), f"{title}{self._num_steps:,}")
            write_atomically(self._run.curves, [picture])
        except Exception as error:
            self._broken = True
            what = error.strerror if isinstance(error, OSError) else described(error)
            warnings.warn(
                f"{printable(self._run.curves)} cannot be written ({what}); training goes on "
                "without it",
                stacklevel=2,
            )
        self._drawn = time.perf_counter()
        self._seconds = self._drawn - began
