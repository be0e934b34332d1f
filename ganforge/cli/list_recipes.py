"""`ganforge list-recipes`."""

from __future__ import annotations

import json

import click

from ganforge.plugin.base_specs import Spec
from ganforge.plugin.discovery import discover
from ganforge.plugin.registry import Component, Registry
from ganforge.plugin.specs import RecipeSpec
from ganforge.printable import printable

from .console import stdout, warn_of_failures


@click.command("list-recipes")
@click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else.")
@click.pass_obj
def command(settings: dict[str, bool], as_json: bool) -> None:
    """List the recipes: configurations with a result to expect, ready to be trained."""
    discovery = discover(third_party=settings["third_party"])
    registry = discovery.registry
    recipes = registry.of_kind("recipe")
    if as_json:
        click.echo(json.dumps([_record(recipe, registry) for recipe in recipes], indent=2))
        return
    warn_of_failures(discovery)
    if not recipes:
        click.echo("No plugin has a recipe.")
        return
    _print_table(recipes, registry)
    click.echo(
        "\n`ganforge train --recipe NAME` runs one, `ganforge show NAME` says what to expect of it."
        "\nCPU is the time that the whole run takes on one core, where it was measured."
    )


def cost(cpu_seconds: int | None) -> str:
    """The time that a recipe takes on one core, for people: `35 s`, `9 min`, `5 h`."""
    if cpu_seconds is None:
        return ""
    for limit, size, unit in ((100, 1, "s"), (100 * 60, 60, "min")):
        if cpu_seconds < limit:
            return f"{round(cpu_seconds / size)} {unit}"
    return f"{round(cpu_seconds / 3600)} h"


def _record(recipe: Component[Spec], registry: Registry) -> dict[str, str | int | None]:
    assert isinstance(recipe.spec, RecipeSpec)
    return {
        "name": registry.short_name(recipe),
        "qualified_name": recipe.qualified_name,
        "summary": recipe.spec.summary,
        "source": recipe.spec.source,
        "cpu_seconds": recipe.spec.cpu_seconds,
        "package": recipe.plugin.package,
        "version": recipe.plugin.version,
    }


def _print_table(recipes: list[Component[Spec]], registry: Registry) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Recipe", no_wrap=True)
    table.add_column("CPU", no_wrap=True, justify="right")
    for heading in ("Summary", "Source"):
        table.add_column(heading)
    strangers = any(not recipe.plugin.bundled for recipe in recipes)
    if strangers:
        table.add_column("Package")
    for recipe in recipes:
        record = _record(recipe, registry)
        assert isinstance(recipe.spec, RecipeSpec)
        cells = [str(record["name"]), cost(recipe.spec.cpu_seconds)]
        cells += [printable(record["summary"]), printable(record["source"])]
        if strangers:
            cells.append("" if recipe.plugin.bundled else recipe.origin)
        table.add_row(*map(Text, cells))
    stdout().print(table)
