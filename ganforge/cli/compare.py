"""`ganforge compare`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ganforge.errors import UsageError
from ganforge.plugin.discovery import discover
from ganforge.runs.comparison import Comparison, Which, compare
from ganforge.runs.measures import directions
from ganforge.runs.rendering import FORMATS, PLUS_MINUS, header, legend, row
from ganforge.runs.run import Run
from ganforge.runs.table import find_runs

from .console import stdout
from .paths import PATH

if TYPE_CHECKING:
    from rich.table import Table


@click.command("compare")
@click.argument("paths", metavar="RUN...", type=PATH, nargs=-1, required=True)
@click.option(
    "--metric", "metrics", metavar="NAME", multiple=True, help="Compare this; repeatable. [all]"
)
@click.option(
    "--value",
    "which",
    type=click.Choice(["last", "best"]),
    default="last",
    show_default=True,
    help="The value of each run that counts.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["terminal", *FORMATS]),
    default="terminal",
    show_default=True,
    help="Form of the result.",
)
@click.pass_obj
def command(
    settings: dict[str, bool],
    paths: tuple[Path, ...],
    metrics: tuple[str, ...],
    which: Which,
    form: str,
) -> None:
    """Compare runs: the settings that differ, and their metrics.

    A folder stands for all runs in it. Runs that differ in their seed alone are one row, with mean
    and standard deviation. A run that has not come as far as the others of its row is left out of
    it and named, and so is one without a metric.
    """
    better = directions(discover(third_party=settings["third_party"]).registry)
    comparison = compare(_runs(paths), better, metrics=metrics, which=which)
    if form in FORMATS:
        click.echo(FORMATS[form](comparison), nl=False)
    else:
        print_comparison(comparison)


def _runs(paths: tuple[Path, ...]) -> list[Run]:
    """The runs that are named, each once, and those in the folders that are."""
    found: dict[Path, Run] = {}
    for path in paths:
        runs, _ = find_runs(path)
        if not runs:
            Run(path)  # says that it is none
        found |= {run.path.resolve(): run for run in runs}
    if len(found) == 1:
        raise UsageError("one run is nothing to compare; name another, or a folder that holds some")
    return [*found.values()]


def print_comparison(comparison: Comparison) -> None:
    """The comparison as tables that fit the terminal, one below the other where need be."""
    from rich.text import Text

    plus_minus = PLUS_MINUS if _can_show(PLUS_MINUS) else "+-"
    headings = header(comparison)
    rows = [row(comparison, group, plus_minus) for group in comparison.groups]
    for number, columns in enumerate(_blocks(comparison, headings, rows)):
        if number:
            click.echo()
        stdout().print(_table(comparison, headings, rows, columns))
    for line in legend(comparison):
        stdout().print(Text(line.replace(PLUS_MINUS, plus_minus), style="dim"))


def _blocks(comparison: Comparison, headings: list[str], rows: list[list[str]]) -> list[list[int]]:
    """The columns of each table, as many as fit; the settings that differ stand in all of them."""
    widths = [max(len(line[it]) for line in (headings, *rows)) for it in range(len(headings))]
    first = len(comparison.keys)
    room = stdout().width - sum(widths[:first]) - 2 * first
    blocks: list[list[int]] = [[]]
    left = room
    for column in range(first, len(headings)):
        if blocks[-1] and widths[column] + 2 > left:
            blocks.append([])
            left = room
        blocks[-1].append(column)
        left -= widths[column] + 2
    return [[*range(first), *block] for block in blocks]


def _table(
    comparison: Comparison, headings: list[str], rows: list[list[str]], columns: list[int]
) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        is_setting = column < len(comparison.keys)
        table.add_column(
            Text(headings[column]),
            justify="left" if is_setting else "right",
            overflow="fold",
            no_wrap=not is_setting,
        )
    for cells in rows:
        table.add_row(*(Text(cells[it]) for it in columns))
    return table


def _can_show(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
