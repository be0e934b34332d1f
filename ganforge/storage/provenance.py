"""Plugins and versions that made something, and whether they are here now."""

from __future__ import annotations

import platform
import re
import warnings
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from ganforge import __version__
from ganforge.config.run_config import RunConfig, Selection
from ganforge.errors import CheckpointError, UsageError, listed, shortened
from ganforge.plugin.base_specs import ComponentSpec
from ganforge.plugin.options import describe as describe_options
from ganforge.plugin.options import parse, to_toml
from ganforge.plugin.registry import Component, Registry
from ganforge.plugin.requirements import installation
from ganforge.printable import printable
from ganforge.sharing import is_secret
from ganforge.storage.tensor_header import sound_description

S = TypeVar("S", bound=ComponentSpec)


def selections(config: RunConfig) -> dict[str, Selection[ComponentSpec]]:
    """Every component of a run by its place in the configuration."""
    found: dict[str, Selection[ComponentSpec]] = {
        "generator": config.generator,
        "game": config.game,
        "sampler": config.sampler,
        "dataset": config.dataset,
        "generator_optimizer": config.generator_optimizer,
        "discriminator_optimizer": config.discriminator_optimizer,
    }
    if config.discriminator is not None:
        found["discriminator"] = config.discriminator
    for kind, chosen in config.tables.items():
        found |= {f"{kind}.{it.config_name}": it for it in chosen}
    return found


def record(selection: Selection[ComponentSpec]) -> dict[str, Any]:
    """A component as JSON: enough to find and build it again."""
    component = selection.component
    options = type(selection.options)
    return {
        "name": component.qualified_name,
        "package": component.plugin.package,
        "version": component.plugin.version,
        "options": {
            field.name: to_toml(getattr(selection.options, field.name))
            for field in describe_options(options)
            if not is_secret(field.name)
        },
    }


def restore(
    kind: type[S], stored: Mapping[str, Any], registry: Registry, where: str
) -> Selection[S]:
    """The component and options of a record.

    Raises CheckpointError where the plugin is missing or its options have changed; another version
    of the plugin is a warning.
    """
    with sound_description(where):
        name, package, version = (str(stored.get(it, "")) for it in ("name", "package", "version"))
        given = {k: v for k, v in dict(stored.get("options", {})).items() if v is not None}
    try:
        component = registry.find(kind, name)
    except UsageError as error:
        command = installation(package, version)
        raise CheckpointError(
            f"{where} needs the {kind.kind} {printable(name)!r} of {printable(package)} "
            f"{printable(version)}{': ' if command else ''}{command} ({error})"
        ) from error
    options, complaints = parse(component.spec.options, given, stored=True)
    if complaints:
        raise CheckpointError(
            f"{where} was made with {printable(package)} {printable(version)}, whose {kind.kind} "
            f"{printable(name)!r} had other options than {component.origin} has: "
            + "; ".join(complaints.values())
        )
    _warn_of_version(component.plugin.package, version, component.plugin.version, where)
    return Selection(component=component, options=options)


def check_versions(
    config: RunConfig, stored: Mapping[str, Any], where: str, *, allowed: bool = False
) -> None:
    """Warn of packages that are of another version than the records of a run say.

    What the records do not name is new to the run, a metric that was added for example. Raises
    CheckpointError where the major version is another one, unless that is allowed: such a release
    may mean something else by the same name.
    """
    found: dict[str, tuple[str, str]] = {}
    for place, selection in selections(config).items():
        before, here = stored.get(place, {}).get("version"), selection.component.plugin
        if before is not None and str(before) != here.version:
            found[here.package] = (str(before), here.version)
    major = [name for name, versions in found.items() if len({*map(major_version, versions)}) > 1]
    if major and not allowed:
        changes = [f"{it} {printable(found[it][0])} -> {found[it][1]}" for it in major]
        commands = [f"`{it}`" for name in major if (it := installation(name, found[name][0]))]
        raise CheckpointError(
            f"{where} was trained with another major version of {shortened(changes)}, and nothing "
            f"was loaded. {listed(commands)} brings back what it was trained with; "
            "--allow-versions goes on with what is installed, and is recorded"
        )
    for name, versions in found.items():
        _warn_of_version(name, *versions, where)


def _warn_of_version(package: str, before: str, here: str, where: str) -> None:
    if before != here:
        major = (
            ", which is another major version"
            if major_version(before) != major_version(here)
            else ""
        )
        warnings.warn(
            f"{where} was made with {package} {printable(before)}; {here} is installed{major}",
            stacklevel=3,
        )


def major_version(version: str) -> str:
    """`2` of `2.1.0`; what is no version is its own."""
    match = re.match(r"v?(?:\d+!)?(\d+)(?![^.+\-a-z])", version)
    return match[1] if match else version


def environment(components: Iterable[Component[ComponentSpec]], device: str) -> dict[str, Any]:
    """Software, platform and device of a run. Paths, host and variables stay out of it."""
    import torch  # the rest of this module is needed without

    return {
        "ganforge": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "platform": f"{platform.system()} {platform.machine()}",
        "device": device,
        "threads": torch.get_num_threads(),
        "plugins": {component.qualified_name: component.plugin.version for component in components},
    }
