"""The training loop, and what happens at its boundaries: logs, grids, checkpoints."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor

from ganforge.contracts import Batch
from ganforge.errors import CheckpointError, GanforgeError, PluginError, UsageError
from ganforge.printable import described

from .assemble import Assembly
from .checkpoint import prune, write_checkpoint
from .display import Display
from .images import can_be_shown, grid, save_png
from .optimizers import learning_rate, set_learning_rate
from .rundir import RunDirectory, State
from .sampling import draw_inputs, generate_samples, write_generator
from .state import load_newest, snapshot
from .step import Part, discriminator_update, generate, generator_update
from .telemetry import Averages, MetricsFile, Speed


class Trainer:
    """Trains an assembly in a run directory, from wherever its checkpoint left it."""

    def __init__(self, assembly: Assembly, run: RunDirectory, display: Display) -> None:
        self.assembly = assembly
        self.run = run
        self.display = display
        self.step = 0
        self.averages = Averages()
        self.metrics_file = MetricsFile(run.metrics)
        self.speed = Speed()
        self._draws_grids = can_be_shown(assembly.problem.sample_shape)

    @property
    def images_seen(self) -> int:
        """Generator updates times batch size."""
        return self.step * self.assembly.config.training.batch_size

    def resume(self) -> None:
        """Go on from the newest sound checkpoint, or from the start where there is none yet.

        Raises CheckpointError, with nothing changed, where it does not fit.
        """
        self.step = load_newest(self.run, self.assembly, self.averages)
        self.metrics_file.rewind(self.step)

    def train(self, stop_request: Callable[[], State | None] = lambda: None) -> State:
        """Train to the end, or until `stop_request` answers with the state to stop in.

        Raises NonFiniteError where a loss or gradient is no longer finite, and PluginError where a
        component fails.
        """
        try:
            with self._explained():
                if self.step == 0:
                    self.write_real_grid()
                    self.write_grid()
                while self.step < self.assembly.num_steps:
                    if state := stop_request():
                        self.save()
                        return state
                    self.train_step()
                    self.display.step(self.step)
                    self._boundaries()
        finally:
            self.assembly.batches.close()
        return "finished"

    def _boundaries(self) -> None:
        """What is due after this step; everything is due after the last."""
        output = self.assembly.config.output
        last = self.step == self.assembly.num_steps
        if last or self.step % output.log_every == 0:
            self.log()
        if last or self.step % output.sample_every == 0:
            self.write_grid()
        if last or self.step % output.checkpoint_every == 0:
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
        self._set_learning_rates()
        if a.discriminator is None:
            parts = self._parts(a.batches.batch(self.step), repeats)
        else:
            for repeat in range(repeats):
                real = a.batches.batch(self.step * repeats + repeat)
                reuse = training.reuse_fakes and repeat == repeats - 1
                parts = self._parts(real, repeat, with_fakes=reuse)
                self.averages.add(
                    discriminator_update(
                        a.discriminator, a.generator.network, a.objective, parts, a.guard, self.step
                    )
                )
            if not training.reuse_fakes:
                parts = self._parts(real, repeats)
        critic = None if a.discriminator is None else a.discriminator.network
        self.averages.add(
            generator_update(a.generator, critic, a.objective, parts, a.guard, self.step)
        )
        self.step += 1
        self.speed.count(training.batch_size)
        if a.ema is not None:
            a.ema.update(batch_size=training.batch_size, images_seen=self.images_seen)

    def _parts(self, real: Batch, repeat: int, *, with_fakes: bool = False) -> list[Part]:
        """The real batch, split for accumulation, and fresh inputs for this update of the step."""
        a, num_parts = self.assembly, self.assembly.config.training.num_accumulation_steps
        if a.problem.num_classes is None:
            real = Batch(real.samples, None)
        size = len(real.samples) // num_parts
        parts = []
        for number in range(num_parts):
            share = real if num_parts == 1 else _cut(real, number * size, (number + 1) * size)
            generator = a.randomness.generator("inputs", self.step, repeat, number)
            inputs = a.sampler.sample(size, generator=generator, real=share)
            fake = generate(a.generator.network, inputs) if with_fakes else None
            parts.append(Part(real=share, inputs=inputs, fake=fake))
        return parts

    def _set_learning_rates(self) -> None:
        config, num_steps = self.assembly.config, self.assembly.num_steps
        for trained, settings in (
            (self.assembly.generator, config.generator_optimizer),
            (self.assembly.discriminator, config.discriminator_optimizer),
        ):
            if trained is not None and settings.schedule != "constant":
                set_learning_rate(trained.optimizer, learning_rate(settings, self.step, num_steps))

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
        self.metrics_file.append(values)
        self.display.metrics(values)

    def write_grid(self) -> None:
        """The grid of this step, from the same inputs each time."""
        if not self._draws_grids:
            return
        a = self.assembly
        inputs = draw_inputs(a.sampler, a.randomness, "grid", a.config.output.grid_samples)
        batches = [samples for samples, _ in generate_samples(a.sampled_network, inputs)]
        self._save_picture(self.run.sample_grid(self.step), grid(torch.cat(batches)))

    def write_real_grid(self) -> None:
        """Real samples, as the networks see them, to hold the others against."""
        if self._draws_grids:
            real = self.assembly.batches.batch(0).samples
            count = self.assembly.config.output.grid_samples
            self._save_picture(self.run.samples / "real.png", grid(real[:count]))

    def _save_picture(self, path: Path, sheet: Tensor) -> None:
        try:
            save_png(path, sheet)
        except OSError as error:
            # A picture that cannot be written never ends a run that can go on.
            self._draws_grids = False
            warnings.warn(
                f"{self.run}/samples cannot be written ({error.strerror}); training goes on "
                "without sample grids",
                stacklevel=2,
            )

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
        write_checkpoint(self.run, self.step, *snapshot(a, self.averages, self.step))
        prune(self.run, a.config.output.keep_checkpoints)
        write_generator(self.run.generator, a.sampled_network, a.config, a.problem)


def _cut(batch: Batch, start: int, end: int) -> Batch:
    labels = None if batch.labels is None else batch.labels[start:end]
    return Batch(batch.samples[start:end], labels)
