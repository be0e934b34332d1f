"""What a run tells the world: metrics, pictures, the display and the callbacks.

Nothing here ends a run that can go on: what cannot be written, and a metric, a callback or a format
that fails, is a warning and is left out from then on.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

from torch import Tensor

from ganforge.contracts import Drawn
from ganforge.errors import GanforgeError
from ganforge.pictures.encoding import encode_png
from ganforge.printable import described
from ganforge.storage.files import write_atomically
from ganforge.storage.run_directory import RunDirectory

from .assemble import Assembly, ChosenCallback
from .display import Display
from .evaluation import measure
from .pictured import generated_samples, real_samples
from .telemetry import MetricsFile


class Reports:
    """The reports of one session of a run."""

    def __init__(self, assembly: Assembly, run: RunDirectory, display: Display) -> None:
        self._assembly = assembly
        self._run = run
        self._display = display
        self._metrics_file = MetricsFile(run.metrics)
        self._metrics = list(assembly.metrics)
        self._callbacks = list(assembly.callbacks)
        self._shows_pictures = True

    def rewind(self, step: int) -> None:
        """Forget what a killed run reported after the step that it is resumed from."""
        self._metrics_file.rewind(step)

    def started(self, step: int) -> None:
        values = {".".join(key): it.value for key, it in self._assembly.config.values().items()}
        self._tell(lambda it: it.callback.started(self._run.path, step, values))

    def ended(self, state: str) -> None:
        self._tell(lambda it: it.callback.ended(state))

    def saved(self, step: int, checkpoint: Path) -> None:
        self._tell(lambda it: it.callback.saved(step, checkpoint))

    def metrics(self, values: dict[str, float]) -> None:
        """A line of metrics, which holds the step."""
        self._metrics_file.append(values)
        self._display.metrics(values)
        self._tell(lambda it: it.callback.metrics(int(values["step"]), values))

    def evaluation(self, step: int, images: int) -> None:
        """Measure the metrics of the run, and report a line of them."""
        if not self._metrics:
            return
        numbers, failed = measure(self._assembly, self._metrics)
        for chosen, error in failed:
            self._metrics.remove(chosen)
            warnings.warn(f"{error}; training goes on without this metric", stacklevel=2)
        if numbers:
            self.metrics({"step": step, "images": images, **numbers})

    def grid(self, step: int) -> None:
        """The picture of this step, from the same inputs each time."""
        if not self._shows_pictures:
            return
        picture = self._picture(generated_samples(self._assembly), self._run.sample_grid(step))
        if picture is not None:
            self._tell(lambda it: it.callback.picture(step, picture))

    def real_grid(self) -> None:
        """Real samples, as the networks see them, to hold the others against."""
        if self._shows_pictures:
            self._picture(real_samples(self._assembly), self._run.samples / "real.png")

    def _picture(self, drawn: Drawn, path: Path) -> Tensor | None:
        """The picture of samples, once it was written; None where the format fails."""
        try:
            picture = self._assembly.format.picture(drawn)
        except GanforgeError as error:
            self._shows_pictures = False
            warnings.warn(f"{error}; training goes on without pictures", stacklevel=3)
            return None
        try:
            write_atomically(path, [encode_png(picture)])
        except OSError as error:
            self._shows_pictures = False
            warnings.warn(
                f"{self._run}/samples cannot be written ({error.strerror}); training goes on "
                "without sample grids",
                stacklevel=3,
            )
        return picture

    def _tell(self, tell: Callable[[ChosenCallback], None]) -> None:
        for chosen in [*self._callbacks]:
            try:
                tell(chosen)
            except Exception as error:
                self._callbacks.remove(chosen)
                component = chosen.selection.component
                warnings.warn(
                    f"the callback {component.name!r} of {component.origin} failed, and training "
                    f"goes on without it: {described(error)}",
                    stacklevel=2,
                )
