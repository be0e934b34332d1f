"""A component in training: two steps with reference partners on sixteen samples, and resuming."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from ganforge.config.run_config import RunConfig, Selection, Term
from ganforge.config.settings import (
    EMASettings,
    EvaluationSettings,
    ExecutionSettings,
    InstanceNoiseSettings,
    OutputSettings,
    TrainingSettings,
)
from ganforge.engine.assemble import assemble
from ganforge.engine.display import Display, SessionFacts
from ganforge.engine.state import snapshot
from ganforge.engine.trainer import Trainer
from ganforge.errors import listed
from ganforge.plugin.specs import (
    DatasetSpec,
    DiscriminatorSpec,
    GeneratorSpec,
    InputKind,
    LossSpec,
    OptimizerSpec,
    SamplerSpec,
)
from ganforge.printable import described
from ganforge.problem import Problem
from ganforge.storage.run_directory import RunDirectory
from ganforge.testing.fixtures import reference
from ganforge.testing.fixtures.building import build, problems
from ganforge.testing.framework import Check, CheckFailure, NotApplicable, Subject

NUM_STEPS = 2
BATCH_SIZE = 8
KINDS = tuple(
    it.kind
    for it in (
        GeneratorSpec,
        DiscriminatorSpec,
        LossSpec,
        SamplerSpec,
        DatasetSpec,
        OptimizerSpec,
    )
)


class _Silent(Display):
    """A training session that nobody watches."""

    def started(self, facts: SessionFacts) -> None: ...

    def step(self, step: int) -> None: ...

    def metrics(self, values: dict[str, float]) -> None: ...

    def stopped(self) -> None: ...


def check_training(subject: Subject) -> None:
    for config in configurations(subject):
        with tempfile.TemporaryDirectory() as folder:
            trainer = _trainer(config, Path(folder) / "run")
            before = _tensors(trainer)
            for _ in range(NUM_STEPS):
                trainer.train_step()
            after = _tensors(trainer)
        wrong = [name for name, it in after.items() if not it.isfinite().all()]
        if wrong:
            raise CheckFailure(
                f"finite weights after {NUM_STEPS} steps",
                came=f"infinite ones or NaN in {wrong[0]}",
                mend="look for a division, a root or a logarithm at 0",
            )
        for network in ("generator", "discriminator"):
            names = [name for name in before if name.startswith(f"{network}/")]
            if all(torch.equal(before[name], after[name]) for name in names):
                raise CheckFailure(
                    f"another {network} after {NUM_STEPS} steps with reference partners",
                    came="the same weights",
                    mend="see that the loss of each network depends on its weights",
                )


def check_resuming(subject: Subject) -> None:
    for config in configurations(subject):
        with tempfile.TemporaryDirectory() as folder:
            straight = _trainer(config, Path(folder) / "run")
            try:
                straight.train_step()
            except Exception as error:
                raise NotApplicable(f"it does not train: {described(error)}") from error
            straight.save()
            resumed = _trainer(config, Path(folder) / "run")
            resumed.resume()
            for trainer in (straight, resumed):
                while trainer.step < NUM_STEPS:
                    trainer.train_step()
            expected, found = _tensors(straight), _tensors(resumed)
        different = [
            name
            for name, tensor in expected.items()
            if name not in found or not torch.equal(tensor, found[name])
        ]
        if different:
            raise CheckFailure(
                "a resumed run to be equal to the bit to one that was never stopped",
                came=f"a difference in {listed(different[:3])}",
                mend="keep what changes in training in parameters and buffers, and draw from the "
                "generator that is given, or from torch's global one",
            )


def configurations(subject: Subject) -> list[RunConfig]:
    """Runs of the component with reference partners, without classes and with them.

    Raises NotApplicable where it cannot be built.
    """
    found: dict[bool, RunConfig] = {}
    refusal: NotApplicable | None = None
    for problem in problems(subject):
        conditional = problem.num_classes is not None
        if conditional in found:
            continue
        try:
            build(subject, problem)
        except NotApplicable as reason:
            refusal = reason
        else:
            found[conditional] = _configuration(subject, problem)
    if refusal is not None and not found:
        raise refusal
    return list(found.values())


def _configuration(subject: Subject, problem: Problem) -> RunConfig:
    spec = subject.spec
    checked = Selection(component=subject.component, options=subject.options)
    encodes = isinstance(spec, GeneratorSpec) and spec.encodes
    compares = isinstance(spec, LossSpec) and spec.needs_reconstruction
    inputs: InputKind = "images" if len(problem.input_shape) == 3 else "latents"
    config = RunConfig(
        generator=reference.generator(
            spec.inputs if isinstance(spec, SamplerSpec) else inputs, encodes=compares
        ),
        discriminator=reference.discriminator(),
        sampler=reference.sampler(problem.input_shape),
        dataset=reference.dataset(problem.sample_shape),
        format=reference.samples_format(),
        losses=reference.losses(reconstruction=encodes),
        metrics=(),
        callbacks=(),
        generator_optimizer=reference.optimizer(),
        discriminator_optimizer=reference.optimizer(),
        training=TrainingSettings(
            steps=NUM_STEPS,
            batch_size=BATCH_SIZE,
            conditional=problem.num_classes is not None,
            discriminate="codes" if encodes else "samples",
        ),
        instance_noise=InstanceNoiseSettings(),
        ema=EMASettings(),
        evaluation=EvaluationSettings(),
        output=OutputSettings(),
        execution=ExecutionSettings(device="cpu", num_workers=0),
    )
    match spec:
        case GeneratorSpec():
            return replace(config, generator=checked)
        case DiscriminatorSpec():
            return replace(config, discriminator=checked)
        case SamplerSpec():
            return replace(config, sampler=checked)
        case DatasetSpec():
            return replace(config, dataset=checked)
        case OptimizerSpec():
            return replace(config, generator_optimizer=checked, discriminator_optimizer=checked)
        case _:
            return replace(config, losses=(reference.term(checked), *_others(spec)))


def _others(spec: object) -> tuple[Term, ...]:
    """The terms that train what a loss by itself does not."""
    alone = isinstance(spec, LossSpec) and len(spec.trains) == 2 and spec.needs_discriminator
    return () if alone else reference.losses()


def _trainer(config: RunConfig, path: Path) -> Trainer:
    """A trainer in a run directory, which is made where it is not there."""
    new = not path.exists()
    run = RunDirectory.create(path) if new else RunDirectory.open(path)
    if new:
        run.write_config(config.to_toml())
        run.make_folders()
    return Trainer(assemble(config), run, _Silent())


def _tensors(trainer: Trainer) -> dict[str, Tensor]:
    """Everything that a checkpoint would hold, as it is now."""
    tensors, _ = snapshot(trainer.assembly, trainer.averages, trainer.step)
    return {name: tensor.clone() for name, tensor in tensors.items()}


CHECKS: tuple[Check, ...] = (
    Check(
        name="trains-with-reference-partners",
        contract="two steps with reference partners are finite and change both networks",
        run=check_training,
        kinds=KINDS,
    ),
    Check(
        name="resumes-to-the-bit",
        contract="a run that is stopped and resumed equals one that was not",
        run=check_resuming,
        kinds=KINDS,
    ),
)
