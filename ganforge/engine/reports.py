"""Reports of a run to its observers: metrics, pictures, checkpoints, beginning and end.

Nothing here ends a run that can go on: what cannot be written, and a metric, a callback or a format
that fails, is a warning and is left out from then on.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from torch import Tensor

from ganforge.contracts import Callback, Drawn
from ganforge.device.memory import is_out_of_memory
from ganforge.diagnosis.findings import Finding
from ganforge.errors import ENDINGS, GanforgeError
from ganforge.pictures.encoding import encode_png
from ganforge.plugin.fields import GRIDS
from ganforge.printable import described, printable
from ganforge.sharing import redacted
from ganforge.storage.files import write_atomically
from ganforge.storage.run_directory import RunDirectory

from .assemble import Assembly
from .curves import CurvesFile
from .evaluation import Evaluator
from .observers import Observer, SessionFacts
from .pictured import generated_samples, real_samples
from .telemetry import MetricsFile


class Reports:
    """The reports of one session of a run, to the metrics file, callbacks and other observers."""

    def __init__(
        self,
        assembly: Assembly,
        run: RunDirectory,
        *observers: Observer,
        changes: Mapping[str, Any] | None = None,
    ) -> None:
        self._assembly = assembly
        self._changes = changes or {}
        self._run = run
        self._metrics_file = MetricsFile(run.metrics)
        self._curves = CurvesFile(run, assembly.training.num_steps)
        callbacks = [CallbackObserver(it.callback, it.selection.label) for it in assembly.callbacks]
        self._observers: list[Observer] = [
            self._metrics_file,
            self._curves,
            *observers,
            *callbacks,
        ]
        self._metrics = list(assembly.metrics)
        self._evaluator = Evaluator(assembly, self._measuring)
        self._shows_pictures = True

    def rewind(self, step: int, *, evaluated: bool = True) -> None:
        """Forget what a killed run reported after the step that it is resumed from.

        Unless that step is `evaluated`, what was measured after it is measured again.
        """
        self._metrics_file.rewind(step, evaluated=evaluated)
        for grid in self._run.later_grids(step):
            with suppress(OSError):
                grid.unlink()

    def started(self, step: int) -> None:
        facts = _facts(self._assembly, self._run, step, self._changes)
        self._tell(lambda it: it.started(facts))

    def step(self, step: int) -> None:
        for observer in self._observers:
            observer.step(step)

    def ended(self, state: str) -> None:
        self._tell(lambda it: it.ended(state))

    def next_commands(self) -> tuple[str, ...]:
        """The commands that show what callbacks have written."""
        found: list[str] = []
        callbacks = [it for it in self._observers if isinstance(it, CallbackObserver)]
        for observer in callbacks:
            try:
                found += observer.next_commands()
            except CallbackFailure as failure:
                warnings.warn(str(failure), stacklevel=2)
        return tuple(found)

    def saved(self, step: int, checkpoint: Path) -> None:
        self._tell(lambda it: it.saved(step, checkpoint))

    def metrics(self, values: Mapping[str, float]) -> None:
        """A line of metrics, which holds the step."""
        self._tell(lambda it: it.metrics(values))

    def found(self, finding: Finding) -> None:
        """Something goes wrong."""
        self._tell(lambda it: it.found(finding))

    def _measuring(self, what: str, done: int, total: int) -> None:
        self._tell(lambda it: it.measuring(what, done, total))

    def measured(self) -> dict[str, float]:
        """Measure the metrics of the run. This changes nothing that another try would not."""
        if not self._metrics:
            return {}
        self._measuring("metrics", 0, len(self._metrics))
        numbers, failed = self._evaluator.measure(self._metrics)
        for chosen, error in failed:
            self._metrics.remove(chosen)
            less = ""
            if is_out_of_memory(error):
                less = " (fewer samples need less memory: evaluation.num_samples)"
            warnings.warn(f"{error}; training goes on without this metric{less}", stacklevel=2)
        return numbers

    def evaluated(self, step: int, images: int, numbers: Mapping[str, float]) -> None:
        """A line of metrics that were measured, where there are some."""
        if numbers:
            self.metrics({"step": step, "images": images, **numbers})

    def grid(self, step: int) -> None:
        """The picture of this step, from the same inputs each time, and the curves up to it."""
        self._curves.draw()
        if not self._shows_pictures:
            return
        picture = self._picture(generated_samples(self._assembly), self._run.sample_grid(step))
        if picture is not None:
            self._tell(lambda it: it.picture(step, picture))

    def real_grid(self) -> None:
        """Real samples, as the networks see them, to hold the others against."""
        if self._shows_pictures:
            self._picture(real_samples(self._assembly), self._run.real_grid)

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

    def _tell(self, tell: Callable[[Observer], None]) -> None:
        for observer in [*self._observers]:
            try:
                tell(observer)
            except CallbackFailure as failure:
                self._observers.remove(observer)
                warnings.warn(f"{failure}; training goes on without it", stacklevel=3)


class CallbackFailure(Exception):
    """Error that a callback of a plugin has raised, with the callback's name."""


class CallbackObserver(Observer):
    """A callback as an observer. Its exceptions become CallbackFailure, which `label` is in."""

    def __init__(self, callback: Callback, label: str) -> None:
        self._callback = callback
        self._label = label

    def started(self, facts: SessionFacts) -> None:
        values = {".".join(key): it.value for key, it in facts.config.values().items()}
        values = redacted(values)
        self._call(lambda: self._callback.started(facts.run.path, facts.first_step, values))

    def metrics(self, values: Mapping[str, float]) -> None:
        self._call(lambda: self._callback.metrics(int(values["step"]), values))

    def found(self, finding: Finding) -> None:
        self._call(lambda: self._callback.found(finding.step, finding.name, finding.sentence))

    def picture(self, step: int, picture: Tensor) -> None:
        self._call(lambda: self._callback.picture(step, picture))

    def saved(self, step: int, checkpoint: Path) -> None:
        self._call(lambda: self._callback.saved(step, checkpoint))

    def ended(self, state: str) -> None:
        self._call(lambda: self._callback.ended(state))

    def next_commands(self) -> list[str]:
        """The command that shows what it has written, made safe to print; none or one."""
        found: list[str | None] = []
        self._call(lambda: found.append(self._callback.next_command()))
        return [printable(command, 500) for command in found if command]

    def _call(self, call: Callable[[], None]) -> None:
        try:
            call()
        except ENDINGS:
            raise
        except BaseException as error:
            raise CallbackFailure(f"{self._label} failed: {described(error)}") from error


def _description(assembly: Assembly) -> str:
    component, dataset = assembly.config.dataset.component, assembly.data.dataset
    return printable(component.call("cannot describe itself", dataset.describe), 4000)


def _facts(
    assembly: Assembly, run: RunDirectory, step: int, changes: Mapping[str, Any]
) -> SessionFacts:
    sides = assembly.training.sides
    sample = assembly.problem.sample
    discriminator = sides.discriminator.parameters if sides.discriminator else []
    return SessionFacts(
        run=run,
        config=assembly.config,
        device=assembly.execution.describe(),
        data=_description(assembly),
        left_out=assembly.data.dataset.left_out,
        sample=sample.shown(),
        unit=assembly.format.spec.unit,
        side=sample.known_shape[-1] if sample.kind in GRIDS else None,
        generator_parameters=sum(p.numel() for p in sides.generator.parameters),
        discriminator_parameters=sum(p.numel() for p in discriminator),
        first_step=step,
        num_steps=assembly.training.num_steps,
        changes=changes,
    )
