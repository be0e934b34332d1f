"""A trained generator with the discriminator of its run, for refinements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from typing import Any

import torch
from torch import Tensor

from ganforge.config.layers import from_run
from ganforge.config.resolve import resolve
from ganforge.config.run_config import RunConfig
from ganforge.contracts import Batch, Draw, Inputs, Pair, Progress, Scores, Update
from ganforge.data.batches import Batches
from ganforge.device.randomness import Randomness
from ganforge.engine.assemble import Assembly, assemble
from ganforge.engine.data_record import record_data
from ganforge.engine.evaluation import at_most
from ganforge.engine.generation import CHUNK, joined
from ganforge.engine.state import trained_classes
from ganforge.errors import UsageError
from ganforge.plugin.fields import undrawn
from ganforge.plugin.registry import Registry
from ganforge.printable import printable
from ganforge.sampling.calibration import Calibration, calibrate
from ganforge.sampling.trained_generator import TrainedGenerator
from ganforge.storage import tensor_file
from ganforge.storage.checkpoint import differences, load_module, module_tensors, newest_sound
from ganforge.storage.run_directory import RunDirectory
from ganforge.storage.tensor_header import CHECKPOINT

NUM_CALIBRATED = 5000  # real samples at most, and as many generated ones
NUM_SHOWN = 1024  # real samples that are kept, for what D is told besides
PART = 256


class TrainedPair(Pair):
    """The generator of a file, and the discriminator of the checkpoint that it belongs to."""

    def __init__(
        self, trained: TrainedGenerator, assembly: Assembly, progress: Progress, seed: int
    ) -> None:
        discriminator = assembly.training.sides.discriminator
        assert discriminator is not None, "refuse_what_has_no_pair lets no such run begin"
        self.trained = trained
        self.problem = trained.problem
        self.held_out = bool(assembly.config.evaluation.holdout)
        self._discriminator = discriminator.network.eval()
        self._keywords = assembly.training.keywords
        self._progress = progress
        self._randomness = Randomness(seed, trained.execution.device)
        self._numbers = count()
        self.random = self._randomness.generator("refine")
        self.num_groups = len(trained.classes) if trained.classes is not None else 1
        batches = assembly.data.batches
        self._real = batches.held_out(0, NUM_SHOWN)
        self.calibration = self._calibrate(batches)

    def start(self, chunk: int) -> None:
        """Seed what is drawn for a chunk."""
        self.random = self._randomness.generator("refine", chunk)

    def fresh(self, n: int) -> Inputs:
        names = undrawn(self.problem.conditions)
        told = {name: self._rows(self._real.others[name], n) for name in names}
        return self._draw(n, told)

    def propose(self, inputs: Inputs) -> Inputs:
        return self._draw(len(inputs), inputs.others)

    def _draw(self, n: int, conditions: Mapping[str, Tensor]) -> Inputs:
        first = next(self._numbers)
        drawn = [
            *self.trained.source.inputs(
                self._randomness, f"refine/{CHUNK}", n, conditions=conditions, first=first * CHUNK
            )
        ]
        for _ in drawn[1:]:
            next(self._numbers)
        return joined(drawn)

    def log_ratio(self, inputs: Inputs) -> Tensor:
        return self.calibration(self._scores(inputs))

    def log_density(self, inputs: Inputs) -> Tensor:
        return self.trained.source.sampler.log_density(inputs.values)

    def _scores(self, inputs: Inputs) -> Tensor:
        """D's scores of what G makes of inputs, `[B]`, as the game has them judged."""
        wants = inputs.values.requires_grad
        with torch.set_grad_enabled(wants):
            step = self._step(inputs, wants)
            if step.fake.shape != step.generated.shape or not torch.equal(
                step.fake, step.generated
            ):
                raise UsageError(
                    "refining: in the game of this run the discriminator judges something else "
                    "than what is sampled"
                )
            return per_sample(step.fake_scores, len(inputs))

    def _step(self, inputs: Inputs, wants_gradient: bool, real: Batch | None = None) -> Any:
        source = self.trained.source
        update = Update(
            side="generator" if wants_gradient else "discriminator",
            generator=source.network,
            discriminator=self._discriminator,
            progress=self._progress,
            make_random=lambda: self._randomness.generator("refine/game"),
            generator_keywords=self._keywords["generator"],
            discriminator_keywords=self._keywords["discriminator"],
            parts=self.problem.parts,
        )
        if real is None:
            others = {n: self._rows(it, len(inputs)) for n, it in self._real.others.items()}
            real = Batch(self._rows(self._real.samples, len(inputs)), **others)
        return source.game.steps(update, Draw(real, inputs))[0]

    def _calibrate(self, batches: Batches) -> Calibration:
        """Scores of real samples, held out where the run holds some out, against generated ones."""
        real, fake, groups = [], [], []
        num = at_most(NUM_CALIBRATED, batches.num_held_out)
        for start in range(0, num, PART):
            batch = batches.held_out(start, min(PART, num - start))
            with torch.no_grad():
                told = {name: batch.others[name] for name in self.problem.conditions}
                inputs = self._draw(len(batch), told)
                step = self._step(inputs, False, batch)
                real.append(per_sample(step.real_scores, len(batch)))
                fake.append(self._scores(inputs))
            labels = told.get("label", torch.zeros(len(batch), dtype=torch.int64))
            groups.append(labels.to(real[-1].device))
        scores, self.real_groups = torch.cat(real), torch.cat(groups)
        found = calibrate(scores, torch.cat(fake))
        if found.slope <= 0:  # which is told with the result
            found = replace(found, slope=0.0, intercept=0.0)
        self.real_log_ratios = found(scores)
        return found

    @staticmethod
    def _rows(values: Tensor, n: int) -> Tensor:
        """`n` rows, from the first again where there are fewer."""
        return values[torch.arange(n, device=values.device) % len(values)]


def per_sample(scores: Scores, num: int) -> Tensor:
    """One score for each sample, `[B]`: the mean over its patches, and over a list of scores."""
    listed = [scores] if isinstance(scores, Tensor) else scores
    if any(len(it) != num for it in listed):
        raise UsageError("refining: the discriminator of this run judges several samples at once")
    return torch.stack([it.flatten(1).mean(1) if it.dim() > 1 else it for it in listed]).mean(0)


def open_pair(
    run: RunDirectory,
    trained: TrainedGenerator,
    document: Mapping[str, Any],
    registry: Registry,
    seed: int,
) -> TrainedPair:
    """The pair of a generator that was opened from a run; `document` is that of its file.

    The discriminator is that of the newest checkpoint, or of the best one's for the best generator.
    Raises UsageError where the run has no pair that samples can be refined by.
    """
    config = resolve([from_run(run.config)], registry)
    refuse_what_has_no_pair(config, trained)
    config.check_available()
    assembly = assemble(
        _without_watchers(config, trained), fresh=False, trained=trained_classes(run, config)
    )
    record_data(run, assembly, compare=True, consequence="Samples are refined by what is there now")
    side = assembly.training.sides.discriminator
    assert side is not None
    path, tensors, stored = _checkpoint(run, document)
    expected = module_tensors("discriminator", side.network)
    found = {name: it for name, it in tensors.items() if name.startswith("discriminator/")}
    misfit = differences(expected, found, path)
    if misfit is not None:
        raise misfit
    load_module("discriminator", side.network, found)
    progress = assembly.training.progress(int(stored["step"]))
    assembly.training.schedules.tell(progress)
    return TrainedPair(trained, assembly, progress, seed)


def refuse_what_has_no_pair(config: RunConfig, trained: TrainedGenerator) -> None:
    """Raise UsageError for a run whose samples no discriminator judges by themselves."""
    if config.discriminator is None:
        raise UsageError("refining: this run has no discriminator to refine its samples by")
    if trained.source.fed_with_data:
        raise UsageError("refining: this generator is fed with data, and draws nothing to choose")
    if trained.source.truncation is not None:
        raise UsageError(
            "refining and truncation exclude each other for a generator that truncates by itself"
        )
    sample = trained.problem.sample
    if config.judged(sample, trained.problem.input_shape) != sample:
        raise UsageError("refining: the discriminator of this run judges codes, not samples")


def _without_watchers(config: RunConfig, trained: TrainedGenerator) -> RunConfig:
    """The configuration without what only watches a run, on the device of the generator."""
    execution = replace(
        config.execution, device=str(trained.execution.device), compile=False, num_workers=0
    )
    evaluation = replace(config.evaluation, best=None)
    return replace(config, metrics=(), callbacks=(), evaluation=evaluation, execution=execution)


def _checkpoint(
    run: RunDirectory, document: Mapping[str, Any]
) -> tuple[Any, dict[str, Tensor], dict[str, Any]]:
    """The checkpoint that a generator belongs to."""
    best = document.get("best")
    if best is not None:
        path = run.checkpoint(int(best["step"]))
        return path, *tensor_file.read(path, CHECKPOINT)
    newest = newest_sound(run)
    if newest is None:
        raise UsageError(f"refining: the run in {printable(run.path)} has no checkpoint yet")
    return newest
