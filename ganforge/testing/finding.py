"""Finding components to check: those of an installed package, of a module, or of a path.

Nothing here imports torch, so that a name that leads nowhere is told at once.
"""

from __future__ import annotations

import os
import re
import sys
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from importlib import import_module, metadata
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import pluggy

from ganforge.errors import UsageError, did_you_mean, listed
from ganforge.plugin import discovery, hookspecs
from ganforge.plugin.base_specs import Spec
from ganforge.plugin.discovery import GROUP
from ganforge.plugin.packages import Package, read_package
from ganforge.plugin.registry import Component, Plugin
from ganforge.plugin.requirements import CORE_PACKAGE
from ganforge.printable import described, printable

from .framework import Subject

UNPUBLISHED = "unpublished"
PROJECT_FILE = "pyproject.toml"
MODULE_PATTERN = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")

#: `generator/dcgan` -> options as plain data
Given = Mapping[str, Mapping[str, object]]
#: `generator/dcgan` -> name of a check -> why it is known to fail
Expected = Mapping[str, Mapping[str, str]]
EXPECTED_TABLE = "expected-failures"  # of [tool.ganforge] in a project's pyproject.toml
S = TypeVar("S", bound=Spec)


def find_components(
    source: ModuleType | str | Path, given: Given | None = None
) -> list[Subject[Spec]]:
    """The components of a plugin: one subject each, in the order of the hooks.

    `source` is a hook module, or one of these, the first that there is: the name of an installed
    distribution, a path (of a module's file, of a package, of a project with a `pyproject.toml`),
    the name of a module. The folder of a path is put on `sys.path`. `given` are options to check
    with.

    Raises UsageError where there is nothing to check or a plugin cannot be loaded.
    """
    if isinstance(source, ModuleType):
        components = _load(_package([(source.__name__, source.__name__)]))
    else:
        components = _named(source)
    if not components:
        raise UsageError(f"{printable(source)} has no components")
    alone = [
        Subject(component=it, given=(given or {}).get(f"{it.kind}/{it.name}", {}))
        for it in components
    ]
    subjects = [
        replace(it, partners=tuple(other for other in alone if other is not it)) for it in alone
    ]
    known = [subject.label for subject in subjects]
    for label in given or {}:
        if label not in known:
            raise UsageError(_unknown("component", label, known))
    return subjects


def expected_failures(source: ModuleType | str | Path, more: Expected | None = None) -> Expected:
    """The checks that are known to fail, with the reasons: of the project at a path, and `more`.

    A project says so in its `pyproject.toml`, in `[tool.ganforge.expected-failures."loss/tiny"]`;
    what else `find_components` takes has no such table. Raises UsageError for a faulty one.
    """
    path = None if isinstance(source, ModuleType) else _place(source)
    in_project: Expected = {}
    if isinstance(path, Path) and (file := path / PROJECT_FILE).is_file():
        in_project = _expected_table(file)
    labels = dict.fromkeys([*in_project, *(more or {})])
    return {it: {**in_project.get(it, {}), **(more or {}).get(it, {})} for it in labels}


def _expected_table(file: Path) -> Expected:
    own = _table(_read(file), "tool", CORE_PACKAGE)
    for key in own:
        if key != EXPECTED_TABLE:
            near = did_you_mean(key, [EXPECTED_TABLE]) or f"; there is {EXPECTED_TABLE!r}"
            raise UsageError(f"{printable(file)}: [tool.ganforge] has no {printable(key)!r}{near}")
    tables = own.get(EXPECTED_TABLE, {})
    if not isinstance(tables, dict) or not all(isinstance(it, dict) for it in tables.values()):
        raise UsageError(
            f"{printable(file)}: write failures that are expected as a table for each component, "
            f'such as [tool.ganforge.{EXPECTED_TABLE}."generator/tinygan"]'
        )
    for label, reasons in tables.items():
        for name, reason in reasons.items():
            if not isinstance(reason, str) or not reason.strip():
                raise UsageError(
                    f"{printable(file)}: {printable(label)}: {printable(name)} must be the reason "
                    f"why it is expected to fail, not {printable(repr(reason), 100)}"
                )
    return tables


def subject_of(spec: S, given: Mapping[str, object] | None = None) -> Subject[S]:
    """A spec by itself, whose hook module is not known."""
    plugin = Plugin(name=spec.name, package=UNPUBLISHED, version="0", module="", bundled=False)
    return Subject(component=Component(spec=spec, plugin=plugin), given=given or {})


def chosen(subjects: Iterable[Subject[Spec]], labels: Iterable[str]) -> list[Subject[Spec]]:
    """The subjects with these labels, or all where there are none. Raises UsageError."""
    by_label = {subject.label: subject for subject in subjects}
    wanted = list(dict.fromkeys(labels))
    for label in wanted:
        if label not in by_label:
            raise UsageError(_unknown("component", label, list(by_label)))
    return [by_label[label] for label in wanted] if wanted else list(by_label.values())


def _unknown(what: str, name: str, known: list[str]) -> str:
    near = did_you_mean(name, known)
    shown = near or f"; there are {listed([printable(it) for it in known])}"
    return f"there is no {what} {printable(name, 100)!r} here{shown}"


def _named(source: str | Path) -> list[Component[Spec]]:
    place = _place(source)
    if isinstance(place, metadata.Distribution):
        return _of_distribution(place)
    if place is not None:
        return _of_path(place)
    text = str(source)
    if not _looks_like_path(source) and MODULE_PATTERN.fullmatch(text) and _importable(text):
        return _load(_package([(text, text)]))
    raise UsageError(
        f"there is nothing to check: {printable(text, 200)!r} is neither an installed package, nor "
        "a path, nor a module that can be imported"
    )


def _place(source: str | Path) -> metadata.Distribution | Path | None:
    """The installed distribution of this name, or else the path that exists; None for neither."""
    text = str(source)
    if not _looks_like_path(source):
        try:
            return metadata.distribution(text)
        except (metadata.PackageNotFoundError, ValueError):
            pass  # a path or a module, then
    try:
        path = Path(text).expanduser()
        return path.resolve() if path.exists() else None
    except (OSError, ValueError, RuntimeError):  # a null byte, no home, a name that is too long
        return None


def _looks_like_path(source: str | Path) -> bool:
    text = str(source)
    return isinstance(source, Path) or os.sep in text or text.endswith(".py")


def _importable(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def _of_distribution(distribution: metadata.Distribution) -> list[Component[Spec]]:
    package = read_package(distribution, GROUP)
    if not package.entry_points:
        name = printable(package.name or distribution.metadata["Name"])
        why = "; ".join(map(printable, package.faults))
        why = why or f"it has no entry point of the group {GROUP!r}"
        raise UsageError(f"the package {name} is no plugin: {why}")
    return _load(package)


def _of_path(path: Path) -> list[Component[Spec]]:
    if path.is_file() and path.suffix == ".py":
        return _of_module_file(path.parent, path.stem)
    if (path / PROJECT_FILE).is_file():
        return _of_project(path)
    if (path / "__init__.py").is_file():
        return _of_module_file(path.parent, path.name)
    raise UsageError(
        f"there is nothing to check in {printable(path)}: it is neither a module's file, nor a "
        "package with an __init__.py, nor a project with a pyproject.toml"
    )


def _of_module_file(folder: Path, module: str) -> list[Component[Spec]]:
    if not module.isidentifier():
        raise UsageError(f"{printable(module)!r} cannot be imported: it is no name of a module")
    return _load(_package([(module, module)]), [folder])


def _of_project(folder: Path) -> list[Component[Spec]]:
    """The plugins that a project's `pyproject.toml` names, from its source."""
    file = folder / PROJECT_FILE
    project = _table(_read(file), "project")
    named = _table(project, "entry-points", GROUP)
    if not named or not all(isinstance(value, str) for value in named.values()):
        raise UsageError(
            f"{printable(file)} names no plugin: it has no entries in "
            f"[project.entry-points.{GROUP}]"
        )
    name, version = project.get("name", folder.name), project.get("version", "0")
    folders = [it for it in (folder, folder / "src") if it.is_dir()]
    return _load(_package(list(named.items()), str(name), str(version)), folders)


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{printable(file)} cannot be read: {described(error)}") from error


def _table(document: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    for key in keys:
        document = document.get(key, {})
        if not isinstance(document, dict):
            return {}
    return document


def _package(named: list[tuple[str, str]], name: str = UNPUBLISHED, version: str = "0") -> Package:
    """A package of entry points (name, value) as it would be when it is installed."""
    found = tuple(EntryPoint(name=key, value=value, group=GROUP) for key, value in named)
    return Package(name=name, version=version, requirements=(), entry_points=found)


def _load(package: Package, folders: Iterable[Path] = ()) -> list[Component[Spec]]:
    """The components of a package, imported from `folders` where any are given."""
    folders = list(folders)
    for folder in reversed(folders):
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    components: list[Component[Spec]] = []
    for offer in discovery.offers(package):
        plugin = offer.plugin
        outcome, new = discovery.load_plugin(manager, offer, components)
        if outcome.status == "failed":
            raise UsageError(
                f"{plugin.label} cannot be loaded: {outcome.reason}"
            ) from outcome.error
        if folders:
            _require_from(folders, plugin.module.partition(":")[0].strip())
        components += new
    return components


def _require_from(folders: list[Path], module: str) -> None:
    """Raises UsageError where another copy of the module was imported than the one to check."""
    file = getattr(import_module(module), "__file__", None)
    if file and not any(Path(file).resolve().is_relative_to(folder) for folder in folders):
        raise UsageError(
            f"the module {module!r} was imported from {printable(file)}, not from "
            f"{printable(folders[0])}; give it a name that nothing else has"
        )
