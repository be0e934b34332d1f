"""`ganforge list-plugins`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click

from ganforge.discovery import Discovered, Discovery, discover
from ganforge.registry import Component
from ganforge.specs import KINDS

from .console import stdout


@click.command("list-plugins")
@click.option("--kind", type=click.Choice(KINDS), help="Only components of this kind.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else.")
@click.option("--strict", is_flag=True, help="Exit with 1 if a plugin failed or has a warning.")
@click.pass_obj
def command(settings: dict[str, bool], kind: str | None, as_json: bool, strict: bool) -> int:
    """List the installed plugins and what they provide.

    A component whose short name belongs to another is shown, in brackets, by the name that reaches
    it. The variable GANFORGE_DISABLE_PLUGINS, a list of plugins or packages separated by commas,
    keeps plugins from being loaded.
    """
    discovery = discover(third_party=settings["third_party"])
    records = [_record(found, discovery, kind) for found in discovery.plugins]
    if kind is not None:
        records = [r for r in records if r["components"] or r["status"] == "failed"]
    if as_json:
        click.echo(json.dumps(records, indent=2))
    else:
        _print_table(records, discovery)
    faulty = any(found.status == "failed" or found.warnings for found in discovery.plugins)
    return 1 if strict and faulty else 0


def _record(found: Discovered, discovery: Discovery, kind: str | None) -> dict[str, Any]:
    plugin = found.plugin
    components = [
        component
        for component in discovery.registry
        if component.plugin == plugin and kind in (None, component.kind)
    ]
    return {
        "plugin": plugin.name,
        "package": plugin.package,
        "version": plugin.version,
        "module": plugin.module,
        "status": found.status,
        "reason": found.reason,
        "warnings": list(found.warnings),
        "seconds": round(found.seconds, 4),
        "components": [_component(component, discovery) for component in components],
    }


def _component(component: Component, discovery: Discovery) -> dict[str, Any]:
    shadowing = discovery.registry.shadowed_by(component)
    return {
        "kind": component.kind,
        "name": component.name,
        "qualified_name": component.qualified_name,
        "summary": component.spec.summary,
        "shadowed_by": [other.qualified_name for other in shadowing],
    }


def _print_table(records: list[dict[str, Any]], discovery: Discovery) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("Plugin", "Package", "Status"):
        table.add_column(heading, no_wrap=True)
    table.add_column("Components")
    for record in records:
        style = {"failed": "red", "disabled": "dim"}.get(record["status"], "")
        table.add_row(
            Text(record["plugin"]),
            Text(f"{record['package']} {record['version']}"),
            Text(record["status"], style=style),
            Text("\n".join(_cell(record))),
        )
    stdout().print(table)


def _cell(record: dict[str, Any]) -> Iterator[str]:
    by_kind: dict[str, list[str]] = {}
    for component in record["components"]:
        shadowed = component["shadowed_by"]
        name = f"({component['qualified_name']})" if shadowed else component["name"]
        by_kind.setdefault(component["kind"], []).append(name)
    for kind, names in by_kind.items():
        yield f"{kind}: {', '.join(names)}"
    if record["reason"]:
        yield record["reason"]
    yield from record["warnings"]
