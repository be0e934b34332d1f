"""The training loop, and when its boundaries are: logs, evaluations, grids, checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from ganforge.contracts import Batch
from ganforge.device.randomness import derived_seed
from ganforge.errors import CheckpointError, GanforgeError, PluginError, UsageError
from ganforge.plugin.schedule import Progress
from ganforge.printable import described
from ganforge.storage.checkpoint import prune, write_checkpoint
from ganforge.storage.generator_file import write_generator
from ganforge.storage.run_directory import RunDirectory, State

from .assemble import Assembly
from .display import Display
from .noise import Noise, noise_std
from .reports import Reports
from .state import load_newest, snapshot
from .step import Part, discriminator_update, generate, generator_update
from .telemetry import Averages, Speed


class Trainer:
    """Trains an assembly in a run directory, from wherever its checkpoint left it."""

    def __init__(self, assembly: Assembly, run: RunDirectory, display: Display) -> None:
        self.assembly = assembly
        self.run = run
        self.display = display
        self.step = 0
        self.averages = Averages()
        self.reports = Reports(assembly, run, display)
        self.speed = Speed()

    @property
    def images_seen(self) -> int:
        """Generator updates times batch size."""
        return self.step * self.assembly.config.training.batch_size

    @property
    def progress(self) -> Progress:
        """How far the run is."""
        return Progress(step=self.step, num_steps=self.assembly.num_steps, images=self.images_seen)

    def resume(self) -> None:
        """Go on from the newest sound checkpoint, or from the start where there is none yet.

        Raises CheckpointError, with nothing changed, where it does not fit.
        """
        self.step = load_newest(self.run, self.assembly, self.averages)
        self.reports.rewind(self.step)

    def train(self, stop_request: Callable[[], State | None] = lambda: None) -> State:
        """Train to the end, or until `stop_request` answers with the state to stop in.

        Raises NonFiniteError where a loss or gradient is no longer finite, and PluginError where a
        component fails.
        """
        state: State = "failed"
        self.reports.started(self.step)
        try:
            with self._explained():
                state = self._loop(stop_request)
        finally:
            self.assembly.batches.close()
            self.reports.ended(state)
        return state

    def _loop(self, stop_request: Callable[[], State | None]) -> State:
        if self.step == 0:
            self.reports.real_grid()
            self.reports.grid(0)
        while self.step < self.assembly.num_steps:
            if state := stop_request():
                self.save()
                return state
            self.train_step()
            self.display.step(self.step)
            self._boundaries()
        return "finished"

    def _boundaries(self) -> None:
        """What is due after this step; everything is due after the last."""
        config = self.assembly.config
        last = self.step == self.assembly.num_steps
        if last or self.step % config.output.log_every == 0:
            self.log()
        if last or self.step % config.evaluation.every == 0:
            self.reports.evaluation(self.step, self.images_seen)
        if last or self.step % config.output.sample_every == 0:
            self.reports.grid(self.step)
        kept = self.step in self.assembly.kept_steps
        if last or kept or self.step % config.output.checkpoint_every == 0:
            self.save()

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
        """The discriminator's updates, the generator's update, and the average."""
        a, training = self.assembly, self.assembly.config.training
        repeats = training.num_discriminator_steps
        a.randomness.reseed_globals(self.step)
        for scheduled in a.scheduled_optimizers:
            scheduled.update(self.progress)
        if a.discriminator is None:
            parts = self._parts(a.batches.batch(self.step), repeats)
        else:
            for repeat in range(repeats):
                real = a.batches.batch(self.step * repeats + repeat)
                reuse = training.reuse_fakes and repeat == repeats - 1
                parts = self._parts(real, repeat, with_fakes=reuse)
                self.averages.add(
                    discriminator_update(
                        a.discriminator,
                        a.generator.network,
                        a.objective,
                        parts,
                        a.guard,
                        self.step,
                        a.wiring,
                    )
                )
            if not training.reuse_fakes:
                parts = self._parts(real, repeats)
        critic = None if a.discriminator is None else a.discriminator.network
        self.averages.add(
            generator_update(a.generator, critic, a.objective, parts, a.guard, self.step, a.wiring)
        )
        self.step += 1
        self.speed.count(training.batch_size)
        if a.ema is not None:
            a.ema.update(batch_size=training.batch_size, progress=self.progress)

    def _parts(self, real: Batch, repeat: int, *, with_fakes: bool = False) -> list[Part]:
        """The real batch, split for accumulation, and fresh inputs for this update of the step."""
        a, num_parts = self.assembly, self.assembly.config.training.num_accumulation_steps
        size = len(real.samples) // num_parts
        parts, progress = [], self.progress
        for number in range(num_parts):
            share = real if num_parts == 1 else _cut(real, number * size, (number + 1) * size)
            generator = a.randomness.generator("inputs", self.step, repeat, number)
            inputs = a.sampler.sample(size, generator=generator, real=share)
            fake = generate(a.generator.network, inputs) if with_fakes else None
            noise = self._noise(repeat, number)
            parts.append(Part(real=share, inputs=inputs, fake=fake, noise=noise, progress=progress))
        return parts

    def _noise(self, repeat: int, number: int) -> Noise | None:
        """The instance noise of one part of an update; None where there is none at this step."""
        a = self.assembly
        std = noise_std(a.config.instance_noise, self.step, a.num_steps)
        if not std:
            return None
        seed = derived_seed(a.randomness.seed, "instance-noise", self.step, repeat, number)
        return Noise(std, seed, a.execution.device)

    def log(self) -> None:
        """One line of metrics: the averages since the line before."""
        self.assembly.guard.check()
        values: dict[str, float] = {
            "step": self.step,
            "images": self.images_seen,
            "seconds": round(self.speed.seconds, 3),
            "images_per_second": round(self.speed.read(), 2),
            **self.averages.read(),
        }
        self.reports.metrics(values)

    def save(self) -> None:
        """Write a checkpoint and the generator, and remove the checkpoints that are too many.

        Raises CheckpointError, and NonFiniteError rather than save after an update that was not
        finite.
        """
        self.assembly.guard.check()
        if not self.run.config.is_file():
            raise CheckpointError(
                f"the run directory {self.run} was removed or moved while it was in use"
            )
        a = self.assembly
        path = write_checkpoint(self.run, self.step, *snapshot(a, self.averages, self.step))
        prune(self.run, a.config.output.keep_checkpoints, a.kept_steps)
        classes = None if a.problem.num_classes is None else a.dataset.classes
        write_generator(self.run.generator, a.sampled_network, a.config, a.problem, classes)
        self.reports.saved(self.step, path)


def _cut(batch: Batch, start: int, end: int) -> Batch:
    labels = None if batch.labels is None else batch.labels[start:end]
    return Batch(batch.samples[start:end], labels)
