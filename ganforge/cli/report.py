"""`ganforge report`."""

from __future__ import annotations

from pathlib import Path

import click

from ganforge.errors import UsageError
from ganforge.plugin.discovery import discover
from ganforge.printable import printable, size_in_words
from ganforge.report.page import report_of
from ganforge.runs.run import Run
from ganforge.storage.files import write_text

from .console import go_on_without_output, warn_of_failures
from .paths import NEW_PATH, PATH
from .progress import print_line


@click.command("report")
@click.argument("source", metavar="RUN", type=PATH)
@click.option(
    "--out", metavar="FILE", type=NEW_PATH, help="Where to write it. [report.html in RUN]"
)
@click.pass_obj
def command(context: dict[str, bool], /, source: Path, out: Path | None) -> None:
    """Write what there is to see of RUN as one HTML file.

    Curves, metrics, grids over time, the configuration, the environment, and the commands to
    train it again. The file needs no network, and works while the run is trained.
    """
    go_on_without_output()
    run = Run(source)
    target = source / "report.html" if out is None else out
    if target.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"{printable(target)}: a report is written as .html")
    if not target.parent.is_dir():
        raise UsageError(f"the directory {printable(target.parent)} does not exist")
    discovery = discover(third_party=context["third_party"])
    warn_of_failures(discovery)
    page = report_of(run, discovery.registry)
    try:
        write_text(target, page)
    except OSError as error:
        raise UsageError(f"{printable(target)} cannot be written: {error.strerror}") from error
    print_line(f"Wrote {printable(target)} ({size_in_words(len(page.encode()))})")
