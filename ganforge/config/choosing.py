"""Components found by the names that layers give, with their options; complaints are noted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from ganforge.config.layers import Entry, Flag, Layer, Names
from ganforge.config.selection import MetricSettings, NetworkSettings, Selection, TermSettings
from ganforge.config.settings import FOR_DISCRIMINATOR, SECTIONS
from ganforge.errors import Complaint, UsageError
from ganforge.plugin.base_specs import ComponentSpec, Spec
from ganforge.plugin.options import describe, parse, paths_of
from ganforge.plugin.registry import Component, Registry
from ganforge.plugin.specs import (
    NO_DISCRIMINATOR,
    TABLES,
    DiscriminatorSpec,
    FeaturesSpec,
    LossSpec,
    MetricSpec,
)
from ganforge.printable import printable

KeyPath = tuple[str, ...]
S = TypeVar("S", bound=ComponentSpec)
B = TypeVar("B", NetworkSettings, TermSettings, MetricSettings)

#: what stands in the table of a component beside its options
_BESIDE: dict[str, type] = {
    "generator": NetworkSettings,
    "discriminator": NetworkSettings,
    "loss": TermSettings,
    "metric": MetricSettings,
}

DEFAULT = Flag("default")

#: what a run is made of where nothing is said
DEFAULTS = Layer(
    entries=(
        Entry(path=("generator", "name"), value="dcgan", origin=DEFAULT),
        Entry(path=("dataset", "name"), value="digits", origin=DEFAULT),
        Entry(path=("generator_optimizer", "name"), value="adam", origin=DEFAULT),
        Entry(path=("discriminator_optimizer", "name"), value="adam", origin=DEFAULT),
    ),
    tables={"loss": Names(("nonsat",), DEFAULT)},
)


class Chooser:
    """The components that layers choose, later layers over earlier ones.

    What is wrong is noted in `complaints`, so that everything is told at once.
    """

    def __init__(self, layers: Sequence[Layer], registry: Registry) -> None:
        self.registry = registry
        self.complaints: list[Complaint] = []
        self.tables: dict[str, Names] = {kind: Names() for kind in TABLES}
        self.entries: dict[KeyPath, Entry] = {}
        #: the tables of the components that a stored run had
        self.stored: set[KeyPath] = set()
        self.companions = True
        #: the kinds whose last choice stands in a whole configuration: nothing is added to it
        self.listed: set[str] = set()
        #: true where a later layer has chosen other metrics, and no extractor with them
        self.inherits_features = False
        for layer in layers:
            self.add(layer)

    def add(self, layer: Layer) -> None:
        entries = {entry.path: entry for entry in layer.entries}
        for path, entry in entries.items():
            old = self.entries.get(path)
            if path[1:] == ("name",) and old and old.value != entry.value:
                # Another component: what was set for the one before says nothing of this one.
                self.forget(path[:1])
        none = entries.get((DiscriminatorSpec.kind, "name"))
        if none is not None and none.value == NO_DISCRIMINATOR:
            # Without one, what an earlier layer has set for it says nothing.
            kept = {p: it for p, it in self.entries.items() if not is_for_discriminator(p)}
            self.entries = {it.path: it for it in DEFAULTS.entries} | kept
        for one, other in (("steps", "epochs"), ("epochs", "steps")):
            if ("training", one) in entries:
                self.entries.pop(("training", other), None)
        if FeaturesSpec.kind in layer.tables:
            # Other extractors: what each metric was to look through before says nothing.
            for metric in self.tables[MetricSpec.kind].names:
                self.entries.pop((MetricSpec.kind, metric, "features"), None)
            self.inherits_features = False
        elif MetricSpec.kind in layer.tables:
            self.inherits_features = True
        chosen_kinds = {path[0] for path in entries if path[1:] == ("name",)} | {*layer.tables}
        self.listed = (self.listed | chosen_kinds) if layer.whole else (self.listed - chosen_kinds)
        for kind, chosen in layer.tables.items():
            for name in set(self.tables[kind].names) - set(chosen.names):
                self.forget((kind, name))
            self.tables[kind] = chosen
        self.entries.update(entries)
        self.companions = self.companions and layer.companions
        if layer.stored:
            self.stored |= {path[:1] for path in entries if path[1:] == ("name",)}
            self.stored |= {
                (kind, it) for kind, found in layer.tables.items() for it in found.names
            }

    def forget(self, prefix: KeyPath) -> None:
        for path in [path for path in self.entries if path[: len(prefix)] == prefix]:
            del self.entries[path]
        self.stored.discard(prefix)

    def complain(self, entry: Entry | None, where: str, what: str) -> None:
        self.complaints.append(Complaint(where=entry.where if entry else where, what=what))

    def place(self, path: KeyPath) -> str:
        """The place where a component of a table is named; the key itself if it is a default."""
        chosen = self.tables.get(path[0], Names())
        named = len(path) == 2 and path[1] in chosen.names and chosen.origin != DEFAULT
        return chosen.origin.place(path) if named else ".".join(path)

    def named(self, kind: type[S], usual: str | None) -> Component[S] | None:
        entry = self.entries.get((kind.kind, "name"))
        name = entry.value if entry else usual
        return None if name is None else self.find(kind, name, entry)

    def selection(self, path: KeyPath, component: Component[S] | None) -> Selection[S] | None:
        if component is None:
            return None
        options = self.options(path, component.spec.options, component)
        if options is None:
            return None
        found = {name: self.entries.get((*path, name)) for name in paths_of(type(options))}
        places = {name: it.place for name, it in found.items() if it and it.place}
        return Selection(component=component, options=options, places=places)

    def find(self, kind: type[S], name: object, entry: Entry | None) -> Component[S] | None:
        if not isinstance(name, str):
            key = ".".join(entry.path) if entry else f"{kind.kind}.name"
            self.complain(entry, kind.kind, f"{key} must be a string, not {name!r}")
            return None
        try:
            return self.registry.find(kind, name)
        except UsageError as error:
            self.complain(entry, kind.kind, str(error))
            return None

    def options(
        self, prefix: KeyPath, options: type, component: Component[Spec] | None = None
    ) -> Any | None:
        """The parsed options of one section; None where something is wrong with them."""
        given: dict[str, Entry] = {}
        for path, entry in self.entries.items():
            if path[: len(prefix)] == prefix and len(path) > len(prefix):
                given[".".join(path[len(prefix) :])] = entry
        reserved = self._reserved(prefix)
        for name in [it for it in given if it in reserved]:
            del given[name]
        known = {it.name for it in describe(options)}
        parsed, complaints = parse(
            options,
            values_of(given, options),
            reserved,
            stored=prefix in self.stored,
        )
        owner = f" of the {component.kind} {component.name!r}" if component else ""
        for name, what in complaints.items():
            key = printable(".".join(part for part in (*prefix, name) if part))
            if component and known and name and name not in known:
                what += f" (`ganforge show {self.registry.short_name(component)}` lists them)"
            if name in given:
                self.complain(given[name], "", f"{key}{owner}: {what}")
            else:
                self.complain(None, f"{key}{owner}", what)
        return parsed

    @staticmethod
    def _reserved(prefix: KeyPath) -> tuple[str, ...]:
        """The keys of a table that are not options of its component."""
        beside = _BESIDE.get(prefix[0])
        named = () if prefix[0] in (*SECTIONS, *TABLES) else ("name",)
        return named + (tuple(it.name for it in describe(beside)) if beside else ())

    def beside(self, prefix: KeyPath, settings: type[B], **defaults: object) -> B | None:
        """The engine's settings for a component, from the same table as its options."""
        given = {
            field.name: entry
            for field in describe(settings)
            if (entry := self.entries.get((*prefix, field.name))) is not None
        }
        raw = defaults | values_of(given, settings)
        parsed, complaints = parse(settings, raw)
        for name, what in complaints.items():
            key = printable(".".join((*prefix, name)))
            self.complain(given.get(name), key, f"{key}: {what}" if name in given else what)
        return parsed

    def several(self, kind: type[S]) -> tuple[Selection[S], ...]:
        return tuple(it for _, _, it in self.chosen(kind) if it is not None)

    def chosen(self, kind: type[S]) -> Iterator[tuple[str, Component[S], Selection[S] | None]]:
        """The components of a kind of which a run may have any number, by the names given.

        The selection is None where something is wrong with the options.
        """
        chosen = self.tables[kind.kind]
        seen: list[Component[S]] = []
        for name in chosen.names:
            path = (kind.kind, name)
            component = self.find(kind, name, Entry(path=path, value="", origin=chosen.origin))
            if component is None:
                continue
            if component in seen:
                what = f"the {kind.kind} {component.name!r} is named twice"
                what += "; give it a weight instead" if kind is LossSpec else ""
                self.complain(None, chosen.origin.place(path), what)
                continue
            seen.append(component)
            yield name, component, self.selection(path, component)


def is_for_discriminator(path: KeyPath) -> bool:
    """True for a key that says nothing in a run without a discriminator, its own table aside."""
    section, *key = path
    return section == "discriminator_optimizer" or (
        section == "training" and not FOR_DISCRIMINATOR.isdisjoint(key)
    )


def values_of(given: Mapping[str, Entry], options: type) -> dict[str, object]:
    """The values of entries by name; where an option is a string, what was typed is one."""
    texts = {it.name for it in describe(options) if it.is_text}
    return {
        name: entry.value if entry.typed is None or name not in texts else entry.typed
        for name, entry in given.items()
    }
