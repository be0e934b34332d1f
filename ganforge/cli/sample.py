"""`ganforge sample`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ganforge.config.settings import ExecutionSettings
from ganforge.device.memory import memory_explained
from ganforge.engine.signals import EXIT_CODES, Stopped, StopRequest
from ganforge.errors import UsageError
from ganforge.plugin.discovery import discover
from ganforge.plugin.fields import LABEL, undrawn
from ganforge.printable import printable
from ganforge.storage.files import write_atomically
from ganforge.storage.run_directory import RunDirectory
from ganforge.storage.stored_format import stored_format
from ganforge.storage.tensor_header import GENERATOR, read_document

from .console import go_on_without_output, print_error, print_warning, warn_of_failures
from .counting import counted
from .grouped import GroupedCommand, option_in
from .paths import NEW_PATH, PATH
from .progress import print_line
from .sample_request import SampleRequest
from .threads import spin_briefly
from .watching import move, moving_parts, watchable

if TYPE_CHECKING:
    from torch import Tensor

    from ganforge.plugin.registry import Registry
    from ganforge.sampling.refining import Refining
    from ganforge.sampling.trained_generator import TrainedGenerator

NUM_WAYS, COLUMNS = 8, 8
ANCHORS, FRAMES = 4, 12
MOST_GRIDS, GRID_MILLISECONDS = 300, 120  # of a film of progress
FEWER = (
    "Samples are made 64 at a time; --num 16, with one --seed after another, makes fewer at once, "
    "and --device cpu makes them where there may be more memory"
)
STILL = 8  # times that its last grid comes, before it begins anew


@click.command("sample", cls=GroupedCommand)
@click.argument("source", metavar="RUN", type=PATH)
@option_in(
    "What",
    "--num",
    metavar="N",
    type=click.IntRange(1, 1_000_000),
    help="How many. [what one picture shows: 64 images, 8 per class, 1000 points]",
)
@option_in(
    "What",
    "--seed",
    metavar="N",
    default=0,
    type=click.IntRange(0, 2**63 - 1),
    help="Random seed. [0]",
)
@option_in(
    "What", "--best", is_flag=True, help="The best generator, by evaluation.best, not the last."
)
@option_in("What", "--labels", metavar="3,3,cat", help="One sample of each: numbers or names.")
@option_in(
    "What",
    "--condition",
    metavar="NAME=VALUE",
    multiple=True,
    help="What to generate for: numbers, classes or a .npy file; repeatable.",
)
@option_in(
    "What",
    "--truncation",
    metavar="T",
    type=click.FloatRange(min=0.0),
    help="Less variety, often better samples: latents, or styles, nearer to their mean.",
)
@option_in("What", "--dataset", metavar="NAME|PATH", help="What to remake. [the run's]")
@option_in(
    "By the discriminator", "--refine", metavar="NAME", help="Choose or move latents by its scores."
)
@option_in(
    "By the discriminator",
    "--set",
    "settings",
    metavar="KEY=VALUE",
    multiple=True,
    help="Such as refinement.share=0.5; repeatable.",
)
@option_in(
    "Between latents",
    "--interpolate",
    type=click.Choice(["slerp", "lerp"]),
    help="Go from latent to latent on arcs or on lines.",
)
@option_in(
    "Between latents",
    "--vary",
    metavar="PART=A..B",
    help="Move one named part of the inputs from A to B, all else held.",
)
@option_in(
    "Moving",
    "--progress",
    is_flag=True,
    help="The grids of RUN over time, from the same inputs each time.",
)
@option_in(
    "Moving",
    "--frames",
    metavar="N",
    type=click.IntRange(2, 1000),
    help=f"Samples in an interpolation [{COLUMNS}; {FRAMES} where they move], or grids. [300]",
)
@option_in(
    "Moving",
    "--milliseconds",
    metavar="N",
    type=click.IntRange(20, 10_000),
    help="Time of a frame. [80; that of the data in a video]",
)
@option_in("Where", "--out", type=NEW_PATH, help="File or directory. [samples.png in RUN]")
@option_in(
    "Where",
    "--device",
    metavar="NAME",
    default="auto",
    help="auto, cpu, cuda, cuda:N or mps. [auto]",
)
@watchable("Where")
@click.pass_obj
def command(context: dict[str, bool], /, **arguments: object) -> int:
    """Draw samples from the generator of RUN, a run directory or a generator.safetensors.

    \b
    --out grid.png      one picture; samples with classes have a row per class
    --out samples.npz   arrays: samples [N, *sample_shape], float32, and labels
    --out walk.gif      with --interpolate or --progress, moving pictures; also .apng, .mp4
    --out folder/       a file per sample: PNG of images, WAV of sound, GIF of videos

    What else there is depends on the samples: .csv, .tiff, .wav, .gif, .ply, .txt.
    """
    go_on_without_output()
    request = SampleRequest(**arguments)  # type: ignore[arg-type]
    words = request.check()
    stop = StopRequest()
    try:
        with stop.listening(), memory_explained(lambda: "while sampling", lambda: FEWER):
            return _sample(request, words, context)
    except Stopped as stopped:
        print_error(f"{stopped.state} before {printable(request.target)} was complete")
        return EXIT_CODES[stopped.state]


def _sample(request: SampleRequest, words: list[str] | None, context: dict[str, bool]) -> int:
    if request.progress:
        return _progress(request)
    discovery = discover(third_party=context["third_party"])
    warn_of_failures(discovery)
    document = read_document(request.generator, GENERATOR)
    where = printable(request.generator)
    request.check_format(stored_format(document, discovery.registry, where).spec)
    refinement = request.find_refinement(discovery.registry)
    spin_briefly()

    from ganforge.device.execution import Execution
    from ganforge.sampling.conditions import find_conditions
    from ganforge.sampling.trained_generator import open_generator, truncated

    move("the opening of the generator")
    execution = Execution.from_settings(ExecutionSettings(device=request.device))
    trained = open_generator(request.generator, discovery.registry, execution)
    trained = truncated(trained, request.truncation)
    conditions = find_conditions(trained, words, request.condition)
    refining = None
    if refinement is not None:
        from ganforge.sampling.refining import Refining
        from ganforge.sampling.trained_pair import open_pair

        run = RunDirectory.open(request.source)
        pair = open_pair(run, trained, document, discovery.registry, request.seed)
        refining = Refining(refinement, pair)
    if request.interpolate is None and request.vary is None:
        count = _samples(request, trained, conditions, discovery.registry, refining)
        what = "sample"
    else:
        count = _walk(request, trained, conditions)
        what = "interpolation" if request.vary is None else "variation"
    shown = f"{count} {what}" if count == 1 else f"{count} {what}s"
    shown += f" of {request.vary}" if request.vary is not None else ""
    print_line(f"Wrote {shown} (seed {request.seed}) to {printable(request.target)}")
    for line in refining.report() if refining is not None else ():
        print_line(f"  {line}")
    return 0


def _progress(request: SampleRequest) -> int:
    """The grids of a run as moving pictures."""
    from ganforge.pictures.moving import encode_moving
    from ganforge.pictures.over_time import frames_of
    from ganforge.runs.run import Run

    frames, num_left_out = frames_of(Run(request.source).grids, request.frames or MOST_GRIDS)
    if num_left_out:
        print_warning(f"{num_left_out} grids of another size than the last are left out")
    shown = frames + frames[-1:] * STILL
    encoded = encode_moving(shown, request.suffix, request.milliseconds or GRID_MILLISECONDS)
    with _explained(request.target):
        write_atomically(request.target, [encoded])
    print_line(f"Wrote {len(frames)} grids over time to {printable(request.target)}")
    return 0


def _samples(
    request: SampleRequest,
    trained: TrainedGenerator,
    conditions: dict[str, Tensor],
    registry: Registry,
    refining: Refining | None,
) -> int:
    from ganforge.sampling import gallery
    from ganforge.sampling.conditions import expanded, num_asked
    from ganforge.sampling.real_samples import find_real_samples

    num = request.num or num_asked(conditions)
    if num is None and LABEL in conditions:
        num = len(conditions[LABEL])
    wanted = num or gallery.usual_num(trained)
    real = None
    wanting = undrawn(trained.problem.conditions).keys() - conditions.keys()
    if trained.source.fed_with_data or wanting:
        file = request.source / "config.toml"
        real = find_real_samples(
            trained,
            registry,
            config_file=file if file.is_file() else None,
            dataset=request.dataset,
            num=num,
        )
        wanted = len(real.batch)
    elif request.dataset is not None:
        raise UsageError("--dataset: this generator makes its samples of latents, not of data")
    parts = gallery.draw_parts(
        trained,
        num=wanted,
        seed=request.seed,
        conditions=expanded(conditions, wanted),
        real=real,
        refining=refining,
    )
    with _explained(request.target), counted(moving_parts(parts), wanted) as told:
        if request.suffix:
            gallery.save_parts(trained, told, wanted, request.target, request.milliseconds)
        else:
            gallery.save_each_part(trained, told, wanted, request.target)
    return wanted


def _walk(request: SampleRequest, trained: TrainedGenerator, conditions: dict[str, Tensor]) -> int:
    from ganforge.sampling.conditions import expanded, num_asked
    from ganforge.sampling.gallery import Walk, cycled_labels
    from ganforge.sampling.interpolation import find_variation

    num = request.num or num_asked(conditions) or NUM_WAYS
    if request.labels is not None:
        num = len(conditions[LABEL])
    told = expanded(conditions, num)
    if LABEL not in told and (cycled := cycled_labels(trained, num)) is not None:
        told[LABEL] = cycled
    way = request.interpolate
    walk = Walk(
        trained=trained,
        way=find_variation(request.vary or "", trained.problem.parts) if way is None else way,
        num=num,
        seed=request.seed,
        conditions=told,
    )
    if request.suffix == ".png":
        encoded = walk.picture(request.frames or COLUMNS)
    else:
        encoded = walk.animation(
            ANCHORS, request.frames or FRAMES, request.suffix, request.milliseconds
        )
    with _explained(request.target):
        write_atomically(request.target, [encoded])
    return num


@contextmanager
def _explained(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError(f"{printable(target)} cannot be written: {error.strerror}") from error
