"""The training loop: when it logs, evaluates, draws and saves, and when it stops."""

from __future__ import annotations

import signal
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from torch import Tensor

from ganforge.device.memory import memory_explained
from ganforge.diagnosis.advice import advised
from ganforge.diagnosis.diagnosis import Diagnosis, diagnose
from ganforge.errors import (
    ENDINGS,
    CheckpointError,
    DivergenceError,
    GanforgeError,
    PluginError,
    UsageError,
)
from ganforge.plugin.base_specs import Spec
from ganforge.plugin.registry import Component
from ganforge.printable import printable
from ganforge.runs.run import read_metrics
from ganforge.storage.checkpoint import newest_sound, prune, write_checkpoint
from ganforge.storage.derived import complete, write_generators
from ganforge.storage.provenance import check_versions
from ganforge.storage.run_directory import RunDirectory, State
from ganforge.storage.tensor_header import sound_description

from .assemble import Assembly
from .best import BestSoFar
from .building import less_memory
from .culprit import culprit, failure
from .observers import Observer
from .reports import Reports
from .resuming import check_steps
from .saved_values import SavedValues
from .signals import Stopped, StopRequest
from .state import Reached, load, model_state, snapshot
from .step import real_batches, train_step
from .symptoms import Symptoms
from .telemetry import Averages, Speed


class Trainer:
    """Trains an assembly in a run directory, from wherever its checkpoint left it.

    `remedies` are components that may be named where the diagnosis finds something. `changes` are
    what the session changes of the configuration, as its record has them.
    """

    def __init__(
        self,
        assembly: Assembly,
        run: RunDirectory,
        *observers: Observer,
        remedies: Iterable[Component[Spec]] = (),
        changes: Mapping[str, Any] | None = None,
    ) -> None:
        self.assembly = assembly
        self.run = run
        self.step = 0
        #: True where the step is done, and what is due after it is not
        self._unfinished = False
        self.averages = Averages()
        self.symptoms = Symptoms(assembly)
        self.diagnosis = Diagnosis()
        self.remedies = tuple(remedies)
        self.best = BestSoFar(assembly.config)
        self.changes = changes or {}
        self.reports = Reports(assembly, run, *observers, changes=self.changes)
        self.speed = Speed()
        self.values = SavedValues(run, model_state(assembly.training))
        self._fell_back = False

    @property
    def images_seen(self) -> int:
        """Generator updates times batch size."""
        return self.step * self.assembly.config.training.batch_size

    def resume(self, allow: Collection[str] = ()) -> None:
        """Go on from the newest sound checkpoint, or from the start where there is none yet.

        `allow` names what of a checkpoint is put up with: values that are `nonfinite`, and other
        `versions` of plugins. Raises CheckpointError, with nothing changed, where it does not fit,
        and UsageError where the run is to end before it.
        """
        newest = self.run.saved_step
        found = newest_sound(self.run)
        if found is None:
            self.reports.rewind(0)  # it was killed before its first checkpoint
            return
        path, tensors, document = found
        where = printable(path)
        with sound_description(where):
            step, components = int(document["step"]), {**document["components"]}
            if path != self.run.checkpoint(step):
                raise ValueError("a checkpoint of another step than it is called after")
        key = "steps" if self.assembly.config.training.epochs is None else "epochs"
        check_steps(self.assembly.training.num_steps, step, f"training.{key}")
        with sound_description(where):
            check_versions(
                self.assembly.config, components, str(self.run), allowed="versions" in allow
            )
        if "nonfinite" in allow:
            self.values.put_up_with(tensors)
        self.values.check_loading(path, tensors)
        load(path, tensors, document, self.assembly, self.averages, self.symptoms)
        self.step = step
        self._unfinished = bool(document.get("unfinished"))  # 0.1 had no such checkpoints
        self._fell_back = self.step < newest
        with sound_description(where):
            self.best.restore(document.get("best"))
        training = self.assembly.training
        training.schedules.tell(training.progress(self.step))
        self.reports.rewind(self.step, evaluated=not self._unfinished)
        self.diagnosis = diagnose(read_metrics(self.run.metrics))
        complete(self.run, *self._snapshot())
        self._prune()

    def keep_changes(self) -> None:
        """Write the checkpoint anew where the configuration in it is not that of the run now.

        It is where the session has overridden something, or has gone back to an older checkpoint.
        """
        if self.step and (self._fell_back or self._overridden):
            self.save()

    @property
    def _overridden(self) -> dict[str, Any]:
        return {key: it for key, it in self.changes.items() if it.get("override")}

    def train(self, stop: StopRequest | None = None) -> State:
        """Train to the end, or until a request to `stop` comes, and is in a checkpoint.

        Raises NonFiniteError where a loss or gradient is no longer finite, DivergenceError after
        the last step of a run that has diverged, and PluginError where a component fails.
        """
        state: State = "failed"
        try:
            with self._explained():
                self.reports.started(self.step)
                ended = self._loop(StopRequest() if stop is None else stop)
            self._check_divergence()
            state = ended
        except Stopped as stopped:
            state = stopped.state
            raise
        finally:
            self.assembly.data.batches.close()
            self.reports.ended(state)
        return state

    def _loop(self, stop: StopRequest) -> State:
        self._missing_grids()
        try:
            if self._unfinished:
                stop()  # from here on there is a step to save
                self._finish_step(stop)
            while self.step < self.assembly.training.num_steps:
                if state := stop():
                    self.save()
                    return state
                with stop.at_once():
                    self._fetch()
                self.train_step()
                self.reports.step(self.step)
                self._boundaries(stop)
        except Stopped as stopped:
            if stop.insists:
                raise
            self.save()
            return stopped.state
        return "finished"

    def _fetch(self) -> None:
        """Wait for the real samples of the next step: before it, while there is a whole one."""
        training = self.assembly.training
        numbers = real_batches(training, self.step)
        training.feed.batches.fetch(numbers.start, len(numbers))

    def _check_divergence(self) -> None:
        """Refuse to call a run finished whose numbers say that it has diverged."""
        finding = self.diagnosis.diverged if self._is_last(self.step) else None
        if finding is not None:
            finding = advised(finding, self.assembly.config, self.remedies)
            raise DivergenceError(
                f"the run has diverged: {finding.sentence} Everything is in {self.run}"
            )

    def _boundaries(self, stop: StopRequest) -> None:
        """Log, evaluate, show and save what is due after this step; everything after the last."""
        if self._logs(self.step):
            self.log()
        self._unfinished = True
        self._finish_step(stop)

    def _finish_step(self, stop: StopRequest) -> None:
        """Do what is due after a step besides its line: it can be cut, and is then begun anew."""
        config = self.assembly.config
        last = self._is_last(self.step)
        kept = self.step in self.assembly.kept_steps
        if last or self.step % config.evaluation.every == 0:
            with stop.at_once():
                numbers = self.reports.measured()
            self.reports.evaluated(self.step, self.images_seen, numbers)
            kept |= self.best.offer(self.step, numbers)
        self._unfinished = False
        if last or self.step % config.output.sample_every == 0:
            self.reports.grid(self.step)
        if last or kept or self.step % config.output.checkpoint_every == 0:
            self.save()

    def _missing_grids(self) -> None:
        """Draw what belongs to the step that the session begins with and is not there."""
        if self.step == 0 or not self.run.real_grid.is_file():
            self.reports.real_grid()
        due = self.step % self.assembly.config.output.sample_every == 0 or self._is_last(self.step)
        missing = due and not self._unfinished and not self.run.sample_grid(self.step).is_file()
        if self.step == 0 or missing:
            self.reports.grid(self.step)

    def _is_last(self, step: int) -> bool:
        return step == self.assembly.training.num_steps

    def _logs(self, step: int) -> bool:
        """True where a line of metrics follows after `step` steps."""
        return self._is_last(step) or step % self.assembly.config.output.log_every == 0

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Whatever a component raises becomes an error that says in which step."""
        try:
            with memory_explained(
                lambda: f"in step {self.step + 1}",
                lambda: f"{less_memory(self.assembly.config)} {self._saved()}",
                self.assembly.execution.device,
            ):
                yield
        except UsageError as error:
            # It would have been one before training began; now it is a failure.
            found = culprit(error, self.assembly.config, self.assembly)
            who = "" if found is None or found.label in str(error) else f" in {found.label}"
            raise GanforgeError(f"{self._at} failed{who}: {error}") from error
        except PluginError as error:
            # What a term raises may come from a network that it reads: then it is that one's.
            cause, said = error.__cause__, str(error)
            found = culprit(cause, self.assembly.config, self.assembly) if cause else None
            if not cause or not found or (found.label in said and self._at in said):
                raise
            raise self._failure(cause) from cause
        except GanforgeError:
            raise
        except ENDINGS as error:
            # Where Ctrl-C is handled in another way, this is no Ctrl-C.
            ours = signal.getsignal(signal.SIGINT) is not signal.default_int_handler
            if isinstance(error, KeyboardInterrupt) and ours:
                raise self._failure(error) from error
            raise
        except BaseException as error:
            raise self._failure(error) from error

    def _failure(self, error: BaseException) -> PluginError:
        return failure(self._at, error, self.assembly.config, self.assembly)

    @property
    def _at(self) -> str:
        """The step that is being made, `step 7`, or that was the last."""
        return f"step {min(self.step + 1, self.assembly.training.num_steps)}"

    def _saved(self) -> str:
        for step, path in self.run.list_checkpoints()[:1]:
            return f"The checkpoint of step {step:,} is intact: {printable(path)}"
        return "There is no checkpoint yet"

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
        """Write a checkpoint and its generator, and remove the checkpoints that are too many.

        Raises CheckpointError, and NonFiniteError rather than save after an update that was not
        finite.
        """
        self.assembly.training.guard.check()
        if not self.run.config.is_file():
            raise CheckpointError(
                f"the run directory {self.run} was removed or moved while it was in use"
            )
        contents = self._snapshot()
        self.values.check_saving(contents[0], self.step)
        path = write_checkpoint(self.run, self.step, *contents)
        # What follows from a checkpoint comes after it, and is written again where it is missing.
        write_generators(self.run, *contents)
        self._prune()
        self.reports.saved(self.step, path)

    def _prune(self) -> None:
        kept, best = self.assembly.kept_steps, self.best.step
        kept = kept if best is None else kept | {best}
        prune(self.run, self.assembly.config.output.keep_checkpoints, kept)

    def _snapshot(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        reached = Reached(step=self.step, best=self.best.record(), unfinished=self._unfinished)
        tensors, document = snapshot(self.assembly, self.averages, self.symptoms, reached)
        return tensors, {**document, "overridden": self._overridden}
