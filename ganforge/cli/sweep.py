"""`ganforge sweep`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click

from ganforge.errors import UsageError
from ganforge.plugin.discovery import discover
from ganforge.runs.comparison import compare
from ganforge.runs.measures import Directions, directions
from ganforge.sweeps.folder import SweepFolder
from ganforge.sweeps.plan import Plan, plan_grid

from .compare import print_comparison
from .console import warn_of_failures
from .grouped import GroupedCommand
from .sweeping import (
    How,
    chosen_folder,
    exit_code,
    print_end,
    print_plan,
    refuse_beside_resume,
    running_options,
    train_all,
    written_command,
)
from .swept_flags import axes_of, given_flags, resolver, with_flags_of_train


@click.command("sweep", cls=GroupedCommand)
@running_options("Sweep")
@click.pass_obj
def command(
    context: dict[str, bool],
    /,
    name: str | None,
    resume: Path | None,
    jobs: int | None,
    threads: int | None,
    cluster: str | None,
    parameters: tuple[str, ...],
    dry_run: bool,
    **given: Any,
) -> int:
    """Train with every combination of several values.

    \b
    ganforge sweep --loss nonsat,hinge --seed 0,1,2
    ganforge sweep --loss nonsat,nonsat+r1 --set generator.width=32,64
    ganforge sweep --config FILE    with values in its table [sweep]
    ganforge sweep --resume sweeps/00001-loss-seed

    A comma separates values, unless it stands within brackets or quotes; a plus joins losses of one
    run. All flags of train are taken. Each run is trained by a process of its own, in a directory
    of its own, and they are compared at the end. The same command again, or --resume, goes on with
    a sweep that was interrupted.
    """
    discovery = discover(third_party=context["third_party"])
    how = How(
        jobs=jobs,
        threads=threads,
        cluster=cluster,
        parameters=parameters,
        flags=() if context["third_party"] else ("--no-plugins",),
    )
    more = None
    if resume is not None:
        refuse_beside_resume(name, given_flags(given))
        folder = SweepFolder(resume)
        plan = folder.read_plan()
    else:
        axes, file = axes_of(given)
        plan = plan_grid(axes, resolver(given, file, discovery.registry))
        if len(plan.runs) == 1:
            raise UsageError(
                "this is one run, which `ganforge train` trains; a sweep has several values of a "
                "setting, such as --seed 0,1,2"
            )
        more = {"kind": "grid"}
        folder = chosen_folder(plan, name, more)
    if dry_run:
        print_plan(plan, folder, how.share(plan))
        return 0
    warn_of_failures(discovery)
    plan.check_available()
    outcome = train_all(plan, folder, how, command=written_command(), more=more)
    if outcome.stopped is None:
        print_table(plan, folder, directions(discovery.registry))
    print_end(plan, folder, outcome, "ganforge sweep")
    return exit_code(outcome)


def print_table(plan: Plan, folder: SweepFolder, better: Directions) -> None:
    """The comparison of all runs that are finished."""
    found = [folder.open_run(run.name) for run in plan.runs]
    runs = [it for it in found if it and it.status.state == "finished" and it.metrics]
    if len(runs) > 1:
        click.echo()
        print_comparison(compare(runs, better))
        click.echo(f"`ganforge compare {shlex.quote(str(folder))}` makes this table again.")


with_flags_of_train(command)
