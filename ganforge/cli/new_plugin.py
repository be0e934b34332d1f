"""`ganforge new-plugin`."""

from __future__ import annotations

import datetime
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import click

from ganforge import __version__
from ganforge.errors import UsageError, listed
from ganforge.plugin.discovery import discover
from ganforge.plugin.requirements import CORE_PACKAGE
from ganforge.plugin.specs import NOUNS
from ganforge.printable import printable
from ganforge.storage.files import TEMPORARY_PREFIX
from ganforge.storage.paths import quoted
from ganforge.templates import KINDS, how_chosen, render, train_command

from .console import go_on_without_output
from .paths import NEW_PATH

PREFIX = f"{CORE_PACKAGE}-"
NAME_PATTERN = re.compile(rf"{CORE_PACKAGE}(-[a-z0-9]+)+")
MAX_NAME = 40  # letters of a component's name, so that no line of the package becomes too long


@click.command("new-plugin")
@click.argument("name")
@click.option(
    "--kind",
    "kinds",
    type=click.Choice(list(KINDS)),
    multiple=True,
    required=True,
    metavar="KIND",
    help=f"What the plugin has: {', '.join(KINDS)}; repeatable.",
)
@click.option("--out", metavar="DIR", type=NEW_PATH, help="The folder to write. [NAME]")
def command(name: str, kinds: tuple[str, ...], out: Path | None) -> None:
    """Write the package NAME, a plugin that can be installed, trained with and published as it is.

    Each component is small and whole: it trains, passes the conformance kit, and is to be replaced
    by yours.

    \b
    ganforge new-plugin ganforge-tinygan --kind generator --kind loss
    """
    go_on_without_output()
    kinds = tuple(kind for kind in KINDS if kind in kinds)
    _check_name(name)
    _check_free(name, kinds)
    folder = Path(name) if out is None else out
    year = datetime.date.today().year
    files = render(name, kinds, ganforge_version=__version__, year=year)
    try:
        _write(folder, files)
    except OSError as error:
        raise UsageError(
            f"the plugin cannot be written to {printable(folder)}: {printable(error)}"
        ) from error
    click.echo("\n".join(_report(name, kinds, folder, len(files))))


def _check_name(name: str) -> None:
    """Raises UsageError for what is no name of a package on PyPI that says whose plugin it is."""
    if NAME_PATTERN.fullmatch(name):
        if len(name) > len(PREFIX) + MAX_NAME:
            raise UsageError(
                f"{printable(name, 60)!r} is too long: at most {MAX_NAME} letters after {PREFIX!r}"
            )
        return
    words = "-".join(re.findall(r"[a-z0-9]+", name.lower())).removeprefix(PREFIX)
    proper = f"{PREFIX}{words}"
    usable = words not in ("", CORE_PACKAGE) and len(words) <= MAX_NAME
    suggestion = f"write {proper!r}" if usable else f"such as '{PREFIX}tinygan'"
    raise UsageError(
        f"{printable(name, 60)!r} is not a name for a plugin: {PREFIX!r}, then lower-case letters, "
        f"digits and single hyphens; {suggestion}"
    )


def _check_free(package: str, kinds: Sequence[str]) -> None:
    """Raises UsageError for a name that ganforge or an installed package has."""
    discovery = discover(third_party=False)
    module = package.replace("-", "_")
    if module in {found.plugin.module for found in discovery.plugins if found.plugin.bundled}:
        raise UsageError(f"{package!r} is reserved: ganforge itself has the module {module!r}")
    name = package.removeprefix(PREFIX)
    taken = [
        kind
        for kind in kinds
        if name in {component.name for component in discovery.registry.of_kind(kind)}
    ]
    if taken:
        raise UsageError(
            f"{package!r} is reserved for the kind{'s' * (len(taken) > 1)} {listed(taken)}: "
            f"ganforge itself has {_article(taken[0])} called {name!r}, and its names keep their "
            "meaning"
        )
    try:
        installed = version(package)
    except PackageNotFoundError:
        return
    raise UsageError(
        f"{package} {installed} is installed here, and the new package would replace it; choose "
        f"another name, or run `pip uninstall {package}` first"
    )


def _write(folder: Path, files: Mapping[str, str]) -> None:
    """All files or none: they are written beside their place, which is renamed when whole."""
    if os.path.lexists(folder):
        raise UsageError(
            f"{printable(folder)} is there already; remove it, or choose another folder with --out"
        )
    parent = folder.absolute().parent
    if not parent.is_dir():
        raise UsageError(f"there is no folder {printable(parent)} to write the plugin to")
    with tempfile.TemporaryDirectory(prefix=TEMPORARY_PREFIX, dir=parent) as temporary:
        whole = Path(temporary) / "plugin"
        for name, text in files.items():
            path = whole / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        whole.rename(folder)


def _report(name: str, kinds: Sequence[str], folder: Path, num_files: int) -> Iterator[str]:
    component = name.removeprefix(PREFIX)
    what = listed([_article(kind) for kind in kinds])
    place = str(folder) if folder.is_absolute() else f"./{folder}"
    place = str(folder) if folder.is_absolute() else f"./{folder}"
    yield f"{printable(folder)}: {num_files} files, a plugin with {what} called {component!r}"
    yield ""
    yield "What to type next:"
    yield f"  pip install -e {quoted(f'{place}[test]')}"
    yield f"  ganforge check-plugin {name}"
    yield f"  {train_command(component, kinds) or f'ganforge show {component}'}"
    yield ""
    yield from how_chosen(component, kinds)
    yield f"{printable(folder / 'README.md')} says how to test and publish it."


def _article(kind: str) -> str:
    """`a loss`, `an optimizer`."""
    noun = NOUNS[kind]
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
