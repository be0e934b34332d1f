"""Settings as Python gives them: keyword arguments, or a dictionary with the keys of the TOML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral, Real
from os import PathLike, fspath
from typing import Any, TypedDict

from ganforge.config.layers import Entry, KeyPath, Layer, Names, leaves
from ganforge.config.run_config import ALL_SECTIONS, COMPONENT_SECTIONS, OPTIMIZER_SECTIONS
from ganforge.config.shortcuts import SHORTCUTS
from ganforge.errors import Complaint, ConfigError, did_you_mean
from ganforge.plugin.schedule import Schedule
from ganforge.plugin.specs import TABLES
from ganforge.printable import printable

Table = Mapping[str, Any]
#: a component by its name, or a table with its name and its options
Named = str | Table
#: components by their names, each alone or in a table with its options
Several = Named | Sequence[Named]

_NAMED = (*COMPONENT_SECTIONS, *OPTIMIZER_SECTIONS)


class Settings(TypedDict, total=False):
    """Sections of the configuration, and the short names of the settings that one types most.

    A section is a dictionary with the keys of its table in TOML; a component may be its name alone.
    """

    generator: Named
    discriminator: Named
    game: Named
    sampler: Named
    loss: Several
    augmentation: Several
    metric: Several
    features: Several
    callback: Several
    generator_optimizer: Named
    discriminator_optimizer: Named
    training: Table
    data: Table
    ema: Table
    evaluation: Table
    output: Table
    execution: Table
    condition: Sequence[str]
    init: str | PathLike[str]
    steps: int
    epochs: int
    batch_size: int
    learning_rate: float | Schedule
    betas: Sequence[float]
    image_size: int
    channels: int
    latent_size: int
    seed: int
    device: str
    workers: int
    compile: bool
    sample_every: int
    checkpoint_every: int
    preview: str
    conditional: bool
    best: str


@dataclass(frozen=True)
class Argument:
    """A keyword argument, or a key of a dictionary, as the source of values."""

    text: str

    def place(self, path: KeyPath) -> str:
        return self.text


@dataclass
class _Found:
    """Entries found so far; later ones stand over earlier ones."""

    entries: list[Entry] = field(default_factory=list)
    tables: dict[str, Names] = field(default_factory=dict)
    complaints: list[Complaint] = field(default_factory=list)


def from_arguments(
    settings: Mapping[str, Any], place: str = "{}=", *, whole: bool = False
) -> Layer:
    """The layer of settings by section or by short name; None sets nothing.

    `place` says how complaints name an argument; `whole` that the arguments are a configuration of
    their own, as a file is. Raises ConfigError for what is no setting,
    and for a value of a type that TOML does not have.
    """
    found = _Found()
    # Sections first, so that a short name stands over the section that it sets a key of.
    for name in sorted(settings, key=lambda it: it not in ALL_SECTIONS):
        if settings[name] is not None:
            _add(found, name, settings[name], Argument(place.format(printable(name))))
    if found.complaints:
        raise ConfigError(found.complaints)
    return Layer(entries=tuple(found.entries), tables=found.tables, whole=whole)


def _add(found: _Found, name: str, value: Any, origin: Argument) -> None:
    if name in TABLES:
        _add_several(found, name, value, origin)
    elif name in ALL_SECTIONS and isinstance(value, Mapping):
        _add_table(found, (name,), value, origin)
    elif name in _NAMED and isinstance(value, str):
        found.entries.append(Entry(path=(name, "name"), value=value, origin=origin))
    elif name in ALL_SECTIONS:
        wanted = "a dictionary" if name not in _NAMED else "a name, or a dictionary with one"
        _complain(found, origin, f"must be {wanted}, not {_shown(value)}")
    elif name in SHORTCUTS:
        plain = _plain(found, value, origin)
        found.entries += [Entry(path=it, value=plain, origin=origin) for it in SHORTCUTS[name]]
    else:
        near = did_you_mean(name, [*ALL_SECTIONS, *SHORTCUTS])
        _complain(found, origin, f"there is no setting {printable(name)!r}{near}")


def _add_several(found: _Found, kind: str, value: Any, origin: Argument) -> None:
    """The components of a kind of which a run has any number."""
    tables = dict(_named_tables(found, value, origin))
    found.tables[kind] = Names(tuple(tables), origin)
    for name, table in tables.items():
        _add_table(found, (kind, name), table, origin)


def _named_tables(found: _Found, value: Any, origin: Argument) -> Iterator[tuple[str, Table]]:
    """Names with their options: of a name, of a table by name, or of a list of either."""
    if isinstance(value, str):
        yield value, {}
    elif isinstance(value, Mapping) and isinstance(value.get("name"), str):
        yield value["name"], {key: it for key, it in value.items() if key != "name"}
    elif isinstance(value, Mapping):
        for name, table in value.items():
            if table is not None and not isinstance(table, Mapping):
                what = f"{printable(name)!r} must have a dictionary of options"
                _complain(found, origin, f"{what}, not {_shown(table)}")
                continue
            yield str(name), table or {}
    elif isinstance(value, Sequence):
        for element in value:
            yield from _named_tables(found, element, origin)
    else:
        what = "must be names, or a dictionary of options by name"
        _complain(found, origin, f"{what}, not {_shown(value)}")


def _add_table(found: _Found, path: KeyPath, table: Table, origin: Argument) -> None:
    tree: dict[str, Any] = _plain(found, table, origin)
    for part in reversed(path):
        tree = {part: tree}
    found.entries += [Entry(path=it, value=value, origin=origin) for it, value in leaves(tree)]


def _plain(found: _Found, value: Any, origin: Argument) -> Any:
    """A value as TOML would give it."""
    match value:
        case bool() | str():
            return value
        case Integral():  # numbers of NumPy among them
            return int(value)
        case Real():
            return float(value)
        case Schedule():
            return value.to_toml()
        case PathLike():
            return fspath(value)
        case Mapping():
            return {
                str(key): _plain(found, it, origin) for key, it in value.items() if it is not None
            }
        case Sequence():
            return [_plain(found, it, origin) for it in value]
        case _:
            _complain(found, origin, f"there is no setting like {_shown(value)}")
            return None


def _complain(found: _Found, origin: Argument, what: str) -> None:
    found.complaints.append(Complaint(where=origin.text, what=what))


def _shown(value: Any) -> str:
    return printable(repr(value), 60)
