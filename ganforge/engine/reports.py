"""What a run tells the world: metrics, pictures, the display and the callbacks.

Nothing here ends a run that can go on: what cannot be written, and a metric or a callback that
fails, is a warning and is left out from then on.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from ganforge.contracts import Batch
from ganforge.pictures.images import before_and_after, beside, can_be_shown, grid, save_png
from ganforge.pictures.plots import plot
from ganforge.pictures.rows import class_rows
from ganforge.plugin.fields import LABEL
from ganforge.printable import described
from ganforge.storage.run_directory import RunDirectory

from .assemble import Assembly, ChosenCallback
from .display import Display
from .evaluation import generated, measure
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
        self._shape = assembly.problem.sample_shape
        self._draws = can_be_shown(self._shape) or len(self._shape) == 1

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
        if self._draws:
            picture = self._picture()
            self._save(self._run.sample_grid(step), picture)
            self._tell(lambda it: it.callback.picture(step, picture))

    def real_grid(self) -> None:
        """Real samples, as the networks see them, to hold the others against."""
        if self._draws:
            real = self._held_out().samples
            sheet = grid(real) if len(self._shape) == 3 else plot(real.cpu(), None)
            self._save(self._run.samples / "real.png", sheet)

    @property
    def _num_pictured(self) -> int:
        """Images are tiles of a grid; vectors are points, of which a picture takes more."""
        if len(self._shape) == 3:
            return self._assembly.config.output.grid_samples
        return self._assembly.config.evaluation.num_samples

    def _held_out(self) -> Batch:
        """As many real samples as a picture shows, or as there are."""
        return self._assembly.data.batches.held_out(0, self._num_pictured)

    def _picture(self) -> Tensor:
        a, num, real = self._assembly, self._num_pictured, self._held_out()
        told: dict[str, Tensor] = {}
        columns, captions = None, None
        label = a.problem.conditions.get(LABEL)
        if not a.source.fed_with_data and label is not None and label.num_classes is not None:
            shown, columns = class_rows(label.num_classes, num)
            told[LABEL], num, captions = torch.tensor(shown), len(shown), label.classes
        fake, inputs = generated(a, "grid", num, real, told)
        if len(self._shape) == 1:
            return plot(real.samples.cpu(), fake.cpu())
        if a.source.paired:
            fed = torch.cat([chunk.values for chunk in inputs])
            return grid(beside(*before_and_after(fed, fake, real.samples)))
        if "reconstruction" in a.config.game.says("provides"):
            part = real[: len(fake)]
            remade = torch.cat([*a.source.reconstructions(part, inputs)])
            fake = beside(part.samples, remade, fake[: len(remade)])
        return grid(fake, columns, captions)

    def _save(self, path: Path, picture: Tensor) -> None:
        try:
            save_png(path, picture)
        except OSError as error:
            self._draws = False
            warnings.warn(
                f"{self._run}/samples cannot be written ({error.strerror}); training goes on "
                "without sample grids",
                stacklevel=2,
            )

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
