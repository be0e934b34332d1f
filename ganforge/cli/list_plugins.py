"""`ganforge list-plugins`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click

from ganforge.plugin.base_specs import Spec
from ganforge.plugin.discovery import Discovered, Discovery, discover
from ganforge.plugin.registry import Component
from ganforge.plugin.specs import KINDS

from .console import stdout

SLOW = 0.5  # seconds: every command that knows plugins waits for each of them
STYLES = {"failed": "red", "disabled": "dim", "shadowed": "yellow"}


@click.command("list-plugins")
@click.option("--kind", type=click.Choice(KINDS), help="Only components of this kind.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else.")
@click.option(
    "--strict",
    is_flag=True,
    help="Exit with 1 if a plugin failed or has a warning, slowness aside.",
)
@click.pass_obj
def command(settings: dict[str, bool], kind: str | None, as_json: bool, strict: bool) -> int:
    """List the installed plugins and what they provide.

    A component whose short name belongs to another is shown, in brackets, by the name that reaches
    it; a plugin with no other components is shadowed. The variable GANFORGE_DISABLE_PLUGINS, a list
    of plugins or packages separated by commas, keeps plugins from being loaded.
    """
    discovery = discover(third_party=settings["third_party"])
    records = [plugin_record(found, discovery, kind) for found in discovery.plugins]
    if kind is not None:
        records = [r for r in records if r["components"] or r["status"] == "failed"]
    if as_json:
        click.echo(json.dumps(records, indent=2))
    else:
        _print_table(records)
    return 1 if strict and any(map(_is_faulty, discovery.plugins)) else 0


def _is_faulty(found: Discovered) -> bool:
    # How long a load takes depends on the machine, so it decides no exit code.
    return found.status == "failed" or bool(found.warnings) or found.imported_torch


def plugin_record(
    found: Discovered, discovery: Discovery, kind: str | None = None
) -> dict[str, Any]:
    """A plugin and its components, of one kind or of all, as JSON."""
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
        "warnings": [*found.warnings, *_costs(found)],
        "seconds": round(found.seconds, 4),
        "imported_torch": found.imported_torch,
        "components": [_component(component, discovery) for component in components],
    }


def load_time(record: dict[str, Any]) -> str:
    """`3 ms`, with a mark where torch was imported; empty for a plugin that was not loaded."""
    if record["status"] == "disabled":
        return ""
    mark = ", torch" if record["imported_torch"] else ""
    return f"{round(1000 * record['seconds'])} ms{mark}"


def _costs(found: Discovered) -> Iterator[str]:
    """Excessive costs of the plugin, which every command pays."""
    if found.imported_torch:
        yield "it imports torch when it is loaded; its builders should do that"
    if found.seconds > SLOW:
        yield f"slow to load: {found.seconds:.1f} s, for which every command waits"


def _component(component: Component[Spec], discovery: Discovery) -> dict[str, Any]:
    shadowing = discovery.registry.shadowed_by(component)
    return {
        "kind": component.kind,
        "name": component.name,
        "qualified_name": component.qualified_name,
        "summary": component.spec.summary,
        "shadowed_by": [other.qualified_name for other in shadowing],
    }


def _print_table(records: list[dict[str, Any]]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("Plugin", "Package", "Status"):
        table.add_column(heading, no_wrap=True)
    table.add_column("Load", no_wrap=True, justify="right")
    table.add_column("Components")
    for record in records:
        table.add_row(
            Text(record["plugin"]),
            Text(f"{record['package']} {record['version']}"),
            Text(record["status"], style=STYLES.get(record["status"], "")),
            Text(load_time(record)),
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
