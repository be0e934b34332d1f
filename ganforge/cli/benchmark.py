"""`ganforge benchmark`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from ganforge.config.recipes import recipe_layer
from ganforge.config.resolve import resolve
from ganforge.config.run_config import RunConfig
from ganforge.errors import GanforgeError, UsageError
from ganforge.plugin.discovery import discover
from ganforge.plugin.registry import Registry
from ganforge.printable import printable
from ganforge.runs.comparison import compare
from ganforge.runs.run import Run
from ganforge.runs.settings import ABSENT, shown
from ganforge.storage.files import write_text
from ganforge.sweeps.axes import Axis, Value, flag_axis
from ganforge.sweeps.folder import SweepFolder
from ganforge.sweeps.modes import PROTOCOLS, Entry, Protocol, entries, leaderboard, protocol_of
from ganforge.sweeps.plan import Plan, plan_grid

from .console import print_warning, stdout, warn_of_failures
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
)
from .swept_flags import axes_of, forms, given_flags, resolver, with_flags_of_train

SEEDS = "0,1,2"
LEADERBOARD = "leaderboard.json"


@click.group("benchmark")
def command() -> None:
    """Measure configurations under published protocols."""


@command.command("modes", cls=GroupedCommand)
@running_options("Benchmark")
@click.pass_obj
def modes(
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
    """Count modes: a ring of 8, a grid of 25, and 1,000 stacked digits.

    \b
    ganforge benchmark modes                      all recipes that there are for them, seeds 0,1,2
    ganforge benchmark modes --recipe ring --loss rpgan+r1+r2,nonsat+r1
    ganforge benchmark modes --dataset grid --generator mlp --latent-size 2 --seed 0,1,2,3,4

    The protocols are those of VEEGAN and PacGAN; rows of their papers stand beside the results.
    It is a sweep: flags take several values as there, and it goes on where it was left. The results
    are in leaderboard.json in its folder.
    """
    discovery = discover(third_party=context["third_party"])
    registry = discovery.registry
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
        plan = _plan(given, registry)
        more = {"kind": "modes"}
        folder = chosen_folder(plan, name or None, more)
    if dry_run:
        for dataset in _datasets(plan):
            _print_protocol(PROTOCOLS[dataset])
        print_plan(plan, folder, how.share(plan))
        return 0
    warn_of_failures(discovery)
    plan.check_available()
    outcome = train_all(plan, folder, how, more=more)
    if outcome.stopped is None:
        _print_results(plan, folder)
    print_end(plan, folder, outcome, "ganforge benchmark modes")
    return exit_code(outcome)


def _plan(given: Mapping[str, Any], registry: Registry) -> Plan:
    """The sweep of the flags, each run with the metric of the protocol that is its data's."""
    axes, file = axes_of(given)
    names = {axis.name for axis in axes}
    for name in sorted(names):
        if name == "metric" or name.startswith(("metric.", "evaluation.num_samples")):
            raise UsageError(f"the protocols say what is measured; leave out {name}")
    if file is None and not names & {"recipe", "dataset", "config", "dataset.name"}:
        axes.insert(0, _usual(registry))
    if not names & {"seed", "training.seed"}:
        axes.append(flag_axis(forms()["seed"], SEEDS))
    as_given = resolver(given, file, registry)

    def measured(arguments: Sequence[str]) -> RunConfig:
        protocol = protocol_of(as_given(arguments))
        return as_given([*arguments, *protocol.arguments])

    return _available(plan_grid(axes, measured), named=bool(names & {"recipe", "dataset"}))


def _usual(registry: Registry) -> Axis:
    """The recipes whose data set has a protocol; for a protocol without one, what train does."""
    found: list[Value] = []
    covered = set()
    for recipe in registry.of_kind("recipe"):
        try:
            dataset = resolve([recipe_layer(recipe)], registry).dataset.component
        except GanforgeError:
            continue  # one that needs to be told more
        if dataset.plugin.bundled and dataset.name in PROTOCOLS:
            name = registry.short_name(recipe)
            found.append(Value(text=name, arguments=("--recipe", name)))
            covered.add(dataset.name)
    for name in PROTOCOLS:
        if name not in covered:
            found.append(Value(text=name, arguments=("--dataset", name)))
    return Axis(name="recipe", values=tuple(found))


def _available(plan: Plan, named: bool) -> Plan:
    """The plan without runs whose data is not there, unless somebody has asked for these."""
    if named:
        return plan
    kept: list[int] = []
    absent: dict[str, str] = {}
    for position, config in enumerate(plan.configs):
        try:
            config.dataset.check_available()
            kept.append(position)
        except GanforgeError as error:
            absent[config.dataset.component.name] = str(error)
    for dataset, why in absent.items():
        print_warning(f"{dataset} is left out; `--dataset {dataset}` measures it alone: {why}")
    if not kept:
        raise UsageError("there is no data for any of the protocols")
    return Plan(
        axes=plan.axes,
        runs=tuple(plan.runs[it] for it in kept),
        configs=tuple(plan.configs[it] for it in kept),
    )


def _dataset_of(run: Run) -> str:
    return (*run.components("dataset"), "")[0]


def _datasets(plan: Plan) -> list[str]:
    return [*dict.fromkeys(config.dataset.component.name for config in plan.configs)]


def _print_results(plan: Plan, folder: SweepFolder) -> None:
    """A table for each protocol, and the leaderboard as a file."""
    runs: dict[str, list[tuple[Run, Mapping[str, str]]]] = {}
    for planned in plan.runs:
        run = folder.open_run(planned.name)
        if run is not None and run.status.state == "finished":
            runs.setdefault(_dataset_of(run), []).append((run, planned.values))
    found: dict[str, tuple[Protocol, Sequence[Entry]]] = {}
    for dataset, members in runs.items():
        protocol = PROTOCOLS[dataset]
        comparison = compare([run for run, _ in members], lambda name: None)
        names = [_entry_name(members[group.runs[0]][1], dataset) for group in comparison.groups]
        found[dataset] = protocol, entries(protocol, comparison, names)
        click.echo()
        _print_protocol(protocol)
        _print_entries(*found[dataset])
        for note in comparison.notes:
            click.echo(note)
    if found:
        write_text(folder.path / LEADERBOARD, leaderboard(found))
        click.echo(f"\nThe leaderboard is {printable(folder.path / LEADERBOARD)}")


def _entry_name(values: Mapping[str, str], dataset: str) -> str:
    """Name that tells a row from others: the values of the axes, but for the seed and the data."""
    told = [value for label, value in values.items() if label not in ("seed", "dataset")]
    return printable(" ".join(told) or dataset, 60)


def _print_protocol(protocol: Protocol) -> None:
    from rich.text import Text

    console = stdout()
    console.print(Text(f"{protocol.title}: {protocol.geometry}", style="bold"))
    console.print(Text(f"{protocol.num_samples:,} samples; {protocol.rule}.", style="dim"))


def _print_entries(protocol: Protocol, rows: Sequence[Entry]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("", overflow="fold")
    for heading in ("n", *(it.replace("_", " ") for it in protocol.columns), "CPU s"):
        table.add_column(heading, justify="right")
    for row in rows:
        cpu = shown(ABSENT) if row.cpu.mean is None else f"{row.cpu.mean:,.0f}"
        numbers = [row.shown(column) for column in protocol.columns]
        table.add_row(Text(row.name), str(len(row.runs)), *numbers, cpu)
    table.add_row(
        Text("real samples", style="dim"),
        "",
        *(Text(protocol.real.get(it, "-"), style="dim") for it in protocol.columns),
    )
    for paper in protocol.published:
        table.add_row(
            Text(f"{paper.method} ({paper.source})", style="dim"),
            "",
            *(Text(paper.numbers.get(it, "-"), style="dim") for it in protocol.columns),
        )
    stdout().print(table)


with_flags_of_train(modes)
