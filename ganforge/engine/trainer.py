"""The training loop: when it logs, evaluates, draws and saves, and when it stops."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from ganforge.diagnosis.advice import advised
from ganforge.diagnosis.diagnosis import Diagnosis, diagnose
from ganforge.errors import (
    CheckpointError,
    DivergenceError,
    GanforgeError,
    PluginError,
    UsageError,
)
from ganforge.plugin.base_specs import Spec
from ganforge.plugin.registry import Component
from ganforge.printable import described
from ganforge.runs.run import read_metrics
from ganforge.storage.checkpoint import prune, write_checkpoint
from ganforge.storage.generator_file import write_generator
from ganforge.storage.run_directory import RunDirectory, State
from ganforge.storage.tensor_header import sound_description

from .assemble import Assembly
from .best import BestSoFar
from .observers import Observer
from .reports import Reports
from .state import load_newest, snapshot
from .step import train_step
from .symptoms import Symptoms
from .telemetry import Averages, Speed


class Trainer:
    """Trains an assembly in a run directory, from wherever its checkpoint left it.

    `remedies` are components that may be named where the diagnosis finds something.
    """

    def __init__(
        self,
        assembly: Assembly,
        run: RunDirectory,
        *observers: Observer,
        remedies: Iterable[Component[Spec]] = (),
    ) -> None:
        self.assembly = assembly
        self.run = run
        self.step = 0
        self.averages = Averages()
        self.symptoms = Symptoms(assembly)
        self.diagnosis = Diagnosis()
        self.remedies = tuple(remedies)
        self.best = BestSoFar(assembly.config)
        self.reports = Reports(assembly, run, *observers)
        self.speed = Speed()

    @property
    def images_seen(self) -> int:
        """Generator updates times batch size."""
        return self.step * self.assembly.config.training.batch_size

    def resume(self) -> None:
        """Go on from the newest sound checkpoint, or from the start where there is none yet.

        Raises CheckpointError, with nothing changed, where it does not fit.
        """
        self.step, best = load_newest(self.run, self.assembly, self.averages, self.symptoms)
        with sound_description(f"the checkpoint of step {self.step} in {self.run}"):
            self.best.restore(best)
        training = self.assembly.training
        training.schedules.tell(training.progress(self.step))
        self.reports.rewind(self.step)
        self.diagnosis = diagnose(read_metrics(self.run.metrics))
        self._write_best()

    def train(self, stop_request: Callable[[], State | None] = lambda: None) -> State:
        """Train to the end, or until `stop_request` answers with the state to stop in.

        Raises NonFiniteError where a loss or gradient is no longer finite, DivergenceError after
        the last step of a run that has diverged, and PluginError where a component fails.
        """
        state: State = "failed"
        self.reports.started(self.step)
        try:
            with self._explained():
                ended = self._loop(stop_request)
            self._check_divergence()
            state = ended
        finally:
            self.assembly.data.batches.close()
            self.reports.ended(state)
        return state

    def _loop(self, stop_request: Callable[[], State | None]) -> State:
        if self.step == 0:
            self.reports.real_grid()
            self.reports.grid(0)
        while self.step < self.assembly.training.num_steps:
            if state := stop_request():
                self.save()
                return state
            self.train_step()
            self.reports.step(self.step)
            self._boundaries()
        return "finished"

    def _check_divergence(self) -> None:
        """Refuse to call a run finished whose numbers say that it has diverged."""
        finding = self.diagnosis.diverged if self._is_last(self.step) else None
        if finding is not None:
            finding = advised(finding, self.assembly.config, self.remedies)
            raise DivergenceError(
                f"the run has diverged: {finding.sentence} Everything is in {self.run}"
            )

    def _boundaries(self) -> None:
        """Log, evaluate, show and save what is due after this step; everything after the last."""
        config = self.assembly.config
        last = self._is_last(self.step)
        if self._logs(self.step):
            self.log()
        kept = self.step in self.assembly.kept_steps
        if last or self.step % config.evaluation.every == 0:
            numbers = self.reports.evaluation(self.step, self.images_seen)
            kept |= self.best.offer(self.step, numbers)
        if last or self.step % config.output.sample_every == 0:
            self.reports.grid(self.step)
        if last or kept or self.step % config.output.checkpoint_every == 0:
            self.save()

    def _is_last(self, step: int) -> bool:
        return step == self.assembly.training.num_steps

    def _logs(self, step: int) -> bool:
        """True where a line of metrics follows after `step` steps."""
        return self._is_last(step) or step % self.assembly.config.output.log_every == 0

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Whatever a component raises becomes an error that says in which step."""
        try:
            yield
        except UsageError as error:
            # It would have been one before training began; now it is a failure.
            raise GanforgeError(f"step {self.step + 1} failed: {error}") from error
        except GanforgeError:
            raise
        except torch.OutOfMemoryError as error:
            batch_size = self.assembly.config.training.batch_size
            raise GanforgeError(
                f"out of memory in step {self.step + 1} with batches of {batch_size}; the same "
                "training needs less with a larger training.num_accumulation_steps. The last "
                "checkpoint is intact"
            ) from error
        except Exception as error:
            raise PluginError(
                f"step {self.step + 1} failed: {described(error)} (GANFORGE_DEBUG=1 shows where)"
            ) from error

    def train_step(self) -> None:
        """One step of the algorithm, and what it leaves for the log."""
        ranked = self._logs(self.step + 1)
        for metrics in train_step(self.assembly.training, self.step, ranked=ranked):
            self.averages.add(metrics)
            self.symptoms.note(metrics)
        self.step += 1
        self.speed.count(self.assembly.config.training.batch_size)

    def log(self) -> None:
        """One line of metrics: the averages since the line before."""
        self.assembly.training.guard.check()
        averages = self.averages.read()
        log_every, last = self.assembly.config.output.log_every, self._is_last(self.step)
        values: dict[str, float] = {
            "step": self.step,
            "images": self.images_seen,
            "seconds": round(self.speed.seconds, 3),
            "cpu_seconds": round(self.speed.cpu_seconds, 3),
            "images_per_second": round(self.speed.read(), 2),
            **averages,
            **self.symptoms.relative(averages),
            **self.symptoms.of_samples(self.step, log_every, last=last),
        }
        self.reports.metrics(values)
        for finding in self.diagnosis.observe(values):
            self.reports.found(advised(finding, self.assembly.config, self.remedies))

    def save(self) -> None:
        """Write a checkpoint and the generator, and remove the checkpoints that are too many.

        The generator of the best checkpoint is written a second time, and stays.

        Raises CheckpointError, and NonFiniteError rather than save after an update that was not
        finite.
        """
        self.assembly.training.guard.check()
        if not self.run.config.is_file():
            raise CheckpointError(
                f"the run directory {self.run} was removed or moved while it was in use"
            )
        a, best = self.assembly, self.best
        # The checkpoint comes last: a run that is resumed from it has everything else already.
        self._write_generator(self.run.generator)
        found = snapshot(a, self.averages, self.symptoms, self.step, best.record())
        path = write_checkpoint(self.run, self.step, *found)
        # But for the best, which is that because the checkpoint says so.
        self._write_best()
        kept = a.kept_steps if best.step is None else a.kept_steps | {best.step}
        prune(self.run, a.config.output.keep_checkpoints, kept)
        self.reports.saved(self.step, path)

    def _write_best(self) -> None:
        """Keep the generator where it is the best so far."""
        if self.step and self.best.step == self.step:
            self._write_generator(self.run.best, self.best.record())

    def _write_generator(self, path: Path, best: Mapping[str, Any] | None = None) -> None:
        a = self.assembly
        source, told = a.source, a.training.schedules.told
        write_generator(path, source.network, source.game, a.config, a.problem, told, best)
