"""`ganforge sweep`."""

from __future__ import annotations

import shlex
import sys
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from ganforge.engine.signals import EXIT_CODES, Stopped, StopRequest
from ganforge.errors import UsageError
from ganforge.plugin.discovery import discover
from ganforge.printable import printable
from ganforge.runs.comparison import compare
from ganforge.runs.measures import directions
from ganforge.runs.run import Run
from ganforge.storage.run_directory import Lock, RunDirectory, is_locked, next_directory
from ganforge.sweeps.folder import SweepFolder, find_same, same_sweep
from ganforge.sweeps.local import LocalLauncher
from ganforge.sweeps.machine import Share, share
from ganforge.sweeps.plan import Plan, plan_grid
from ganforge.sweeps.runner import GivenRuns, Outcome, is_finished, run_all

from .compare import print_comparison
from .console import print_error, warn_of_failures
from .grouped import GroupedCommand, option_in
from .sweep_display import choose_display
from .swept_flags import axes_of, given_flags, resolver, with_flags_of_train

SWEEPS = Path("sweeps")


@click.command("sweep", cls=GroupedCommand)
@option_in("Sweep", "--name", metavar="NAME", help="Folder in sweeps/. [NNNNN-what-varies]")
@option_in("Sweep", "--resume", metavar="DIR", type=Path, help="Go on with a sweep.")
@option_in(
    "Sweep", "--jobs", metavar="N", type=click.IntRange(1), help="Runs at once. [one a core]"
)
@option_in(
    "Sweep",
    "--threads",
    metavar="N",
    type=click.IntRange(1),
    help="Threads of each run. [cores over jobs]",
)
@option_in("Sweep", "--dry-run", is_flag=True, help="Print the runs, and stop.")
@click.pass_obj
def command(
    context: dict[str, bool],
    /,
    name: str | None,
    resume: Path | None,
    jobs: int | None,
    threads: int | None,
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
    if resume is not None:
        if name is not None or given_flags(given):
            what = ", ".join(["--name"] * (name is not None) + given_flags(given))
            raise UsageError(f"--resume goes on with the sweep as it is; leave out {what}")
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
        folder = chosen_folder(plan, name)
    uses_gpu = any(config.execution.device != "cpu" for config in plan.configs)
    split = share(len(plan.runs), jobs=jobs, threads=threads, uses_gpu=uses_gpu)
    if dry_run:
        print_plan(plan, folder, split)
        return 0
    warn_of_failures(discovery)
    if resume is None:
        plan.check_available()
    flags = [] if context["third_party"] else ["--no-plugins"]
    folder.make()
    with at_work(folder):
        if resume is None:
            folder.write(plan, ["ganforge", *sys.argv[1:]], {"kind": "grid"})
        outcome = train_all(plan, folder, split, flags)
    print_results(plan, folder, outcome, directions(discovery.registry))
    return exit_code(outcome)


def chosen_folder(
    plan: Plan, name: str | None, more: Mapping[str, Any] | None = None
) -> SweepFolder:
    """The folder that is named, or in which this plan has begun, or a new one.

    Raises UsageError where the named one holds another sweep.
    """
    more = more or {"kind": "grid"}
    if name is None:
        found = find_same(SWEEPS, plan, more)
        return found or SweepFolder(next_directory(SWEEPS, "-".join(plan.axes)))
    if name != Path(name).name or name.startswith("."):
        raise UsageError(f"--name {printable(name, 60)}: must be a name of a folder in {SWEEPS}")
    folder = SweepFolder(SWEEPS / name)
    if folder.manifest.is_file() and not same_sweep(folder, plan, more):
        raise UsageError(
            f"{folder} holds another sweep, which is left as it is: go on with it by `ganforge "
            f"sweep --resume {folder}`, or choose another name"
        )
    if not folder.manifest.is_file() and folder.path.exists() and any(folder.path.iterdir()):
        raise UsageError(f"{folder} is not empty; choose another name")
    return folder


def train_all(plan: Plan, folder: SweepFolder, split: Share, flags: list[str]) -> Outcome:
    """Train the runs of a plan in a folder, side by side."""
    launcher = LocalLauncher(folder, split, flags)
    display = choose_display(folder, {run.name: steps_of(run.config) for run in plan.runs})
    names = [run.name for run in plan.runs]
    done = [name for name in names if is_finished(folder, name)]
    display.num_ended = len(done)
    click.echo(f"{introduction(plan, folder, split)}{f', {len(done)} finished' if done else ''}")
    request = StopRequest()
    try:
        with request.listening():
            return run_all(folder, GivenRuns(names), launcher, display, request)
    except Stopped as stopped:
        return Outcome(stopped=stopped.state)
    finally:
        display.close()


@contextmanager
def at_work(folder: SweepFolder) -> Iterator[None]:
    """Keep a second sweep out of the folder. Raises UsageError where one is at work."""
    directory = RunDirectory(folder.path)
    if is_locked(directory):
        raise UsageError(f"another process is at work on the sweep in {folder}")
    with Lock(directory):
        yield


def steps_of(config: str) -> int | None:
    """The steps of a run, where its settings count in steps."""
    try:
        steps = tomllib.loads(config)["training"].get("steps")
    except (ValueError, KeyError, AttributeError):
        return None
    return steps if isinstance(steps, int) else None


def introduction(plan: Plan, folder: SweepFolder, split: Share) -> str:
    threads = "1 thread" if split.threads == 1 else f"{split.threads} threads"
    gpus = f" on {len(split.gpus)} GPUs" if len(split.gpus) > 1 else ""
    return f"{len(plan.runs)} runs in {folder}, {split.jobs} at once with {threads} each{gpus}"


def print_plan(plan: Plan, folder: SweepFolder, split: Share) -> None:
    click.echo(introduction(plan, folder, split))
    for run in plan.runs:
        click.echo(f"  {run.name}")


def print_results(plan: Plan, folder: SweepFolder, outcome: Outcome, better: Any) -> None:
    """The comparison of what is finished, what failed and why, and the command to type next."""
    found = [folder.open_run(run.name) for run in plan.runs]
    runs = [run for run in found if run is not None and _has_numbers(run)]
    if len(runs) > 1 and outcome.stopped is None:
        click.echo()
        print_comparison(compare(runs, better))
    for name in outcome.named("failed"):
        print_error(f"{name} failed: {outcome.reasons.get(name, '')} ({folder.log(name)})")
    rest = len(plan.runs) - len(outcome.named("finished"))
    if rest:
        what = "1 run is" if rest == 1 else f"{rest} runs are"
        click.echo(f"{what} not finished; this goes on with the sweep:")
        click.echo(f"  ganforge sweep --resume {shlex.quote(str(folder))}")
    else:
        click.echo(f"Done. `ganforge compare {shlex.quote(str(folder))}` makes this table again.")


def _has_numbers(run: Run) -> bool:
    return run.status.state == "finished" and bool(run.metrics)


def exit_code(outcome: Outcome) -> int:
    if outcome.stopped is not None:
        return EXIT_CODES[outcome.stopped]
    return 1 if outcome.named("failed") else 0


with_flags_of_train(command)
