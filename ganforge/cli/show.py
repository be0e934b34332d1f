"""`ganforge show`."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import click

from ganforge.config.recipes import read_recipe
from ganforge.config.run_config import sections_of
from ganforge.config.toml import inline
from ganforge.errors import did_you_mean, listed
from ganforge.plugin.base_specs import ComponentSpec, Spec
from ganforge.plugin.discovery import Discovered, Discovery, discover
from ganforge.plugin.options import describe, to_toml
from ganforge.plugin.registry import Component, Registry
from ganforge.plugin.specs import KINDS, FormatSpec, GameSpec, RecipeSpec, RefinementSpec
from ganforge.printable import printable
from ganforge.templates import KINDS as TEMPLATES

from .capabilities import capabilities, label
from .console import stdout
from .list_plugins import load_time, plugin_record
from .sides import DRAWN, facts, quantities, variants

if TYPE_CHECKING:
    from rich.table import Table


@click.command("show")
@click.argument("name")
@click.option("--kind", type=click.Choice(KINDS), help="Where several kinds have this name.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else.")
@click.pass_obj
def command(settings: dict[str, bool], name: str, kind: str | None, as_json: bool) -> None:
    """Describe the component, the recipe or the package NAME.

    A component is shown with its options and where it comes from, a package with its plugins, their
    state and their components.
    """
    discovery = discover(third_party=settings["third_party"])
    components, plugins = _named(discovery, name, kind)
    if as_json:
        records = [_record(component) for component in components]
        records += [_package_record(plugins, discovery)] if plugins else []
        click.echo(json.dumps(records, indent=2))
        return
    for number, component in enumerate(components):
        if number:
            stdout().print()
        _print(component, discovery.registry)
    if components and plugins:
        stdout().print()
    if plugins:
        _print_package(_package_record(plugins, discovery))


def _named(
    discovery: Discovery, name: str, kind: str | None
) -> tuple[list[Component[Spec]], list[Discovered]]:
    """The components of this name, and the plugins of the package of this name.

    Where there are neither, the plugin of this name. Raises UsageError where nothing is called so.
    """
    registry = discovery.registry
    if kind is not None:
        return [registry.find(kind, name)], []
    components = [c for c in registry if name in (c.name, c.qualified_name)]
    plugins = [found for found in discovery.plugins if found.plugin.package == name]
    if not components and not plugins:
        plugins = [found for found in discovery.plugins if found.plugin.name == name][:1]
    if not components and not plugins:
        known = [component.name for component in registry]
        near = did_you_mean(name, [*known, *(it.plugin.package for it in discovery.plugins)])
        raise registry.not_found(
            f"there is no component or package called {printable(name)!r}"
            f"{near or '; `ganforge list-plugins` lists them'}"
        )
    return components, plugins


def _package_record(plugins: list[Discovered], discovery: Discovery) -> dict[str, Any]:
    """The plugins of one package as JSON."""
    return {
        "kind": "package",
        "name": plugins[0].plugin.package,
        "version": plugins[0].plugin.version,
        "plugins": [plugin_record(found, discovery) for found in plugins],
    }


def _record(component: Component[Spec]) -> dict[str, Any]:
    spec = component.spec
    record: dict[str, Any] = {
        "kind": component.kind,
        "name": component.name,
        "qualified_name": component.qualified_name,
        "summary": spec.summary,
        "package": component.plugin.package,
        "version": component.plugin.version,
        "capabilities": capabilities(component),
    }
    if isinstance(spec, GameSpec):
        record["sides"] = facts(component)
        record["pairs"] = [dataclasses.asdict(it) for it in variants(component)]
        record["quantities"] = quantities(component)
    if isinstance(spec, RecipeSpec):
        record["recipe"] = read_recipe(component)
    if isinstance(spec, ComponentSpec):
        record["build"] = spec.build
        record["options"] = [
            {
                "name": field.name,
                "type": field.type_name,
                "required": field.required,
                "default": None if field.required else to_toml(field.default),
                "allowed": field.allowed,
                "scheduled": field.scheduled,
                "mutable": field.mutable,
                "help": field.help,
            }
            for field in describe(spec.options)
        ]
    return record


def _print(component: Component[Spec], registry: Registry) -> None:
    from rich.table import Table
    from rich.text import Text

    record = _record(component)
    console = stdout()
    console.print(Text(f"{component.kind} {registry.short_name(component)}", style="bold"))
    console.print(Text(printable(record["summary"])))
    lines = {"package": component.origin, "full name": record["qualified_name"]}
    lines["chosen by"] = _chosen_by(component, registry.short_name(component))
    lines |= record.get("sides", {})
    for field, words in record["capabilities"].items():
        if "sides" not in record or field not in DRAWN:
            lines[label(component.kind, field)] = words
    table = Table(box=None, show_header=False, pad_edge=False)
    for key, value in lines.items():
        table.add_row(key, Text("\n".join(map(printable, value.splitlines()))))
    console.print(table)
    if "sides" in record:
        _print_game(record)
    if "recipe" in record:
        console.print()
        _print_recipe(record["recipe"])
        return
    if not record["options"]:
        console.print("It has no options.")
        return
    section, *others = sections_of(component.kind, component.name)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Option", no_wrap=True)
    for heading in ("Type", "Default", "Help"):
        table.add_column(heading)
    for option in record["options"]:
        value = "unset" if option["default"] is None else inline(option["default"])
        default = "required" if option["required"] else value
        text = printable(option["help"])
        text += f" ({option['allowed']})" if option["allowed"] else ""
        table.add_row(f"{section}.{option['name']}", option["type"], default, Text(text))
    console.print(table)
    for other in others:
        console.print(f"{other} has the same keys.")


def _chosen_by(component: Component[Spec], name: str) -> str:
    """The flags that choose it for a run, or the field of a data set that does."""
    if isinstance(component.spec, FormatSpec):
        alike = component.plugin.bundled and name in component.spec.kinds
        named = f"a field of a data set with format = {name}"
        return f"{named}, or of this kind with none" if alike else named
    if isinstance(component.spec, RefinementSpec):
        return f"ganforge sample RUN --refine {name}"
    return TEMPLATES[component.kind].flags.replace("{}", name).replace(" --", "\n--")


def _print_game(record: dict[str, Any]) -> None:
    """What is real and fake under each setting, and what a term may read."""
    from rich.table import Table
    from rich.text import Text

    console = stdout()
    settings = any(it["setting"] for it in record["pairs"])
    headings = ["Real", "Fake", "D is shown", *(["With"] if settings else [])]
    table = Table(*headings, box=None, pad_edge=False, header_style="bold")
    for it in record["pairs"]:
        for real, fake in it["pairs"]:
            cells = [real, fake, it["judged"], *([it["setting"]] if settings else [])]
            table.add_row(*(Text(printable(cell)) for cell in cells))
    if record["pairs"]:
        console.print()
        console.print(table)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("A term may read", no_wrap=True)
    table.add_column("What it is")
    for name, words in record["quantities"].items():
        table.add_row(Text(printable(name)), Text(printable(words)))
    console.print()
    console.print(table)
    console.print()


def _print_package(package: dict[str, Any]) -> None:
    from rich.table import Table
    from rich.text import Text

    console = stdout()
    console.print(Text(f"package {package['name']} {package['version']}", style="bold"))
    for plugin in package["plugins"]:
        console.print()
        facts = Table(box=None, show_header=False, pad_edge=False)
        facts.add_row("entry point", Text(f"{plugin['plugin']} = {plugin['module']}"))
        facts.add_row("status", Text(plugin["status"]))
        if time := load_time(plugin):
            facts.add_row("loaded in", Text(time))
        if plugin["reason"]:
            facts.add_row("reason", Text(plugin["reason"]))
        for warning in plugin["warnings"]:
            facts.add_row("warning", Text(warning))
        console.print(facts)
        if plugin["components"]:
            console.print(_components_table(plugin["components"]))


def _components_table(components: list[dict[str, Any]]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("Kind", "Name", "Summary"):
        table.add_column(heading)
    for component in components:
        shadowing = component["shadowed_by"]
        summary = printable(component["summary"])
        if shadowing:
            summary += f" (its short name is that of {listed(shadowing)})"
        name = component["qualified_name"] if shadowing else component["name"]
        table.add_row(component["kind"], Text(name), Text(summary))
    return table


def _print_recipe(recipe: str) -> None:
    """The file as it is: lines are not broken, so that what is copied is TOML."""
    for line in recipe.splitlines():
        # Tabs are the one control character that a TOML file may hold for good reason.
        click.echo("\t".join("".join(map(_shown, part)) for part in line.split("\t")))


def _shown(char: str) -> str:
    return char if char.isprintable() else "\ufffd"
