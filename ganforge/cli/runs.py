"""`ganforge runs`."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from ganforge.errors import UsageError, listed
from ganforge.plugin.discovery import discover
from ganforge.printable import printable, size_in_words
from ganforge.runs.measures import Measured, directions, short
from ganforge.runs.removal import check_removable, remove
from ganforge.runs.sizes import size_of
from ganforge.runs.table import FOREIGN, ORDERS, SWEEP, Row, RunsTable, table_of
from ganforge.storage.paths import quoted

from .console import go_on_without_output, stdout
from .paths import PATH

STYLES = {"running": "green", "failed": "red", "lost": "yellow", "unknown": "yellow"}
FOLDER = Path("runs")


class _RunsGroup(click.Group):
    """`ganforge runs FOLDER` is `ganforge runs list FOLDER`."""

    def parse_args(self, context: click.Context, arguments: list[str]) -> list[str]:
        if not arguments or arguments[0] not in {*self.commands, *context.help_option_names}:
            arguments = ["list", *arguments]
        return super().parse_args(context, arguments)


@click.group("runs", cls=_RunsGroup)
def command() -> None:
    """List the runs of a folder, or remove some.

    \b
    ganforge runs                     the runs in runs/
    ganforge runs sweeps/loss         those of another folder
    ganforge runs --sort metric       the best first; see `ganforge runs list --help`
    ganforge runs remove runs/00003-dcgan-nonsat-digits
    """


@command.command("list")
@click.argument("folder", type=PATH, required=False)
@click.option("--metric", metavar="NAME", help="Show this metric. [each run's first]")
@click.option(
    "--sort",
    "order",
    type=click.Choice(ORDERS),
    default="name",
    show_default=True,
    help="Order; age, size and metric show the newest, largest and best first.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else.")
@click.pass_obj
def list_command(
    settings: dict[str, bool], folder: Path | None, metric: str | None, order: str, as_json: bool
) -> None:
    """List the runs of a folder: state, steps, age, size and best metric.

    The age is the time since a run last wrote something. A metric that says which direction is
    better has its best value, another one its last. A run is `lost` where its process is gone
    without a word; `ganforge train --resume RUN` goes on with it.
    """
    if folder is None and not FOLDER.exists():
        nothing = json.dumps({"runs": [], "others": {}})
        click.echo(nothing if as_json else "No runs here yet; `ganforge train` makes one.")
        return
    better = directions(discover(third_party=settings["third_party"]).registry)
    table = table_of(folder or FOLDER, better, metric=metric, order=order)
    if as_json:
        found = {"runs": [*map(_record, table.rows)], "others": table.others}
        click.echo(json.dumps(found, indent=2))
        return
    if table.rows:
        _print_table(table)
    else:
        click.echo(f"There are no runs in {printable(folder or FOLDER)}.")
    _print_others(table, folder or FOLDER)


@command.command("remove")
@click.argument("paths", metavar="RUN...", type=PATH, nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove_command(paths: tuple[Path, ...], yes: bool) -> None:
    """Remove runs: all that training has written there, and nothing else.

    Files that are not a run's own stay where they are, and are named. A run that is being trained
    is left alone.
    """
    go_on_without_output()
    runs = check_removable(paths)
    if not yes:
        for run in runs:
            size = size_in_words(size_of(run.path))
            click.echo(f"  {run.directory}  step {run.status.step:,}, {size}")
        what = "this run" if len(runs) == 1 else f"these {len(runs)} runs"
        if not _confirmed(f"Remove {what} for good?"):
            click.echo("Nothing was removed.")
            return
    for run in runs:
        left = remove(run)
        click.echo(f"Removed {run.directory}")
        if left:
            more = f" and {len(left) - 5} more" if len(left) > 5 else ""
            click.echo(f"  left there, as no run wrote it: {', '.join(left[:5])}{more}")


def _confirmed(question: str) -> bool:
    try:
        return click.confirm(question)
    except click.Abort as error:
        if sys.stdin.isatty():
            raise  # Ctrl-C
        raise UsageError(f"{question} Nobody answered; --yes answers it") from error


def _record(row: Row) -> dict[str, Any]:
    generator, losses, dataset = row.made_of
    found: dict[str, Any] = {
        "name": row.run.name,
        "path": str(row.run.path),
        "state": row.state,
        "detail": row.detail,
        "step": row.step,
        "steps": row.num_steps,
        "written": row.written,
        "bytes": row.size,
        "generator": generator,
        "loss": losses,
        "dataset": dataset,
        "metric": None,
    }
    if (measured := row.measured) is not None:
        found["metric"] = {
            "name": measured.name,
            "value": measured.value,
            "step": measured.step,
            "better": measured.better,
        }
    return found


def _print_table(table: RunsTable) -> None:
    from rich.table import Table
    from rich.text import Text

    now = time.time()
    shown = Table(box=None, pad_edge=False, header_style="bold")
    shown.add_column("Run", overflow="fold")
    shown.add_column("State", no_wrap=True)
    for heading in ("Step", "Age", "Size"):
        shown.add_column(heading, justify="right", no_wrap=True)
    shown.add_column("Metric", overflow="fold")
    for row in table.rows:
        shown.add_row(
            _named(row),
            Text(row.state, style=STYLES.get(row.state, "")),
            f"{row.step:,}/{row.num_steps:,}" if row.num_steps else f"{row.step:,}",
            _age(now - row.written),
            size_in_words(row.size),
            Text(_measured(row.measured)),
        )
    stdout().print(shown)


def _named(row: Row) -> Any:
    """The name of a run, and below it what it is made of where the name does not say so."""
    from rich.text import Text

    name = Text(row.run.name)
    if row.run.name.partition("-")[2] == "-".join(row.made_of):
        return name
    return name + Text("\n" + " ".join(it for it in row.made_of if it), style="dim")


def _print_others(table: RunsTable, folder: Path) -> None:
    for name, why in table.others.items():
        if why not in (FOREIGN, SWEEP):
            click.echo(f"{name} is damaged: {why}")
    sweeps = [name for name, why in table.others.items() if why == SWEEP]
    foreign = [name for name, why in table.others.items() if why == FOREIGN]
    if sweeps:
        click.echo(
            f"Sweeps: {_few(sweeps)} (`ganforge runs {quoted(folder / sweeps[0])}` lists the "
            "runs of one)"
        )
    if foreign:
        click.echo(f"No runs: {_few(foreign)}")


def _few(names: Sequence[str]) -> str:
    more = len(names) - 5
    return listed([*names[:5], f"{more} more"] if more > 0 else names)


def _measured(measured: Measured | None) -> str:
    if measured is None:
        return "-"
    which = "" if measured.better else " (last)"
    return f"{short(measured.name)} {measured.value:.4g}{which}"


def _age(seconds: float) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"
