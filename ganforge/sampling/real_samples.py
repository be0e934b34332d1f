"""Real samples outside of training, for a trained generator that is fed with them."""

from __future__ import annotations

from pathlib import Path

from ganforge.config.layers import from_file
from ganforge.config.resolve import path_layer, resolve
from ganforge.config.run_config import RunConfig, Selection
from ganforge.contracts import Batch, Dataset
from ganforge.data.batches import open_batches
from ganforge.device.randomness import Randomness
from ganforge.engine.assemble import build
from ganforge.errors import Complaint, ConfigError, DataError, UsageError
from ganforge.plugin.options import describe, parse, to_toml
from ganforge.plugin.registry import Registry
from ganforge.plugin.specs import DatasetSpec
from ganforge.printable import printable
from ganforge.sampling.trained_generator import TrainedGenerator

PICTUREFUL = 64  # of samples that a picture takes any number of


def select_data(
    name_or_path: str,
    config: RunConfig | None,
    registry: Registry,
    sample_shape: tuple[int, ...],
) -> Selection:
    """The data set of `--dataset NAME|PATH`, instead of that of the run.

    It keeps the run's options where it is the same component on another path; elsewhere its images
    get the size and the channels that the generator makes. Raises UsageError.
    """
    chosen = {entry.path[1]: entry.value for entry in path_layer(name_or_path, registry).entries}
    try:
        component = registry.find("dataset", str(chosen.pop("name")))
    except UsageError as error:
        raise UsageError(f"--dataset: {error}") from error
    assert isinstance(component.spec, DatasetSpec)
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
        raise UsageError(
            "this generator is fed with real samples: name the run directory, whose data set is "
            "known, or a data set with --dataset NAME|PATH"
        )
    if num is not None and len(real.samples) < num:
        raise UsageError(f"there are {len(real.samples)} real samples to remake, not {num}")
    return real


def real_samples(
    trained: TrainedGenerator,
    data: Selection,
    *,
    num: int,
    seed: int = 0,
    holdout: float = 0.0,
) -> Batch:
    """The first `num` samples of those held out of training, or of all where none are.

    `seed` and `holdout` are those of the run, so that the split is too. They are fewer where the
    set has no more. Raises DataError where the set is absent or does not fit the generator.
    """
    component, spec, problem = data.component, data.component.spec, trained.problem
    assert isinstance(spec, DatasetSpec)
    data.check_available()
    shape = component.shape("sample shape", spec.sample_shape, data.options)
    shown = printable(component.name)
    if shape != problem.sample_shape:
        found, wanted = (" x ".join(map(str, it)) for it in (shape, problem.sample_shape))
        raise DataError(f"the data set {shown!r} gives {found} here, and the generator {wanted}")
    randomness = Randomness(seed, trained.execution.device)
    dataset = build(data, problem, randomness, Dataset)
    if problem.num_classes is not None and len(dataset.classes or ()) != problem.num_classes:
        raise DataError(
            f"the data set {shown!r} has {len(dataset.classes or ())} classes, and the generator "
            f"{problem.num_classes}"
        )
    batches = open_batches(
        dataset,
        batch_size=num,
        execution=trained.execution,
        randomness=randomness,
        num_workers=0,
        holdout=holdout,
        with_labels=problem.num_classes is not None,
    )
    return batches.held_out(0, num)
