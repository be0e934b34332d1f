"""The configuration of a run beside what it would be without a word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ganforge.config.layers import Layer, from_run
from ganforge.config.resolve import resolve
from ganforge.config.run_config import COMPONENT_SECTIONS, KeyPath, RunConfig
from ganforge.config.toml import inline
from ganforge.errors import GanforgeError
from ganforge.plugin.options import describe
from ganforge.plugin.registry import Registry
from ganforge.runs.run import Run
from ganforge.sharing import shareable

from .markup import folded, table, text


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One key of the configuration. `usual` is None where it has its default, or none is known."""

    key: str
    value: str
    usual: str | None = None
    help: str = ""


def resolved(run: Run, registry: Registry) -> RunConfig | None:
    """The configuration of a run with its components; None where these are not installed."""
    try:
        return resolve([from_run(run.directory.config)], registry)
    except GanforgeError:
        return None


def settings_of(run: Run, config: RunConfig | None, registry: Registry) -> list[Setting]:
    """Every setting of a run; without what its plugins say where they are not installed."""
    if config is None:
        return [Setting(key=key, value=_shown(key, value)) for key, value in run.settings.items()]
    usual = _usual(from_run(run.directory.config), config, registry)
    found = []
    for path, line in config.values().items():
        key = ".".join(path)
        differs = path in usual and usual[path] != line.value
        found.append(
            Setting(
                key=key,
                value=_shown(key, line.value),
                usual=_shown(key, usual[path]) if differs else None,
                help=line.comment,
            )
        )
    return found


def _usual(stored: Layer, config: RunConfig, registry: Registry) -> Mapping[KeyPath, object]:
    """The values of a run that names the same components, and says nothing but what it must.

    None of them is known where such a run could not be.
    """
    needed = {*_required(config)}
    entries = [it for it in stored.entries if it.path[-1] == "name" or it.path in needed]
    layer = replace(stored, entries=tuple(entries), stored=False)
    try:
        return {path: it.value for path, it in resolve([layer], registry).values().items()}
    except GanforgeError:
        return {}


def _required(config: RunConfig) -> Iterator[KeyPath]:
    """The options that have no default, and the conditions, which decide what fits together."""
    yield ("training", "conditional")
    for section in COMPONENT_SECTIONS:
        selection = getattr(config, section)
        if selection is not None:
            yield (section, "conditions")
            yield from (
                (section, it.name) for it in describe(type(selection.options)) if it.required
            )
    for kind, chosen in config.tables.items():
        for it in chosen:
            for option in describe(type(it.options)):
                if option.required:
                    yield (kind, it.config_name, option.name)


def _shown(key: str, value: object) -> str:
    """A value as TOML, without what is no business of others."""
    value = shareable({key: value})[key]
    if value is None:
        return "unset"
    try:
        return inline(value)
    except TypeError:  # a date, which no option takes
        return str(value)


def configuration(settings: Sequence[Setting], *, known: bool) -> str:
    """List what differs from the defaults first, where these are known, and everything below it."""
    if not known:
        missing = "<p>A plugin of this run is not installed here, so no defaults are known.</p>"
        return missing + _every(settings)
    differing = [it for it in settings if it.usual is not None]
    changed = "<p>Every option has its default.</p>"
    if differing:
        rows = [[_key(it), _value(it.value), _value(it.usual)] for it in differing]
        changed = table(("setting", "value", "default"), rows, "Settings that differ")
    return changed + _every(settings)


def _every(settings: Sequence[Setting]) -> str:
    rows = [
        [_key(it), _value(it.value), '<span class="mark">differs</span>' if it.usual else ""]
        for it in settings
    ]
    every = table(("setting", "value", ""), rows, "All settings")
    return folded(f"All {len(settings)} settings", every)


def _key(setting: Setting) -> str:
    helped = f'<br><small class="faint">{text(setting.help)}</small>' if setting.help else ""
    # A long key may be broken where it has a joint.
    key = text(setting.key).replace(".", ".<wbr>").replace("_", "_<wbr>")
    return f"<code>{key}</code>{helped}"


def _value(value: object) -> str:
    return f"<code><bdi>{text(value)}</bdi></code>"
