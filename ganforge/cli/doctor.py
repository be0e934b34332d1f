"""`ganforge doctor`."""

from __future__ import annotations

import json
import re
import shutil
import sys
import textwrap
from collections import Counter
from pathlib import Path
from typing import Any

import click

from ganforge.doctor.environment import examine_environment
from ganforge.doctor.findings import Examination
from ganforge.doctor.run import examine_file, examine_run
from ganforge.errors import listed
from ganforge.plugin.discovery import discover
from ganforge.storage.paths import without_home

_COMMAND = re.compile("`[^`]*`")
_BLANK = "\0"  # what a space of a command is meanwhile; no text that is shown has one


@click.command("doctor")
@click.argument("path", metavar="[RUN|FILE]", type=Path, required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else.")
@click.pass_obj
def command(settings: dict[str, bool], path: Path | None, as_json: bool) -> int:
    """Say what is wrong, and what can be done about it.

    \b
    ganforge doctor                        this installation and machine
    ganforge doctor RUN                    a run: every checksum, and all around it
    ganforge doctor FILE.safetensors       a checkpoint or a generator

    Nothing is written. The text holds no secrets and no path of your own folder, for reports of
    issues. It ends with 1 if something is broken, and with 0 if there are warnings at most.
    """
    discovery = discover(third_party=settings["third_party"])
    if path is None:
        heading, found = "This installation and machine:", examine_environment(discovery)
    elif path.is_dir():
        heading, found = f"The run {without_home(str(path))}:", examine_run(path, discovery)
    else:
        heading, found = f"The file {without_home(str(path))}:", examine_file(path, discovery)
    if as_json:
        click.echo(json.dumps(_record(path, found), indent=2))
    else:
        _print(heading, found)
    return 0 if found.sound else 1


def _record(path: Path | None, found: Examination) -> dict[str, Any]:
    return {
        "path": None if path is None else without_home(str(path)),
        "sound": found.sound,
        "facts": [{"subject": it.subject, "text": it.text} for it in found.facts],
        "troubles": [
            {"name": it.name, "severity": it.severity, "text": it.text, "remedy": it.remedy}
            for it in found.troubles
        ],
    }


def _print(heading: str, found: Examination) -> None:
    click.echo(heading)
    width = max((len(it.subject) for it in found.facts), default=0) + 2
    for fact in found.facts:
        _print_wrapped(f"  {fact.subject:<{width}}", fact.text, width + 2)
    for trouble in found.troubles:
        end = "" if trouble.text.endswith((".", ":")) else "."
        _print_wrapped(f"{trouble.severity.capitalize()}: ", f"{trouble.text}{end}", 2)
        if trouble.remedy:
            _print_wrapped("  Fix: ", trouble.remedy, 4)
    click.echo(_summary(found))


def _summary(found: Examination) -> str:
    counts = Counter(it.severity for it in found.troubles)
    parts = [f"{n} {severity}{'s' if n > 1 else ''}" for severity, n in counts.items()]
    return f"{listed(parts)}." if parts else "Nothing is wrong."


def _print_wrapped(first: str, text: str, indent: int) -> None:
    """A paragraph, wrapped to the terminal; elsewhere it is one line, for `grep`.

    A path, a name or a command in backquotes stays in one piece, to be copied.
    """
    if not sys.stdout.isatty():
        click.echo(first + text)
        return
    wrapped = textwrap.wrap(
        _COMMAND.sub(lambda match: match[0].replace(" ", _BLANK), text),
        width=max(40, shutil.get_terminal_size().columns),
        initial_indent=first,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    click.echo("\n".join(wrapped).replace(_BLANK, " "))
