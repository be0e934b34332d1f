"""Real samples outside of training, for a trained generator that is fed with them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ganforge.config.data_path import path_layer
from ganforge.config.layers import from_run
from ganforge.config.resolve import resolve
from ganforge.config.run_config import RunConfig, Selection, fields_of, makes_pairs
from ganforge.contracts import Batch
from ganforge.data.batches import open_batches
from ganforge.data.classes import Classes, in_trained_order
from ganforge.device.randomness import Randomness
from ganforge.engine.building import build_dataset
from ganforge.errors import Complaint, ConfigError, DataError, UsageError, listed
from ganforge.plugin.fields import LABEL, SAMPLE, undrawn
from ganforge.plugin.options import describe, parse, to_toml
from ganforge.plugin.registry import Registry
from ganforge.plugin.specs import DatasetSpec
from ganforge.printable import printable
from ganforge.sampling.trained_generator import TrainedGenerator

PICTUREFUL = 64  # of samples that a picture takes any number of


@dataclass(frozen=True, kw_only=True)
class RealSamples:
    """Real samples for a generator; `paired` where what it makes of each is to be compared with it.

    Those of a set of inputs alone are what the generator is fed with.
    """

    batch: Batch
    paired: bool


def find_real_samples(
    trained: TrainedGenerator,
    registry: Registry,
    *,
    config_file: Path | None,
    dataset: str | None,
    num: int | None,
) -> RealSamples:
    """`num` real samples for a generator: of the run whose config.toml is given, or of `dataset`.

    Those of the run are the samples that it has held out, where it has; those of `dataset` are the
    first ones. Where `num` is None they are as many as a picture shows, or all that there are.
    Raises UsageError where there is no data set, and where it does not fit or has fewer.
    """
    config = resolve([from_run(config_file)], registry) if config_file is not None else None
    wanted = num or trained.format.num_pictured or PICTUREFUL
    if dataset is not None:
        data = select_data(dataset, config, registry, _shape_of_images(trained))
        real = real_samples(trained, data, num=wanted)
    elif config is not None:
        seed, holdout = config.training.seed, config.evaluation.holdout
        try:
            config.dataset.check_available()
        except DataError as error:
            raise DataError(f"{error}. --dataset NAME|PATH takes other data") from error
        real = real_samples(trained, config.dataset, num=wanted, seed=seed, holdout=holdout)
    else:
        names = sorted(undrawn(trained.problem.conditions))
        told = "".join(f", or --condition {name}=VALUE" for name in names)
        raise UsageError(
            "this generator is fed with real data: name the run directory, whose data set is "
            f"known, or a data set with --dataset NAME|PATH{told}"
        )
    if num is not None and len(real.batch) < num:
        raise UsageError(f"there are {len(real.batch)} real samples to remake, not {num}")
    return real


def select_data(
    name_or_path: str, config: RunConfig | None, registry: Registry, shape: tuple[int, ...]
) -> Selection[DatasetSpec]:
    """The data set of `--dataset NAME|PATH`, instead of that of the run.

    It keeps the run's options where it is the same component on another path. Another component
    keeps those that it shares with one of the same plugin, such as how images are cropped, and its
    images get the size and the channels of `shape`. Raises UsageError.
    """
    chosen = {entry.path[1]: entry.value for entry in path_layer(name_or_path, registry).entries}
    try:
        component = registry.find(DatasetSpec, str(chosen.pop("name")))
    except UsageError as error:
        raise UsageError(f"--dataset: {error}") from error
    given: dict[str, object] = {}
    if config is not None and config.dataset.component.plugin == component.plugin:
        for field in describe(config.dataset.spec.options):
            given[field.name] = to_toml(getattr(config.dataset.options, field.name))
    same = config is not None and config.dataset.component == component
    if not same and len(shape) == 3:
        channels, height, width = shape
        given |= {
            "channels": channels,
            "size": width,
            "height": None if height == width else height,
        }
    known = {field.name for field in describe(component.spec.options)}
    raw = {k: v for k, v in (given | chosen).items() if k in known and v is not None}
    options, complaints = parse(component.spec.options, raw)
    if complaints:
        raise ConfigError(
            Complaint(where="--dataset", what=f"dataset.{name}: {what}")
            for name, what in complaints.items()
        )
    places = {} if config is None or not same else config.dataset.places
    kept = {name: place for name, place in places.items() if name not in chosen}
    return Selection(component=component, options=options, places=kept)


def real_samples(
    trained: TrainedGenerator,
    data: Selection[DatasetSpec],
    *,
    num: int,
    seed: int | None = None,
    holdout: float = 0.0,
) -> RealSamples:
    """The first `num` samples of those held out of training, or of all where none are.

    `seed` and `holdout` are those of the run, so that the split is too; without a seed the samples
    are in the order of the set. They are fewer where the set has no more. A set of inputs alone
    serves a generator whose inputs are a field of their own. Raises DataError where the set is
    absent or does not fit the generator.
    """
    shown = printable(data.component.name)
    data.check_available()
    randomness = Randomness(seed or 0, trained.execution.device)
    dataset, fields = build_dataset(data, fields_of(data), randomness)
    needed = _needed_shapes(trained)
    missing = sorted(needed.keys() - fields.keys())
    if len(missing) > 1 or any(not needed[name] for name in missing):
        raise DataError(f"the data set {shown!r} does not have {listed(missing)}")
    # A set of inputs alone: its samples are what the generator is fed with.
    alone = missing[0] if missing else None
    wanted = trained.problem.sample_shape if alone is None else needed[alone]
    if fields[SAMPLE].shape != wanted:
        found, ours = (" x ".join(map(str, it or ())) for it in (fields[SAMPLE].shape, wanted))
        raise DataError(f"the data set {shown!r} gives {found} here, and the generator {ours}")
    batches = open_batches(
        dataset,
        {name: fields[name] for name in {SAMPLE, *needed, *trained.problem.conditions} & {*fields}},
        batch_size=num,
        execution=trained.execution,
        randomness=randomness,
        num_workers=0,
        holdout=holdout,
        label=data.label,
        shuffled=seed is not None,
    )
    batches, fields = in_trained_order(
        batches, fields, _classes(trained), "the generator", f"the data set {shown!r}"
    )
    real = batches.held_out(0, num)
    if alone is not None:
        real = Batch(real.samples, **real.others, **{alone: real.samples})
    paired = alone is None and makes_pairs(trained.source.selection, fields)
    return RealSamples(batch=real, paired=paired)


def _needed_shapes(trained: TrainedGenerator) -> dict[str, tuple[int, ...]]:
    """The fields besides the sample and the label that a generator is fed or told, with shapes."""
    read = {*trained.source.selection.says("reads")} - {"labels", "samples"}
    found = dict.fromkeys(read, trained.problem.input_shape)
    found |= {name: it.known_shape for name, it in trained.problem.conditions.items()}
    return {name: shape for name, shape in found.items() if name not in (SAMPLE, LABEL)}


def _shape_of_images(trained: TrainedGenerator) -> tuple[int, ...]:
    """The shape of the images that a set of images alone is to give."""
    needed = _needed_shapes(trained)
    if len(needed) == 1 and "samples" not in trained.source.selection.says("reads"):
        return next(iter(needed.values()))
    return trained.problem.sample_shape


def _classes(trained: TrainedGenerator) -> Classes:
    conditions = trained.problem.conditions
    return {name: it.classes for name, it in conditions.items() if it.classes is not None}
