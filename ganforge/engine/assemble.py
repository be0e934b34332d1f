"""From names and options to built objects on the device: the only caller of the builders."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from ganforge.config.compatibility import batch_independent
from ganforge.config.run_config import RunConfig, Selection
from ganforge.contracts import Batch, Callback, Dataset, Format, Loss, Metric, Sampler
from ganforge.data.batches import Batches, open_batches
from ganforge.device.execution import Execution
from ganforge.device.randomness import Randomness
from ganforge.errors import DataError, PluginError, UsageError, listed
from ganforge.pictures.chosen_format import ChosenFormat
from ganforge.plugin.fields import Field
from ganforge.plugin.specs import GeneratorSpec, LossSpec, SamplerSpec
from ganforge.problem import Problem

from .ema import EMA
from .finite import FiniteGuard
from .generation import draw_inputs
from .objective import Objective, ObjectiveTerm
from .optimizers import build_optimizer
from .step import Trained, Wiring, encode, generate, score


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A metric in a run."""

    selection: Selection
    metric: Metric


@dataclass(frozen=True, kw_only=True)
class Informed:
    """A callback in a run."""

    selection: Selection
    callback: Callback


@dataclass(frozen=True, kw_only=True)
class Assembly:
    """Everything that a training loop works on."""

    config: RunConfig
    problem: Problem
    execution: Execution
    randomness: Randomness
    dataset: Dataset
    batches: Batches
    sampler: Sampler
    generator: Trained
    discriminator: Trained | None
    wiring: Wiring
    ema: EMA | None
    objective: Objective
    guard: FiniteGuard
    format: ChosenFormat
    metrics: tuple[Measured, ...]
    callbacks: tuple[Informed, ...]
    num_steps: int
    kept_steps: frozenset[int]

    @property
    def sampled_network(self) -> nn.Module:
        """The network that samples come from: the average where there is one."""
        return self.generator.network if self.ema is None else self.ema.module

    @property
    def paired(self) -> bool:
        """Whether the sampler makes its inputs of real samples."""
        spec = self.config.sampler.component.spec
        return isinstance(spec, SamplerSpec) and spec.paired


def assemble(config: RunConfig) -> Assembly:
    """Build what the configuration names.

    Raises DataError or DeviceError where the data or the device is absent, and PluginError where a
    component fails or breaks its contract.
    """
    execution = Execution.from_settings(config.execution)
    randomness = Randomness(config.training.seed, execution.device)
    shapes = Problem(sample=config.sample, input_shape=config.input_shape)
    dataset = build(config.dataset, shapes, randomness, Dataset)
    problem = Problem(
        sample=config.sample,
        input_shape=config.input_shape,
        num_classes=_num_classes(config, dataset),
        fit=dataset.fit,
    )
    batches = open_batches(
        dataset,
        batch_size=config.training.batch_size,
        execution=execution,
        randomness=randomness,
        num_workers=config.execution.num_workers,
        holdout=config.evaluation.holdout,
        with_labels=problem.num_classes is not None,
    )
    sampler = build(config.sampler, problem, randomness, Sampler)
    generator = execution.place(build(config.generator, problem, randomness, nn.Module))
    discriminator = None
    if config.discriminator is not None:
        judged = problem
        if config.judged_shape != problem.sample_shape:  # codes
            judged = replace(problem, sample=Field.of_shape(config.judged_shape))
        discriminator = execution.place(build(config.discriminator, judged, randomness, nn.Module))
    terms = [
        ObjectiveTerm(
            name=term.config_name,
            origin=term.component.origin,
            loss=execution.place(build(term, problem, randomness, Loss)),
            weight=term.weight,
            every=term.every,
            differentiates_gradient=(
                isinstance(term.component.spec, LossSpec) and term.component.spec.double_backward
            ),
        )
        for term in config.losses
    ]
    guard = FiniteGuard(terms, execution.device)
    assembly = Assembly(
        config=config,
        problem=problem,
        execution=execution,
        randomness=randomness,
        dataset=dataset,
        batches=batches,
        sampler=sampler,
        generator=_trained(generator, config.generator_optimizer, execution, guard),
        discriminator=(
            None
            if discriminator is None
            else _trained(discriminator, config.discriminator_optimizer, execution, guard)
        ),
        wiring=_wiring(config),
        ema=EMA(generator, config.ema) if config.ema.half_life else None,
        objective=Objective(terms),
        guard=guard,
        format=ChosenFormat(
            component=config.format.component,
            format=build(config.format, problem, randomness, Format),
        ),
        metrics=tuple(
            Measured(selection=it, metric=build(it, problem, randomness, Metric))
            for it in config.metrics
        ),
        callbacks=tuple(
            Informed(selection=it, callback=build(it, problem, randomness, Callback))
            for it in config.callbacks
        ),
        num_steps=_num_steps(config, batches),
        kept_steps=frozenset(
            _steps_of(epochs, config, batches, "output.keep_epochs")
            for epochs in config.output.keep_epochs
        ),
    )
    probe(assembly)
    _warn_of_mixed_gradients(assembly)
    if config.execution.compile:
        compile_networks(assembly)
    return assembly


def compile_networks(assembly: Assembly) -> None:
    """Compile the networks in training, but for one that a term differentiates twice.

    torch.compile cannot differentiate twice. The average is not compiled: it runs seldom.
    """
    assembly.execution.check_compiler()
    assembly.generator.network.compile()
    if assembly.discriminator is None:
        return
    twice = [it.name for it in assembly.objective.terms if it.differentiates_gradient]
    if twice:
        warnings.warn(
            f"execution.compile: the discriminator is not compiled, since {listed(twice)} "
            "differentiates it twice; the generator is",
            stacklevel=2,
        )
    else:
        assembly.discriminator.network.compile()


def _warn_of_mixed_gradients(assembly: Assembly) -> None:
    """A penalty is meant for the gradient of each sample's own score."""
    penalties = [it.name for it in assembly.objective.terms if it.differentiates_gradient]
    discriminator = assembly.config.discriminator
    if penalties and discriminator is not None and not batch_independent(discriminator):
        warnings.warn(
            f"{listed(penalties)} penalises the gradient of each sample's score, and the "
            f"discriminator {discriminator.component.name!r} as it is set up scores a sample by "
            "the whole batch, so what is penalised is the gradient of the sum",
            stacklevel=2,
        )


def _wiring(config: RunConfig) -> Wiring:
    spec = config.generator.component.spec
    assert isinstance(spec, GeneratorSpec)
    return Wiring(
        encodes=spec.encodes,
        codes=config.training.discriminate == "codes",
        joint=config.training.joint_batch,
    )


def build(selection: Selection, problem: Problem, randomness: Randomness, wanted: type) -> Any:
    """What a component's builder gives. Raises PluginError where it is nothing of `wanted`."""
    component = selection.component
    with randomness.building(f"{component.kind}/{component.name}"):
        built = component.build(problem, selection.options)
    if not isinstance(built, wanted):
        raise PluginError(
            f"the {component.kind} {component.name!r} of {component.origin} must build a "
            f"{wanted.__module__}.{wanted.__name__}, not {type(built).__name__}"
        )
    return built


def _trained(
    network: nn.Module, settings: Any, execution: Execution, guard: FiniteGuard
) -> Trained:
    parameters = [p for p in network.parameters() if p.requires_grad]
    if not parameters:
        raise PluginError(f"the network {type(network).__name__} has no parameters to train")
    optimizer = build_optimizer(settings, parameters, execution.device)
    guard.watch(optimizer)
    return Trained(network=network, optimizer=optimizer, parameters=parameters)


def _num_classes(config: RunConfig, dataset: Dataset) -> int | None:
    if not config.training.conditional:
        return None
    if dataset.classes is None:
        name = config.dataset.component.name
        raise DataError(
            f"training.conditional is set, and the data set {name!r} has no labels here; a folder "
            "of images is labelled by its sub-folders"
        )
    return len(dataset.classes)


def _num_steps(config: RunConfig, batches: Batches) -> int:
    training = config.training
    if training.epochs is None:
        assert training.steps is not None
        return training.steps
    return _steps_of(training.epochs, config, batches, "training.epochs")


def _steps_of(epochs: int, config: RunConfig, batches: Batches, key: str) -> int:
    """The number of steps after which every sample was seen `epochs` times."""
    if batches.num_samples is None:
        instead = "; set training.steps instead" if key == "training.epochs" else ""
        raise UsageError(f"{key}: an endless data set has no epochs{instead}")
    images = epochs * batches.num_samples
    training = config.training
    return max(1, -(-images // (training.batch_size * training.num_discriminator_steps)))


def probe(assembly: Assembly) -> None:
    """Run each network once on two samples, and say what breaks its contract before training does.

    The networks are in evaluation mode, without gradient, and their state is unchanged.
    """
    config, problem = assembly.config, assembly.problem
    real = assembly.batches.batch(0)
    _expect(_who(config.dataset), "samples", real.samples, problem.sample_shape)
    two = Batch(
        real.samples[:1].repeat_interleave(2, 0),
        None if real.labels is None else real.labels[:1].repeat(2),
    )
    paired = two if assembly.paired else None
    (inputs,) = draw_inputs(assembly.sampler, assembly.randomness, "probe", 2, real=paired)
    _expect(_who(config.sampler), "inputs", inputs.values, problem.input_shape)
    network = assembly.generator.network
    fake = _forward(config.generator, network, generate, inputs)
    _expect(_who(config.generator), "samples", fake, problem.sample_shape)
    judged = fake
    if assembly.wiring.encodes:
        codes = _forward(config.generator, network, encode, two)
        _expect(_who(config.generator), "codes", codes, problem.input_shape)
        judged = codes if assembly.wiring.codes else fake
    if assembly.discriminator is None or config.discriminator is None:
        return
    scores = _forward(
        config.discriminator, assembly.discriminator.network, score, judged, inputs.labels
    )
    patches = isinstance(scores, Tensor) and scores.dim() == 3
    _expect(
        _who(config.discriminator), "scores", scores, tuple(scores.shape[1:]) if patches else ()
    )


def _forward(selection: Selection, network: nn.Module, call: Any, *arguments: Any) -> Any:
    try:
        network.eval()
        with torch.no_grad():
            return call(network, *arguments)
    except Exception as error:
        raise PluginError(
            f"{_who(selection)} fails on a batch of two: {type(error).__name__}: {error}"
        ) from error
    finally:
        network.train()


def _who(selection: Selection) -> str:
    component = selection.component
    return f"the {component.kind} {component.name!r} of {component.origin}"


def _expect(who: str, what: str, found: Any, shape: tuple[int, ...]) -> None:
    """A floating-point tensor `[B, *shape]`."""
    if (
        isinstance(found, Tensor)
        and found.is_floating_point()
        and found.dim() == len(shape) + 1
        and tuple(found.shape[1:]) == shape
    ):
        return
    shown = f"{found.dtype} {list(found.shape)}" if isinstance(found, Tensor) else repr(found)
    wanted = ", ".join(["B", *map(str, shape)])
    raise PluginError(f"{who} must give {what} of shape [{wanted}], float32, not {shown}")
