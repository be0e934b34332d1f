"""Real samples outside of training, for a trained generator that is fed with them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ganforge.config.data_path import path_layer
from ganforge.config.layers import from_file
from ganforge.config.resolve import resolve
from ganforge.config.run_config import RunConfig, Selection
from ganforge.contracts import Batch
from ganforge.data.batches import open_batches
from ganforge.device.randomness import Randomness
from ganforge.engine.building import build_dataset
from ganforge.errors import Complaint, ConfigError, DataError, UsageError, listed
from ganforge.plugin.fields import LABEL, SAMPLE, Field
from ganforge.plugin.options import describe, parse, to_toml
from ganforge.plugin.registry import Registry
from ganforge.plugin.specs import DatasetSpec
from ganforge.printable import printable
from ganforge.problem import Problem
from ganforge.sampling.trained_generator import TrainedGenerator, undrawn

PICTUREFUL = 64  # of samples that a picture takes any number of


def select_data(
    name_or_path: str,
    config: RunConfig | None,
    registry: Registry,
    sample_shape: tuple[int, ...],
) -> Selection[DatasetSpec]:
    """The data set of `--dataset NAME|PATH`, instead of that of the run.

    It keeps the run's options where it is the same component on another path; elsewhere its images
    get the size and the channels that the generator makes. Raises UsageError.
    """
    chosen = {entry.path[1]: entry.value for entry in path_layer(name_or_path, registry).entries}
    try:
        component = registry.find(DatasetSpec, str(chosen.pop("name")))
    except UsageError as error:
        raise UsageError(f"--dataset: {error}") from error
    given: dict[str, object] = {}
    if config is not None and config.dataset.component == component:
        for field in describe(component.spec.options):
            given[field.name] = to_toml(getattr(config.dataset.options, field.name))
    elif len(sample_shape) == 3:
        channels, height, width = sample_shape
        given = {"channels": channels, "size": width}
        if height != width:
            given["height"] = height
    known = {field.name for field in describe(component.spec.options)}
    raw = {k: v for k, v in (given | chosen).items() if k in known and v is not None}
    options, complaints = parse(component.spec.options, raw)
    if complaints:
        raise ConfigError(
            Complaint(where="--dataset", what=f"dataset.{name}: {what}")
            for name, what in complaints.items()
        )
    return Selection(component=component, options=options)


def find_real_samples(
    trained: TrainedGenerator,
    registry: Registry,
    *,
    config_file: Path | None,
    dataset: str | None,
    num: int | None,
) -> Batch:
    """`num` real samples for a generator: of the run whose config.toml is given, or of `dataset`.

    Those of the run are the samples that it has held out, where it has. Where `num` is None they
    are as many as a picture shows, or all that there are. Raises UsageError where there is no data
    set, and where it does not fit or has fewer.
    """
    config = resolve([from_file(config_file)], registry) if config_file is not None else None
    wanted = num or trained.format.num_pictured or PICTUREFUL
    if dataset is not None:
        data = select_data(dataset, config, registry, trained.problem.sample_shape)
        real = real_samples(trained, data, num=wanted)
    elif config is not None:
        seed, holdout = config.training.seed, config.evaluation.holdout
        real = real_samples(trained, config.dataset, num=wanted, seed=seed, holdout=holdout)
    else:
        told = "".join(f", or --condition {name}=VALUE" for name in sorted(undrawn(trained)))
        raise UsageError(
            "this generator is fed with real data: name the run directory, whose data set is "
            f"known, or a data set with --dataset NAME|PATH{told}"
        )
    if num is not None and len(real) < num:
        raise UsageError(f"there are {len(real.samples)} real samples to remake, not {num}")
    return real


def real_samples(
    trained: TrainedGenerator,
    data: Selection[DatasetSpec],
    *,
    num: int,
    seed: int = 0,
    holdout: float = 0.0,
) -> Batch:
    """The first `num` samples of those held out of training, or of all where none are.

    `seed` and `holdout` are those of the run, so that the split is too. They are fewer where the
    set has no more. A set of inputs alone serves a generator whose inputs are a field of their own.
    Raises DataError where the set is absent or does not fit the generator.
    """
    problem, shown = trained.problem, printable(data.component.name)
    data.check_available()
    randomness = Randomness(seed, trained.execution.device)
    declared = data.component.call("cannot tell its fields", data.spec.fields, data.options)
    dataset, fields = build_dataset(data, declared, randomness)
    read = {*trained.source.selection.says("reads"), *problem.conditions} - {"labels"}
    names = {SAMPLE if name == "samples" else name for name in read}
    missing = sorted(names - fields.keys() - {LABEL})
    if len(missing) > 1:
        raise DataError(f"the data set {shown!r} has no fields {listed(missing)}")
    # A set of inputs alone: its samples are what the generator is fed with.
    alone = missing[0] if missing else None
    wanted = problem.sample_shape if alone is None else problem.input_shape
    if fields[SAMPLE].shape != wanted:
        found, ours = (" x ".join(map(str, it or ())) for it in (fields[SAMPLE].shape, wanted))
        raise DataError(f"the data set {shown!r} gives {found} here, and the generator {ours}")
    _match_classes(fields, problem, shown)
    used = {name: fields[name] for name in {SAMPLE, *names} & fields.keys()}
    batches = open_batches(
        dataset,
        used,
        batch_size=num,
        execution=trained.execution,
        randomness=randomness,
        num_workers=0,
        holdout=holdout,
        label=data.label,
    )
    real = batches.held_out(0, num)
    return real if alone is None else Batch(real.samples, **real.others, **{alone: real.samples})


def _match_classes(fields: Mapping[str, Field], problem: Problem, shown: str) -> None:
    """Raise DataError where the classes are not those that the generator was trained on."""
    for name, condition in problem.conditions.items():
        if condition.kind != "category" or name not in fields:
            continue
        found, ours = fields[name].classes or (), condition.classes or ()
        if len(found) != len(ours):
            raise DataError(
                f"the data set {shown!r} has {len(found)} classes, and the generator {len(ours)}"
            )
        if found != ours:
            told = [", ".join(printable(it, 40) for it in names[:20]) for names in (found, ours)]
            raise DataError(
                f"the data set {shown!r} has the classes {told[0]}, and the generator {told[1]}"
            )
