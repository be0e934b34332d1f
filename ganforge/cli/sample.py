"""`ganforge sample`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from ganforge.config.settings import ExecutionSettings
from ganforge.errors import UsageError
from ganforge.plugin.discovery import discover
from ganforge.printable import printable
from ganforge.storage.files import write_atomically

from .console import warn_of_failures
from .grouped import GroupedCommand, option_in
from .progress import print_line
from .sample_request import SampleRequest
from .threads import spin_briefly

if TYPE_CHECKING:
    from torch import Tensor

    from ganforge.plugin.registry import Registry
    from ganforge.sampling.interpolation import Way
    from ganforge.sampling.trained_generator import TrainedGenerator

NUM_WAYS, COLUMNS = 8, 8
ANCHORS, FRAMES, MILLISECONDS = 4, 12, 80


@click.command("sample", cls=GroupedCommand)
@click.argument("source", metavar="RUN", type=Path)
@option_in(
    "What",
    "--num",
    metavar="N",
    type=click.IntRange(1, 1_000_000),
    help="How many. [64; 8 per class; 1000 points]",
)
@option_in(
    "What",
    "--seed",
    metavar="N",
    default=0,
    type=click.IntRange(0, 2**63 - 1),
    help="Of the draws.",
)
@option_in("What", "--labels", metavar="3,3,cat", help="One sample of each: numbers or names.")
@option_in(
    "What",
    "--truncation",
    metavar="T",
    type=click.FloatRange(min=0.0, min_open=True),
    help="Keep latents between -T and T: less variety, often better samples.",
)
@option_in("What", "--dataset", metavar="NAME|PATH", help="What to remake. [the run's]")
@option_in(
    "Between latents",
    "--interpolate",
    type=click.Choice(["slerp", "lerp"]),
    help="Go from latent to latent on arcs or on lines.",
)
@option_in(
    "Between latents",
    "--frames",
    metavar="N",
    type=click.IntRange(2, 1000),
    help=f"Samples on a way. [{COLUMNS}; {FRAMES} where they move]",
)
@option_in(
    "Between latents",
    "--milliseconds",
    metavar="N",
    type=click.IntRange(20, 10_000),
    help=f"Time of a frame. [{MILLISECONDS}]",
)
@option_in("Where", "--out", type=Path, help="File or directory. [samples.png in RUN]")
@option_in(
    "Where",
    "--device",
    metavar="NAME",
    default="auto",
    help="auto, cpu, cuda, cuda:N or mps. [auto]",
)
@click.pass_obj
def command(context: dict[str, bool], /, **arguments: object) -> None:
    """Draw samples from the generator of RUN, a run directory or a generator.safetensors.

    \b
    --out grid.png      one picture; samples with classes have a row per class
    --out folder/       a PNG per sample
    --out samples.npz   arrays: samples [N, *sample_shape], float32 in [-1, 1], and labels
    --out walk.gif      with --interpolate, moving pictures; .apng has all colours
    """
    request = SampleRequest(**arguments)  # type: ignore[arg-type]
    words = request.check()
    discovery = discover(third_party=context["third_party"])
    warn_of_failures(discovery)
    spin_briefly()

    from ganforge.device.execution import Execution
    from ganforge.sampling.gallery import find_classes
    from ganforge.sampling.trained_generator import open_generator

    execution = Execution.from_settings(ExecutionSettings(device=request.device))
    trained = open_generator(request.generator, discovery.registry, execution)
    labels = find_classes(trained, words)
    if request.interpolate is None:
        count = _samples(request, trained, labels, discovery.registry)
        what = "sample" if count == 1 else "samples"
    else:
        count = _walk(request, trained, labels, request.interpolate)
        what = f"{'way' if count == 1 else 'ways'} between latents"
    verb = "is" if count == 1 else "are"
    print_line(f"{count} {what} of seed {request.seed} {verb} in {printable(request.target)}")


def _samples(
    request: SampleRequest, trained: TrainedGenerator, labels: Tensor | None, registry: Registry
) -> int:
    from ganforge.sampling import gallery
    from ganforge.sampling.real_samples import find_real_samples

    if request.suffix != ".npz":
        gallery.check_picture(trained, each=not request.suffix)
    num = request.num if labels is None else len(labels)
    wanted = num or gallery.usual_num(trained)
    real, sort = None, False
    if trained.source.fed_with_data:
        file = request.source / "config.toml"
        real = find_real_samples(
            trained,
            registry,
            config_file=file if file.is_file() else None,
            dataset=request.dataset,
            num=num,
        )
        wanted = len(real.samples)
    elif request.dataset is not None:
        raise UsageError("--dataset: this generator makes its samples of latents, not of data")
    elif labels is None and trained.classes is not None:
        labels, sort = gallery.cycled_labels(trained, wanted), True
    drawn = gallery.draw_all(
        trained,
        num=wanted,
        seed=request.seed,
        labels=labels,
        truncation=request.truncation,
        real=real,
    )
    with _explained(request.target):
        if request.suffix == ".npz":
            gallery.save_arrays(request.target, drawn)
        elif request.suffix == ".png":
            gallery.save_picture(request.target, trained, drawn, sort=sort)
        else:
            gallery.save_each(request.target, drawn)
    return wanted


def _walk(
    request: SampleRequest, trained: TrainedGenerator, labels: Tensor | None, way: Way
) -> int:
    from ganforge.pictures.images import encode_animation, encode_png
    from ganforge.sampling.gallery import Walk, cycled_labels

    num = len(labels) if labels is not None else request.num or NUM_WAYS
    walk = Walk(
        trained=trained,
        way=way,
        num=num,
        seed=request.seed,
        labels=cycled_labels(trained, num) if labels is None else labels,
        truncation=request.truncation,
    )
    if request.suffix == ".png":
        encoded = encode_png(walk.picture(request.frames or COLUMNS))
    else:
        frames = [*walk.frames(ANCHORS, request.frames or FRAMES)]
        form: Literal["gif", "apng"] = "gif" if request.suffix == ".gif" else "apng"
        encoded = encode_animation(frames, form, request.milliseconds or MILLISECONDS)
    with _explained(request.target):
        write_atomically(request.target, [encoded])
    return num


@contextmanager
def _explained(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError(f"{printable(target)} cannot be written: {error.strerror}") from error
