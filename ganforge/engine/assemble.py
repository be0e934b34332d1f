"""From a configuration to what a run works on: everything built, on the device, and connected."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace

from ganforge.config.compatibility import batch_independent, incompatibilities
from ganforge.config.run_config import RunConfig, Selection
from ganforge.contracts import (
    Callback,
    Dataset,
    FeatureExtractor,
    Format,
    Metric,
    Sampler,
)
from ganforge.data.batches import Batches, open_batches
from ganforge.data.classes import Classes, in_trained_order
from ganforge.device.execution import Execution
from ganforge.device.randomness import Randomness
from ganforge.errors import Complaint, ConfigError, DataError, UsageError, listed
from ganforge.measuring.measure import ChosenMetric
from ganforge.pictures.chosen_format import ChosenFormat
from ganforge.plugin.failures import failing_as
from ganforge.plugin.fields import LABEL, SAMPLE, Field
from ganforge.plugin.specs import SIDES, CallbackSpec
from ganforge.plugin.specs import Side as SideName
from ganforge.problem import Problem

from .augmenting import Augmenting
from .building import (
    build,
    build_dataset,
    build_discriminator,
    build_extractor,
    build_generator,
)
from .ema import EMA
from .feed import Feed
from .finite import FiniteGuard
from .generation import Source
from .objective import Objective
from .parts import build_augmentations, build_schedules, build_side, build_terms
from .probe import probe
from .sides import Sides
from .starting import Start, start_from
from .step import Training


@dataclass(frozen=True, kw_only=True)
class ChosenCallback:
    """A callback in a run."""

    selection: Selection[CallbackSpec]
    callback: Callback


@dataclass(frozen=True, kw_only=True)
class Data:
    """The data set of a run, with its fields as its data has them, and the way to its batches."""

    dataset: Dataset
    fields: Mapping[str, Field]
    batches: Batches


@dataclass(frozen=True, kw_only=True)
class Assembly:
    """A run, put together.

    `training` is what a step works on, `source` where pictures and metrics get their samples,
    `extractors` what metrics look through, by their names in the configuration, not ready yet;
    `kept_steps` are those whose checkpoints are kept, `starts` says where first weights came from.
    """

    config: RunConfig
    problem: Problem
    execution: Execution
    data: Data
    training: Training
    source: Source
    format: ChosenFormat
    metrics: tuple[ChosenMetric, ...]
    extractors: Mapping[str, FeatureExtractor]
    callbacks: tuple[ChosenCallback, ...]
    kept_steps: frozenset[int]
    starts: Mapping[SideName, Start]

    @property
    def paired(self) -> bool:
        """True where what the generator makes belongs to the real samples, one by one."""
        return self.config.paired(self.data.fields)


def assemble(config: RunConfig, *, fresh: bool = True, trained: Classes | None = None) -> Assembly:
    """Build what the configuration names; a run that is not `fresh` has its weights elsewhere.

    `trained` are the classes that such a run was trained on, by field. Raises DataError or
    DeviceError where the data or the device is absent, ConfigError for what only the data could
    tell, and PluginError where a component fails or breaks its contract.
    """
    execution = Execution.from_settings(config.execution)
    randomness = Randomness(config.training.seed, execution.device)
    data = _open_data(config, execution, randomness, trained or {})
    problem = _problem(config, data)
    sampler = build(config.sampler, problem, randomness, Sampler)
    built = build_generator(config.game, config.generator, problem, randomness, execution)
    discriminator, judged = None, problem
    if config.discriminator is not None:
        judged = replace(
            problem,
            sample=config.judged(problem.sample, problem.input_shape),
            conditions=config.condition_fields("discriminator", data.fields),
        )
        discriminator = build_discriminator(
            config.game, built.game, config.discriminator, judged, randomness, execution
        )
    starts: dict[SideName, Start] = {}
    if fresh:
        starts = start_from(config, {"generator": built.network, "discriminator": discriminator})
    terms = build_terms(config, problem, randomness, execution)
    guard = FiniteGuard(terms, execution.device)
    sides = Sides(
        generator=build_side(config, "generator", built.network, terms, guard),
        discriminator=None
        if discriminator is None
        else build_side(config, "discriminator", discriminator, terms, guard),
        ema=EMA(built.network, config.ema.half_life) if config.ema.half_life else None,
    )
    augmentations = build_augmentations(config, judged, randomness, execution)
    keywords = {side: config.keywords(side, data.fields) for side in SIDES}
    training = Training(
        settings=config.training,
        sides=sides,
        game=built.game,
        objective=Objective(terms),
        feed=Feed(
            batches=data.batches,
            sampler=sampler,
            selection=config.sampler,
            randomness=randomness,
            num_parts=config.training.num_accumulation_steps,
        ),
        augmenting=Augmenting(augmentations),
        schedules=build_schedules(config, sides, built.game, augmentations, terms),
        guard=guard,
        randomness=randomness,
        num_steps=_num_steps(config, data.batches),
        keywords=keywords,
        parts=problem.parts,
    )
    assembly = Assembly(
        config=config,
        problem=problem,
        execution=execution,
        data=data,
        training=training,
        source=Source(
            network=sides.sampled,
            generator=config.generator,
            game=built.game,
            sampler=sampler,
            selection=config.sampler,
            keywords=keywords["generator"],
            device=execution.device,
        ),
        format=ChosenFormat(
            component=config.format.component,
            format=build(config.format, problem, randomness, Format),
        ),
        metrics=tuple(
            ChosenMetric(selection=it, metric=build(it, problem, randomness, Metric))
            for it in config.metrics
        ),
        extractors={
            it.config_name: build_extractor(it, data.fields, problem.fit) for it in config.features
        },
        callbacks=tuple(
            ChosenCallback(selection=it, callback=build(it, problem, randomness, Callback))
            for it in config.callbacks
        ),
        kept_steps=frozenset(
            _steps_of(epochs, config, data.batches, "output.keep_epochs")
            for epochs in config.output.keep_epochs
        ),
        starts=starts,
    )
    probe(config, training, problem)
    _warn_of_mixed_gradients(config, training.objective)
    if config.execution.compile:
        compile_networks(config, training, execution)
    return assembly


def _open_data(
    config: RunConfig, execution: Execution, randomness: Randomness, trained: Classes
) -> Data:
    broken = f"{config.dataset.label} breaks its contract"
    with failing_as(broken):
        dataset, fields = build_dataset(config.dataset, config.fields, randomness)
    complaints = [
        Complaint(where=".".join(path), what=what)
        for path, what in incompatibilities(config, fields)
        if fields != config.fields
    ]
    if config.training.conditional and LABEL not in fields:
        name = config.dataset.component.name
        raise DataError(
            f"training.conditional is set, and the data set {name!r} has no labels here; a folder "
            "of images is labelled by its sub-folders, where there are two or more"
        )
    if complaints:
        raise ConfigError(complaints)
    with failing_as(broken):
        batches = open_batches(
            dataset,
            {name: fields[name] for name in (SAMPLE, *sorted(config.used_fields))},
            batch_size=config.training.batch_size,
            execution=execution,
            randomness=randomness,
            num_workers=config.execution.num_workers,
            holdout=config.evaluation.holdout,
            label=config.dataset.label,
            settings=config.data,
        )
    batches, fields = in_trained_order(batches, fields, trained, "the run", config.dataset.label)
    return Data(dataset=dataset, fields=fields, batches=batches)


def _problem(config: RunConfig, data: Data) -> Problem:
    return Problem(
        sample=data.fields[SAMPLE],
        input_shape=config.input_shape(data.fields),
        conditions=config.condition_fields("generator", data.fields),
        parts=config.input_parts,
        fit=data.dataset.fit,
    )


def compile_networks(config: RunConfig, training: Training, execution: Execution) -> None:
    """Compile the networks in training, but for those that something differentiates twice.

    torch.compile cannot differentiate twice. The average is not compiled: it runs seldom.
    """
    execution.check_compiler()
    for name, side in training.sides.by_name.items():
        terms = [repr(it.name) for it in training.objective.differentiates(name)]
        selection = config.generator if name == "generator" else config.discriminator
        assert selection is not None
        if selection.spec.differentiates_itself:
            why = f"{selection.component.name!r} differentiates itself"
        elif terms:
            why = f"{listed(terms)} differentiates it twice"
        else:
            side.network.compile()
            continue
        warnings.warn(f"execution.compile: the {name} is not compiled, since {why}", stacklevel=2)


def _warn_of_mixed_gradients(config: RunConfig, objective: Objective) -> None:
    """A penalty is meant for the gradient of each sample's own score."""
    penalties = [it.name for it in objective.differentiates("discriminator")]
    discriminator = config.discriminator
    if penalties and discriminator is not None and not batch_independent(discriminator):
        warnings.warn(
            f"{listed(penalties)} penalises the gradient of each sample's score, and the "
            f"discriminator {discriminator.component.name!r} as it is set up scores a sample by "
            "the whole batch, so what is penalised is the gradient of the sum",
            stacklevel=2,
        )


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
    updates = 1 if config.discriminator is None else training.num_discriminator_steps
    return max(1, -(-images // (training.batch_size * updates)))
