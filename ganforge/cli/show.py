"""`ganforge show`."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import click

from ganforge.discovery import discover
from ganforge.errors import did_you_mean
from ganforge.options import describe, to_toml
from ganforge.printable import printable
from ganforge.recipes import read_recipe
from ganforge.registry import Component, Registry
from ganforge.shapes import ImageShapes
from ganforge.specs import KINDS, TABLES, ComponentSpec, RecipeSpec, Spec

from .console import stdout


@click.command("show")
@click.argument("name")
@click.option("--kind", type=click.Choice(KINDS), help="Where several kinds have this name.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else.")
@click.pass_obj
def command(settings: dict[str, bool], name: str, kind: str | None, as_json: bool) -> None:
    """Describe the component or recipe NAME: what it is, its options, and where it comes from."""
    registry = discover(third_party=settings["third_party"]).registry
    components = _named(registry, name, kind)
    if as_json:
        click.echo(json.dumps([_record(component) for component in components], indent=2))
        return
    for number, component in enumerate(components):
        if number:
            stdout().print()
        _print(component, registry)


def _named(registry: Registry, name: str, kind: str | None) -> list[Component]:
    if kind is not None:
        return [registry.find(kind, name)]
    found = [c for c in registry if name in (c.name, c.qualified_name)]
    if not found:
        near = did_you_mean(name, [component.name for component in registry])
        raise registry.not_found(
            f"there is no component called {printable(name)!r}"
            f"{near or '; `ganforge list-plugins` lists them'}"
        )
    return found


def _record(component: Component) -> dict[str, Any]:
    spec = component.spec
    record: dict[str, Any] = {
        "kind": component.kind,
        "name": component.name,
        "qualified_name": component.qualified_name,
        "summary": spec.summary,
        "package": component.plugin.package,
        "version": component.plugin.version,
        "capabilities": _capabilities(spec),
    }
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
                "help": field.help,
            }
            for field in describe(spec.options)
        ]
    return record


def _capabilities(spec: Spec) -> dict[str, str]:
    """What the spec says beyond name, summary, builder and options, in words."""
    general = {field.name for field in dataclasses.fields(ComponentSpec)}
    found = {}
    for field in dataclasses.fields(spec):
        value = getattr(spec, field.name)
        if field.name in general or value == "":
            continue
        if callable(value):
            # Shapes are said by numbers; what may be or not be is worth a word.
            if field.name == "batch_independent":
                found[field.name] = "as the options say"
            continue
        unknown = field.name == "labelled" and value is None
        found[field.name] = "only the data can tell" if unknown else _words(value)
    return found


def _words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if isinstance(value, ImageShapes):
        return "any" if value == ImageShapes() else str(value)
    return "none" if value is None else str(value)


def _print(component: Component, registry: Registry) -> None:
    from rich.table import Table
    from rich.text import Text

    record = _record(component)
    console = stdout()
    console.print(Text(f"{component.kind} {registry.short_name(component)}", style="bold"))
    console.print(Text(printable(record["summary"])))
    facts = Table(box=None, show_header=False, pad_edge=False)
    facts.add_row("package", Text(component.origin))
    facts.add_row("full name", Text(record["qualified_name"]))
    for key, value in record["capabilities"].items():
        facts.add_row(key.replace("_", " "), Text(printable(value)))
    console.print(facts)
    if "recipe" in record:
        console.print()
        _print_recipe(record["recipe"])
        return
    if not record["options"]:
        console.print("It has no options.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("Option", "Type", "Default", "Help"):
        table.add_column(heading)
    for option in record["options"]:
        default = "required" if option["required"] else json.dumps(option["default"])
        text = printable(option["help"])
        text += f" ({option['allowed']})" if option["allowed"] else ""
        key = f"{_section(component)}.{option['name']}"
        table.add_row(key, option["type"], "unset" if default == "null" else default, Text(text))
    console.print(table)


def _print_recipe(recipe: str) -> None:
    """The file as it is: lines are not broken, so that what is copied is TOML."""
    for line in recipe.splitlines():
        # Tabs are the one control character that a TOML file may hold for good reason.
        click.echo("\t".join("".join(map(_shown, part)) for part in line.split("\t")))


def _shown(char: str) -> str:
    return char if char.isprintable() else "\ufffd"


def _section(component: Component) -> str:
    """The prefix that `--set` wants before an option."""
    return f"{component.kind}.{component.name}" if component.kind in TABLES else component.kind
