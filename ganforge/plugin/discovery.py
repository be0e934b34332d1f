"""Finds, isolates and loads plugins; a plugin that fails is a value, not an exception.

Only the command line prints. Plugins are entry points of the group `ganforge`; the bundled ones are
those of the distribution `ganforge` itself, and come first. What a plugin changes of the process
when it is loaded is set back, and told.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, fields, replace
from importlib.metadata import EntryPoint
from itertools import islice
from typing import Any, Literal

import pluggy

from ganforge.errors import ENDINGS, did_you_mean, listed
from ganforge.plugin import hookspecs
from ganforge.plugin.base_specs import Spec
from ganforge.plugin.keeping import PARTS
from ganforge.plugin.packages import Package, packages_with
from ganforge.plugin.process_state import kept
from ganforge.plugin.registry import Component, Plugin, Registry
from ganforge.plugin.requirements import CORE_PACKAGE, misfit, normalised
from ganforge.printable import described, printable, represented

GROUP = "ganforge"
DISABLE_VARIABLE = "GANFORGE_DISABLE_PLUGINS"

MOST_RECORDS = 10_000  # of one hook: one that never ends would end a command in another way

Status = Literal["active", "shadowed", "disabled", "failed"]


@dataclass(frozen=True, kw_only=True)
class Discovered:
    """One entry point, or a package whose entry points cannot be read, and what became of it.

    A plugin is shadowed where none of its components has its short name. `reason` says in one line
    why a failed plugin failed; `warnings` what is odd about one that works; `seconds` how long its
    import and its hooks took. `imported_torch` says that torch came with it; of several plugins
    that import it, the first is told.
    """

    plugin: Plugin
    status: Status
    reason: str = ""
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0
    imported_torch: bool = False
    error: BaseException | None = None


@dataclass(frozen=True, kw_only=True)
class Discovery:
    """Everything that was found: the working components, and the story of every plugin."""

    registry: Registry
    plugins: tuple[Discovered, ...]

    @property
    def troubles(self) -> list[str]:
        """A line for each plugin that failed or is odd."""
        lines = []
        for found in self.plugins:
            shown = found.plugin.label
            if found.status == "failed":
                lines.append(f"{shown} failed to load and is left out: {found.reason}")
            lines += [f"{shown}: {warning}" for warning in found.warnings]
        return lines


class _Faulty(Exception):
    """Why a plugin cannot be used, in one line."""


def discover(*, third_party: bool = True, environ: Mapping[str, str] = os.environ) -> Discovery:
    """Load every enabled plugin.

    A plugin named in the variable GANFORGE_DISABLE_PLUGINS (entry point or package, separated by
    commas) is not imported; with `third_party=False` only the bundled ones are.
    """
    disabled = {
        normalised(name) for name in environ.get(DISABLE_VARIABLE, "").split(",") if name.strip()
    }
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    components: list[Component[Spec]] = []
    found: list[Discovered] = []
    for offer in sorted(_offers(packages_with(GROUP)), key=_order):
        plugin = offer.plugin
        off = {normalised(plugin.name), normalised(plugin.package)} & disabled
        if off or not (third_party or plugin.bundled):
            found.append(Discovered(plugin=plugin, status="disabled"))
            continue
        had_torch = "torch" in sys.modules
        started = time.perf_counter()
        outcome, new = load_plugin(manager, offer, components)
        components += new
        found.append(
            replace(
                outcome,
                seconds=time.perf_counter() - started,
                imported_torch="torch" in sys.modules and not had_torch,
            )
        )
    failures = {outcome.plugin: outcome.reason for outcome in found if outcome.status == "failed"}
    registry = Registry(components, failures)
    hidden = _shadowed(registry)
    plugins = [replace(it, status="shadowed") if it.plugin in hidden else it for it in found]
    return Discovery(registry=registry, plugins=tuple(plugins))


def _shadowed(registry: Registry) -> set[Plugin]:
    """The plugins none of whose components has its short name."""
    visible = {component.plugin for component in registry if not registry.shadowed_by(component)}
    return {component.plugin for component in registry} - visible


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A plugin as its package offers it; `entry_point` is None where that cannot be read."""

    plugin: Plugin
    entry_point: EntryPoint | None
    package: Package


def offers(package: Package) -> list[Offer]:
    """The plugins of a package, at least one of them where its entry points cannot be read."""
    name, version = printable(package.name) or "unknown", printable(package.version) or "unknown"
    return [
        Offer(
            plugin=Plugin(
                name=name if it is None else printable(it.name),
                package=name,
                version=version,
                module="" if it is None else printable(it.value),
                bundled=normalised(package.name) == CORE_PACKAGE,
            ),
            entry_point=it,
            package=package,
        )
        for it in package.entry_points or (None,)
    ]


def _offers(packages: Iterable[Package]) -> Iterable[Offer]:
    return (offer for package in packages for offer in offers(package))


def _order(offer: Offer) -> tuple[bool, str, str]:
    return not offer.plugin.bundled, offer.plugin.package, offer.plugin.name


def load_plugin(
    manager: pluggy.PluginManager, offer: Offer, earlier: list[Component[Spec]]
) -> tuple[Discovered, list[Component[Spec]]]:
    """One plugin, with all of its components or none."""
    plugin, faults = offer.plugin, [printable(it) for it in offer.package.faults]
    if offer.entry_point is None:
        return Discovered(plugin=plugin, status="failed", reason="; ".join(faults)), []
    unfit = None if plugin.bundled else misfit(offer.package.requirements)
    if unfit is not None:
        if unfit.newer:  # what it imports, or yields, need not be there
            return Discovered(plugin=plugin, status="failed", reason=str(unfit)), []
        faults.append(str(unfit))
    with kept(PARTS) as changes:
        outcome, components = _load(manager, offer.entry_point, plugin, earlier)
    if outcome.status == "failed":
        reasons = [printable(outcome.reason, 300), *faults] if faults else [outcome.reason]
        return replace(outcome, reason=printable("; ".join(reasons))), []
    if changes:
        faults.append(
            f"it changes {listed(changes)} when it is loaded, which every run shares; that was set "
            "back"
        )
    return replace(outcome, warnings=(*outcome.warnings, *faults)), components


def _load(
    manager: pluggy.PluginManager,
    entry_point: EntryPoint,
    plugin: Plugin,
    earlier: list[Component[Spec]],
) -> tuple[Discovered, list[Component[Spec]]]:
    try:
        # What a plugin prints when it is loaded must not end up in the output of a command.
        with redirect_stdout(sys.stderr):
            implementation = _import(entry_point)
            _register(manager, implementation, f"{plugin.package}:{plugin.name}")
            components, warnings = _collect(manager, implementation, plugin)
        _refuse_twins(components, earlier)
    except ENDINGS:
        raise
    except BaseException as error:  # a plugin may raise anything, SystemExit included
        reason = str(error) if isinstance(error, _Faulty) else _explain(error, entry_point)
        return Discovered(plugin=plugin, status="failed", reason=reason, error=error), []
    return Discovered(plugin=plugin, status="active", warnings=tuple(warnings)), components


def _import(entry_point: EntryPoint) -> Any:
    if not EntryPoint.pattern.match(entry_point.value):
        raise _Faulty(f"its entry point {entry_point.value!r} is not of the form module:attribute")
    try:
        return entry_point.load()
    except SystemExit as error:
        raise _Faulty(f"it called sys.exit({represented(error.code)}) at import") from error


def _register(manager: pluggy.PluginManager, implementation: Any, key: str) -> None:
    try:
        manager.register(implementation, name=key)
    except ValueError as error:
        raise _Faulty("another entry point names the same object") from error
    except pluggy.PluginValidationError as error:
        if manager.is_registered(implementation):  # some versions of pluggy leave it behind
            manager.unregister(implementation)
        detail = " ".join(str(error).split("\n")[-1].split())
        raise _Faulty(f"a hook does not fit: {detail}") from error


def _collect(
    manager: pluggy.PluginManager, implementation: Any, plugin: Plugin
) -> tuple[list[Component[Spec]], list[str]]:
    components: list[Component[Spec]] = []
    warnings: list[str] = []
    callers = manager.get_hookcallers(implementation) or []
    if not callers:
        raise _Faulty("it implements no hook; mark its functions with @ganforge.hookimpl")
    known = {caller.name: caller for caller in callers if caller.name in hookspecs.HOOKS}
    for name in sorted({caller.name for caller in callers} - known.keys()):
        near = did_you_mean(name, hookspecs.HOOKS)
        warnings.append(printable(f"unknown hook {name!r}{near}"))
    for name in hookspecs.HOOKS:
        for hook in known[name].get_hookimpls() if name in known else ():
            if hook.plugin is implementation:
                for spec in _specs(name, hook.function):
                    components.append(Component(spec=spec, plugin=plugin))
    if warnings and not components:
        raise _Faulty("; ".join(warnings))
    return components, warnings


def _specs(hook_name: str, function: Any) -> Iterable[Spec]:
    wanted = hookspecs.HOOKS[hook_name]
    try:
        result = function()
        if isinstance(result, Spec):
            raise _Faulty(
                f"{hook_name} returned one {type(result).__name__}; yield it, or return a list"
            )
        if isinstance(result, str) or not isinstance(result, Iterable):
            shown = represented(result)
            raise _Faulty(f"{hook_name} must yield {wanted.__name__} records, not {shown}")
        items = list(islice(result, MOST_RECORDS + 1))
    except ENDINGS:
        raise
    except _Faulty:
        raise
    except BaseException as error:
        raise _Faulty(f"{hook_name} failed: {described(error)}") from error
    if len(items) > MOST_RECORDS:
        raise _Faulty(f"{hook_name} yields more than {MOST_RECORDS} records")
    for item in items:
        if not isinstance(item, wanted):
            shown = type(item).__name__ if isinstance(item, Spec) else represented(item)
            raise _Faulty(f"{hook_name} must yield {wanted.__name__} records, not {shown}")
    try:
        return [it if _is_checked(it, wanted) else _checked(it, wanted) for it in items]
    except ENDINGS:
        raise
    except BaseException as error:
        raise _Faulty(f"{hook_name} yields a faulty record: {described(error)}") from error


def _is_checked(record: Spec, wanted: type[Spec]) -> bool:
    """True for a record that its own class has made."""
    return type(record) is wanted and len(vars(record)) == len(fields(wanted))


def _checked(record: Spec, wanted: type[Spec]) -> Spec:
    """A record of a class of the plugin's own, or one that was never made, as one of `wanted`."""
    return wanted(**{field.name: getattr(record, field.name) for field in fields(wanted)})


def _refuse_twins(components: list[Component[Spec]], earlier: list[Component[Spec]]) -> None:
    """Names must differ within a distribution, or the qualified name would not tell them apart."""
    taken = {(component.kind, component.qualified_name) for component in earlier}
    for component in components:
        key = (component.kind, component.qualified_name)
        if key in taken:
            raise _Faulty(
                f"the {component.kind} {component.name!r} is already provided by the package "
                f"{component.plugin.package}"
            )
        taken.add(key)


def _explain(error: BaseException, entry_point: EntryPoint) -> str:
    """The meaning of an exception at import, in one line."""
    # An exception of a plugin's own class may have anything in its attributes.
    if type(error) is SyntaxError:
        return f"SyntaxError: {error.msg} ({error.filename}, line {error.lineno})"
    if type(error) is ModuleNotFoundError and isinstance(error.name, str) and error.name:
        if error.name.split(".")[0] == entry_point.module.split(".")[0]:
            return f"its entry point names the module {error.name!r}, which is not installed"
        return f"it needs the module {error.name!r}, which is not installed"
    if type(error) is AttributeError and entry_point.attr:
        said = described(error).partition(": ")[2]
        return f"its entry point {entry_point.value!r} names nothing: {said}"
    return described(error)
