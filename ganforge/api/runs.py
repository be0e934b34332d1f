"""`open_run`: a run directory, read from Python."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganforge.errors import UsageError, did_you_mean, listed
from ganforge.printable import printable
from ganforge.runs.run import Run as StoredRun

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    from ganforge.doctor.findings import Trouble

    from .generator import Generator


class Run(StoredRun):
    """A run: its settings, metrics, checkpoints, pictures, and its generator."""

    def load(
        self, step: int | None = None, *, best: bool = False, device: str = "auto"
    ) -> Generator:
        """The generator as it was saved last, or in the checkpoint after `step` steps.

        With `best` it is the best one by the metric of `evaluation.best`. Raises UsageError where
        there is no such checkpoint, or none was kept.
        """
        from .generator import load

        if step is None:
            return load(self.path, best=best, device=device)
        if best:
            raise UsageError("step= and best= exclude each other")
        checkpoints = dict(self.checkpoints)
        if step not in checkpoints:
            known = listed([str(it) for it in sorted(checkpoints)])
            raise UsageError(
                f"{printable(self.path)} has no checkpoint of step {step}; it has {known}"
            )
        return load(checkpoints[step], device=device)

    def column(self, name: str) -> tuple[NDArray[numpy.int64], NDArray[numpy.float64]]:
        """The steps and the values of one quantity, both `[N]`.

        Raises UsageError for a quantity that the run does not have.
        """
        import numpy

        if name not in self.metrics:
            known = listed(list(self.metrics))
            near = did_you_mean(name, self.metrics) or f"; it has {known}"
            raise UsageError(f"{printable(self.path)} has no metric {printable(name, 60)!r}{near}")
        series = self.metrics[name]
        return numpy.array(series.steps, numpy.int64), numpy.array(series.values, numpy.float64)

    def frame(self) -> Any:
        """The metrics as a pandas DataFrame: a row per step, a column per quantity.

        What was not measured in a step is NaN there. Raises UsageError where pandas is not
        installed.
        """
        try:
            import pandas  # type: ignore[import-not-found,import-untyped,unused-ignore]
        except ImportError as error:
            raise UsageError(
                "frame() gives a pandas DataFrame, and pandas is not installed: `pip install "
                "pandas`, or read `metrics` and `column(name)`, which need nothing"
            ) from error
        columns = {
            # A step may have two lines, of the losses and of metrics: what both say comes once.
            name: pandas.Series(dict(zip(series.steps, series.values, strict=True)))
            for name, series in self.metrics.items()
        }
        return pandas.DataFrame(columns).rename_axis("step")

    def check(self) -> tuple[Trouble, ...]:
        """Troubles of the run, errors first, as `ganforge doctor` says them; reads all of it.

        Empty where nothing is. `severity` is `error` or `warning`, `text` says what is wrong, and
        `remedy` what can be done.
        """
        from ganforge.doctor.run import examine_run
        from ganforge.plugin.discovery import discover

        return examine_run(self.path, discover()).troubles


def open_run(path: str | PathLike[str]) -> Run:
    """The run in a directory, whether it is being trained or has ended.

    Raises UsageError where there is none.
    """
    return Run(Path(path))
