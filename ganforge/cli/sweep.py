"""`ganforge sweep`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ganforge.errors import UsageError
from ganforge.plugin.discovery import discover
from ganforge.runs.measures import directions
from ganforge.sweeps.folder import SweepFolder
from ganforge.sweeps.plan import plan_grid

from .console import warn_of_failures
from .grouped import GroupedCommand, option_in
from .searching import Wanted, arguments_of_search, search
from .sweeping import (
    How,
    chosen_folder,
    exit_code,
    print_end,
    print_plan,
    print_table,
    refuse_beside_resume,
    running_options,
    train_all,
)
from .swept_flags import axes_of, given_flags, parsed, resolver, with_flags_of_train


class SweepCommand(GroupedCommand):
    """Keeps its arguments as they were given: a search that goes on is told them again."""

    def parse_args(self, context: click.Context, arguments: list[str]) -> list[str]:
        context.meta[ARGUMENTS] = [*arguments]
        return super().parse_args(context, arguments)


ARGUMENTS = "ganforge.arguments"


@click.command("sweep", cls=SweepCommand)
@running_options("Sweep")
@option_in(
    "Search",
    "--search",
    "space",
    metavar="KEY=RANGE",
    multiple=True,
    help="Search this: generator.width=16..64, learning-rate=1e-5..1e-2:log; repeatable.",
)
@option_in("Search", "--trials", metavar="N", type=click.IntRange(1), help="Settings to try.")
@option_in("Search", "--objective", metavar="NAME", help="The metric that is to be best.")
@click.pass_context
def command(
    context: click.Context,
    /,
    name: str | None,
    resume: Path | None,
    jobs: int | None,
    threads: int | None,
    cluster: str | None,
    parameters: tuple[str, ...],
    dry_run: bool,
    space: tuple[str, ...],
    trials: int | None,
    objective: str | None,
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
    third_party = context.obj["third_party"]
    discovery = discover(third_party=third_party)
    how = How(
        jobs=jobs,
        threads=threads,
        cluster=cluster,
        parameters=parameters,
        flags=() if third_party else ("--no-plugins",),
    )
    wanted = Wanted(space=space, trials=trials, objective=objective)
    if resume is not None:
        refuse_beside_resume(name, [*wanted.flags, *given_flags(given)])
        folder = SweepFolder(resume)
        stored = arguments_of_search(folder)
        if stored is not None:
            again = parsed(command, stored).params
            wanted = Wanted(**{key: again[key] for key in ("space", "trials", "objective")})
            return search(wanted, again, discovery, how, folder=folder, dry_run=dry_run)
        plan, more = folder.read_plan(), None
    elif wanted.flags:
        return search(
            wanted,
            given,
            discovery,
            how,
            name=name,
            arguments=context.meta[ARGUMENTS],
            dry_run=dry_run,
        )
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
    outcome = train_all(plan, folder, how, more=more)
    if outcome.stopped is None:
        print_table(plan.runs, folder, directions(discovery.registry))
    print_end(plan, folder, outcome, "ganforge sweep")
    return exit_code(outcome)


with_flags_of_train(command)
