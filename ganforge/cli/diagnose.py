"""`ganforge diagnose`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from ganforge.config.layers import from_run
from ganforge.config.resolve import resolve
from ganforge.diagnosis.advice import advised
from ganforge.diagnosis.diagnosis import Diagnosis, diagnose
from ganforge.diagnosis.findings import Finding
from ganforge.errors import ConfigError
from ganforge.plugin.discovery import discover
from ganforge.plugin.registry import Registry
from ganforge.runs.run import Run

from .console import print_warning, warn_of_failures
from .paths import PATH


@click.command("diagnose")
@click.argument("path", metavar="RUN", type=PATH)
@click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else.")
@click.pass_obj
def command(settings: dict[str, bool], path: Path, as_json: bool) -> None:
    """Say what goes wrong in a run, and what to try, from its metrics alone.

    A run says the same while it is trained. docs/is-it-going-well.md has the rules.
    """
    run = Run(path)
    discovery = discover(third_party=settings["third_party"])
    diagnosis = diagnose(run.metrics)
    findings = _with_advice(run, diagnosis.findings, discovery.registry)
    if as_json:
        click.echo(json.dumps(_record(run, diagnosis, findings), indent=2))
        return
    warn_of_failures(discovery)
    status = run.status
    click.echo(f"{run.name}: {status.state}, step {status.step:,}")
    for finding in findings:
        click.echo(f"  {finding.sentence}")
    if not run.metrics:
        click.echo("  There are no metrics yet.")
    elif not findings:
        click.echo("  Nothing that goes wrong was found.")
    for rule, _ in diagnosis.untold:
        click.echo(f"  Not told: {rule.name.replace('-', ' ')}, measured {rule.measured}.")


def _with_advice(run: Run, findings: list[Finding], registry: Registry) -> list[Finding]:
    """The findings, with what to try where the configuration of the run can be read here."""
    if not findings:
        return []
    try:
        config = resolve([from_run(run.directory.config)], registry)
    except ConfigError as error:
        print_warning(f"no advice on {run.name}, whose configuration does not work here: {error}")
        return findings
    return [advised(it, config, registry) for it in findings]


def _record(run: Run, diagnosis: Diagnosis, findings: list[Finding]) -> dict[str, Any]:
    status = run.status
    return {
        "run": str(run.path),
        "state": status.state,
        "step": status.step,
        "findings": [
            {
                "name": it.name,
                "step": it.step,
                "text": it.text,
                "numbers": dict(it.numbers),
                "advice": list(it.advice),
            }
            for it in findings
        ],
        "not_told": {rule.name: absent for rule, absent in diagnosis.untold},
    }
