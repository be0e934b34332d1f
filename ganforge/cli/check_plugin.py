"""`ganforge check-plugin`."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

import click

from ganforge.config.layers import from_settings
from ganforge.errors import UsageError
from ganforge.printable import printable
from ganforge.testing.finding import chosen, expected_failures, find_components

from .console import stdout

if TYPE_CHECKING:
    from ganforge.testing.framework import CheckResult

#: what needs reading comes first
ORDER = ("failed", "unexpected", "expected", "skipped", "passed")
STYLES = {"failed": "red", "unexpected": "red", "skipped": "dim"}


@click.command("check-plugin")
@click.argument("plugin", metavar="PACKAGE_OR_PATH")
@click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else.")
@click.option(
    "--component",
    "components",
    metavar="KIND/NAME",
    multiple=True,
    help="Check this component alone; may be given again.",
)
@click.option(
    "--set",
    "settings",
    metavar="KIND.NAME.OPTION=VALUE",
    multiple=True,
    help="An option to check a component with.",
)
@click.option(
    "--expect-failure",
    "failures",
    metavar="KIND/NAME/CHECK=REASON",
    multiple=True,
    help="A check that is known to fail, and why; may be given again.",
)
def command(
    plugin: str,
    as_json: bool,
    components: tuple[str, ...],
    settings: tuple[str, ...],
    failures: tuple[str, ...],
) -> int:
    """Run the conformance kit on a plugin.

    PACKAGE_OR_PATH is an installed package, a module, or the path of a module, a package or a
    project with a pyproject.toml, whose tables [tool.ganforge.expected-failures."KIND/NAME"] name
    checks that are known to fail, each with the reason. The exit code is 1 where another check
    failed or one of these passed, and 2 where there is nothing to check.
    """
    found = find_components(plugin, _given(settings))
    subjects = chosen(found, components)
    expected = expected_failures(plugin, _expected(failures))
    known_to_fail = chosen(found, expected) if expected else []
    from ganforge.testing.catalogue import check_subject, require_names  # imports torch

    for subject in known_to_fail:
        require_names(subject, expected[subject.label])
    # What a component prints must not end up in the output.
    with redirect_stdout(sys.stderr):
        results = [
            result
            for subject in subjects
            for result in check_subject(subject, expected.get(subject.label))
        ]
    if as_json:
        click.echo(json.dumps(_document(results, len(subjects)), indent=2))
    else:
        _print_results(results)
        click.echo(_last_line(results, len(subjects)))
    return 1 if any(result.failed for result in results) else 0


def _given(settings: Sequence[str]) -> dict[str, dict[str, object]]:
    """`--set` as options by component, `generator/dcgan`."""
    given: dict[str, dict[str, object]] = {}
    for entry in from_settings(settings).entries:
        if len(entry.path) != 3:
            raise UsageError(f"{entry.where}: must look like generator.tinygan.width=8")
        kind, name, option = entry.path
        given.setdefault(f"{kind}/{name}", {})[option] = entry.value
    return given


def _expected(failures: Sequence[str]) -> dict[str, dict[str, str]]:
    """`--expect-failure` as reasons by component and check."""
    expected: dict[str, dict[str, str]] = {}
    for text in failures:
        place, _, reason = text.partition("=")
        label, _, check = place.strip().rpartition("/")
        if label.count("/") != 1 or not reason.strip():
            raise UsageError(
                f"--expect-failure {printable(text, 100)!r}: must look like "
                "'generator/tinygan/images-lie-in-range=its samples are logits'"
            )
        expected.setdefault(label, {})[check] = reason.strip()
    return expected


def _document(results: Sequence[CheckResult], num_components: int) -> dict[str, Any]:
    counts = Counter(result.status for result in results)
    return {
        "checks": len(results),
        "components": num_components,
        "passed": counts["passed"],
        "failed": sum(result.failed for result in results),
        "skipped": counts["skipped"],
        "expected": counts["expected"],
        "results": [
            {
                "component": result.component,
                "check": result.check,
                "contract": result.contract,
                "status": result.status,
                "message": printable(result.message, 2000),
            }
            for result in results
        ],
    }


def _print_results(results: Sequence[CheckResult]) -> None:
    """A line for each check, and below it what there is to say of one that did not pass."""
    from rich.padding import Padding
    from rich.text import Text

    console = stdout()
    width = max((len(result.status) for result in results), default=0)
    for result in sorted(results, key=lambda it: ORDER.index(it.status)):
        line = Text(result.status.ljust(width + 2), style=STYLES.get(result.status, ""))
        console.print(line + Text(printable(f"{result.component}/{result.check}")))
        if result.message:
            text = Text(printable(result.message, 2000))
            console.print(Padding(text, (0, 0, 0, width + 2), expand=False))


def _last_line(results: Sequence[CheckResult], num_components: int) -> str:
    found = _document(results, num_components)
    checks = "1 check" if found["checks"] == 1 else f"{found['checks']} checks"
    components = "1 component" if num_components == 1 else f"{num_components} components"
    expected = f", {found['expected']} expected to fail" if found["expected"] else ""
    return (
        f"{checks} of {components}: {found['passed']} passed, {found['failed']} failed, "
        f"{found['skipped']} skipped{expected}"
    )
