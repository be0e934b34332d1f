"""Parts that `sweep` and `benchmark` share: where runs go, how many at once, what is said."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from ganforge.config.layers import from_settings
from ganforge.engine.signals import EXIT_CODES, Stopped, StopRequest
from ganforge.errors import UsageError
from ganforge.printable import printable
from ganforge.runs.comparison import compare
from ganforge.runs.measures import Directions
from ganforge.storage.paths import MOST_LETTERS, NAME_PATTERN, quoted
from ganforge.storage.run_directory import Lock, RunDirectory, is_locked, next_directory
from ganforge.sweeps.axes import slug
from ganforge.sweeps.cluster import CLUSTERS, ClusterLauncher
from ganforge.sweeps.folder import SweepFolder, find_same, same_sweep, setting
from ganforge.sweeps.local import Launcher, LocalLauncher
from ganforge.sweeps.machine import Share, share
from ganforge.sweeps.plan import Plan, PlannedRun
from ganforge.sweeps.runner import GivenRuns, Outcome, Supply, is_finished, run_all

from .compare import print_comparison
from .console import go_on_without_output, print_error
from .grouped import Function, option_in
from .paths import PATH
from .sweep_display import choose_display

SWEEPS = Path("sweeps")


@dataclass(frozen=True, kw_only=True)
class How:
    """Way in which the runs of a sweep are trained: so many at once, here or on a cluster."""

    jobs: int | None
    threads: int | None
    cluster: str | None
    parameters: tuple[str, ...]
    flags: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.parameters and self.cluster is None:
            raise UsageError("--job is about the jobs of a cluster; name it with --cluster")

    def share(self, plan: Plan) -> Share:
        """The share of each run of the machine; a cluster decides that itself."""
        if self.cluster is not None:
            return Share(jobs=self.jobs or plan.num_runs, threads=self.threads or 0)
        devices = {setting(run.config, "execution", "device") for run in plan.runs}
        devices |= {config.execution.device for config in plan.configs}
        return share(
            plan.num_runs, jobs=self.jobs, threads=self.threads, uses_gpu=devices != {"cpu"}
        )

    def launcher(self, folder: SweepFolder, split: Share) -> Launcher:
        """The launcher of the runs. Raises UsageError where the cluster is not there."""
        if self.cluster is None:
            return LocalLauncher(folder, split, self.flags)
        return ClusterLauncher(
            folder,
            self.cluster,
            job_parameters(self.parameters),
            slots=split.jobs,
            threads=self.threads,
            flags=self.flags,
        )


def running_options(group: str) -> Callable[[Function], Function]:
    """The options of a command that trains many runs."""
    options = [
        option_in(group, "--name", metavar="NAME", help="Folder in sweeps/. [NNNNN-what-varies]"),
        option_in(group, "--resume", metavar="DIR", type=PATH, help="Go on with a sweep."),
        option_in(
            group, "--jobs", metavar="N", type=click.IntRange(1), help="Runs at once. [one a core]"
        ),
        option_in(
            group,
            "--threads",
            metavar="N",
            type=click.IntRange(1),
            help="Threads of each run. [cores over jobs]",
        ),
        option_in(
            group,
            "--cluster",
            metavar="KIND",
            type=click.Choice(CLUSTERS),
            help="Train each run as a job: slurm; local and debug try it out here.",
        ),
        option_in(
            group,
            "--job",
            "parameters",
            metavar="KEY=VALUE",
            multiple=True,
            help="Of each job, such as slurm_partition=gpu or timeout_min=120; repeatable.",
        ),
        option_in(group, "--dry-run", is_flag=True, help="Print the runs, and stop."),
    ]

    def add(function: Function) -> Function:
        for option in reversed(options):
            function = option(function)
        return function

    return add


def refuse_beside_resume(name: str | None, flags: Sequence[str]) -> None:
    """Raise UsageError where a sweep that goes on is to be another one."""
    what = ", ".join(["--name"] * (name is not None) + [*flags])
    if what:
        raise UsageError(f"--resume goes on with the sweep as it is; leave out {what}")


def chosen_folder(
    plan: Plan, name: str | None, more: Mapping[str, Any], *, named_after: str = ""
) -> SweepFolder:
    """The folder that is named, or in which this plan has begun, or a new one.

    Raises UsageError where the named one holds another sweep.
    """
    if name is None:
        found = find_same(SWEEPS, plan, more)
        return found or SweepFolder(
            next_directory(SWEEPS, named_after or "-".join(map(slug, plan.axes)))
        )
    if not NAME_PATTERN.fullmatch(name):
        raise UsageError(
            f"--name {printable(name, 60)}: must be the name of a folder in {SWEEPS}: at most "
            f"{MOST_LETTERS} letters, digits and .-_+, the first a letter or digit"
        )
    folder = SweepFolder(SWEEPS / name)
    if folder.manifest.is_file() and not same_sweep(folder, plan, more):
        raise UsageError(
            f"{folder} holds another sweep, which is left as it is: go on with it by `ganforge "
            f"sweep --resume {quoted(folder.path)}`, or choose another name"
        )
    if not folder.manifest.is_file() and not folder.is_free:
        raise UsageError(f"{folder} is not empty; choose another name")
    return folder


def job_parameters(assignments: tuple[str, ...]) -> dict[str, Any]:
    """`--job KEY=VALUE` as parameters of submitit's executor. Raises ConfigError."""
    return {".".join(it.path): it.value for it in from_settings(assignments, "--job").entries}


def train_all(
    plan: Plan,
    folder: SweepFolder,
    how: How,
    *,
    more: Mapping[str, Any] | None,
    make_supply: Callable[[], Supply] | None = None,
) -> Outcome:
    """Train the runs of a plan in a folder, side by side; `more` is kept in the manifest.

    A sweep that goes on has none: its manifest stays as it is.
    """
    go_on_without_output()
    split = how.share(plan)
    launcher = how.launcher(folder, split)
    names = [run.name for run in plan.runs]
    folder.make()
    with at_work(folder):
        if more is not None:
            folder.write(plan, written_command(), more)
        done = [name for name in names if is_finished(folder, name)]
        finished = f", {len(done)} finished" if done else ""
        click.echo(f"{introduction(plan, folder, split)}{finished}")
        display = choose_display(folder, plan.num_runs)
        display.num_ended = len(done)
        supply = GivenRuns(names) if make_supply is None else make_supply()
        request = StopRequest()
        try:
            with request.listening():
                return run_all(folder, supply, launcher, display, request)
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


def written_command() -> list[str]:
    """The command line of this process, for the manifest to tell people."""
    return ["ganforge", *sys.argv[1:]]


def introduction(plan: Plan, folder: SweepFolder, split: Share) -> str:
    each = f" with {split.threads} thread{'s' if split.threads > 1 else ''} each"
    gpus = f" on {len(split.gpus)} GPUs" if len(split.gpus) > 1 else ""
    at_once = f"{split.jobs} at once{each if split.threads else ''}{gpus}"
    runs = "1 run" if plan.num_runs == 1 else f"{plan.num_runs} runs"
    return f"{runs} in {folder}, {at_once}"


def print_plan(plan: Plan, folder: SweepFolder, split: Share) -> None:
    click.echo(introduction(plan, folder, split))
    for run in plan.runs:
        click.echo(f"  {run.name}")


def print_table(
    runs: Sequence[PlannedRun],
    folder: SweepFolder,
    better: Directions,
    metrics: Sequence[str] = (),
) -> None:
    """The comparison of all runs that are finished, by all metrics unless some are named."""
    found = [folder.open_run(run.name) for run in runs]
    finished = [it for it in found if it and it.status.state == "finished" and it.metrics]
    if len(finished) > 1:
        click.echo()
        print_comparison(compare(finished, better, metrics=metrics))
        click.echo(f"`ganforge compare {quoted(folder.path)}` makes this table again.")


def print_end(plan: Plan, folder: SweepFolder, outcome: Outcome, command: str) -> None:
    """Tell what failed and why, and how to go on: `command` is the one that does."""
    failed = outcome.named("failed")
    for name in [run.name for run in plan.runs if run.name in failed]:
        print_error(f"{name} failed: {outcome.reasons.get(name, '')} ({folder.log(name)})")
    rest = plan.num_runs - len(outcome.named("finished"))
    if rest:
        what = "1 run is" if rest == 1 else f"{rest} runs are"
        click.echo(f"{what} not finished; this goes on with the sweep:")
        click.echo(f"  {command} --resume {quoted(folder.path)}")


def exit_code(outcome: Outcome) -> int:
    if outcome.stopped is not None:
        return EXIT_CODES[outcome.stopped]
    return 1 if outcome.named("failed") else 0
