"""`ganforge evaluate`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ganforge.config.layers import from_settings
from ganforge.device.memory import memory_explained
from ganforge.engine.signals import EXIT_CODES, Stopped, StopRequest
from ganforge.evaluation.plan import NUM_SAMPLES, Request, make_plan
from ganforge.plugin.discovery import discover

from .console import print_error, warn_of_failures
from .grouped import GroupedCommand, option_in
from .paths import PATH
from .scores import print_scores
from .threads import spin_briefly
from .watching import move, moving, watchable

if TYPE_CHECKING:
    from ganforge.measuring.streams import Progress


FEWER = "Fewer samples need less: --num; so do other metrics, and --device cpu may have more memory"


@click.command("evaluate", cls=GroupedCommand)
@click.argument("path", metavar="PATH", type=PATH)
@option_in("With what", "--dataset", metavar="NAME|PATH", help="Real samples. [the run's]")
@option_in(
    "With what",
    "--split",
    type=click.Choice(["held-out", "training"]),
    help="Which real samples. [held-out, where there are some]",
)
@option_in(
    "How", "--metric", metavar="NAME", multiple=True, help="Measure this; repeatable. [what suits]"
)
@option_in(
    "How",
    "--features",
    metavar="NAME",
    multiple=True,
    help="Extractor that metrics look through; repeatable. [what suits]",
)
@option_in(
    "How",
    "--num",
    metavar="N",
    default=NUM_SAMPLES,
    type=click.IntRange(1, 10_000_000),
    help=f"Samples of each kind, as far as there are. [{NUM_SAMPLES}]",
)
@option_in(
    "How",
    "--seed",
    metavar="N",
    default=0,
    type=click.IntRange(0, 2**63 - 1),
    help="Random seed of the samples. [0]",
)
@option_in(
    "How",
    "--truncation",
    metavar="T",
    type=click.FloatRange(min=0.0),
    help="Less variety, as in `ganforge sample`.",
)
@option_in("How", "--best", is_flag=True, help="The best generator of a run, not the last.")
@option_in("How", "--device", metavar="NAME", help="auto, cpu, cuda, cuda:N or mps. [the run's]")
@option_in(
    "How",
    "--set",
    "settings",
    metavar="KEY=VALUE",
    multiple=True,
    help="An option of data, metrics or extractors, such as metric.kl.k=3; repeatable.",
)
@option_in("Output", "--json", "as_json", is_flag=True, help="Print JSON.")
@watchable("Output")
@click.pass_obj
def command(
    context: dict[str, bool],
    /,
    path: Path,
    dataset: str | None,
    split: str | None,
    metric: tuple[str, ...],
    features: tuple[str, ...],
    num: int,
    seed: int,
    truncation: float | None,
    best: bool,
    device: str | None,
    settings: tuple[str, ...],
    as_json: bool,
) -> int:
    """Measure how good samples are: each score, and beside it its floor.

    \b
    PATH is a run directory, or with --dataset
      a generator.safetensors, an .npz file of `ganforge sample`,
      or a folder or zip of samples, of whatever made them

    The floor is the same number for real samples against real ones. What is extracted is cached, so
    that a killed evaluation goes on where it was.
    """
    request = Request(
        path=path,
        dataset=dataset,
        metrics=metric,
        features=features,
        num=num,
        split=split,  # type: ignore[arg-type]
        seed=seed,
        truncation=truncation,
        best=best,
        device=device,
        settings=from_settings(settings),
    )
    stop = StopRequest()
    try:
        with stop.listening(), memory_explained(lambda: "while evaluating", lambda: FEWER):
            _evaluate(request, context, as_json=as_json)
    except Stopped as stopped:
        print_error(f"{stopped.state}; what was extracted is cached, and need not be again")
        return EXIT_CODES[stopped.state]
    return 0


def _evaluate(request: Request, context: dict[str, bool], *, as_json: bool) -> None:
    discovery = discover(third_party=context["third_party"])
    plan = make_plan(request, discovery.registry)
    warn_of_failures(discovery)
    plan.check_available()
    spin_briefly()

    from ganforge.evaluation.evaluate import carry_out

    move("the opening of both sides")
    with shown_progress() as progress:
        found = carry_out(plan, discovery.registry, moving(progress))
    if as_json:
        click.echo(json.dumps(found.document(), indent=2))
    else:
        print_scores(found)


@contextmanager
def shown_progress() -> Iterator[Progress]:
    """A bar on standard error for each thing that is read, where that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda what, done, total: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TaskID,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True, markup=False, highlight=False, emoji=False)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, expand=True) as bars:
        tasks: dict[str, TaskID] = {}

        def progress(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done, visible=done < total)

        yield progress
