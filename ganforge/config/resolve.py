"""From layers of TOML, flags and `--set` to a `RunConfig`.

Every problem is found and reported at once, without importing torch.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ganforge.config.compatibility import incompatibilities
from ganforge.config.layers import Entry, Flag, Layer, Names
from ganforge.config.run_config import (
    ALL_SECTIONS,
    OPTIMIZER_SECTIONS,
    KeyPath,
    RunConfig,
    Selection,
    Term,
    TermSettings,
    sample_field,
)
from ganforge.config.settings import DEFAULT_STEPS, OPTIMIZERS, SECTIONS, OptimizerSettings
from ganforge.errors import Complaint, ConfigError, UsageError, did_you_mean, listed
from ganforge.plugin.options import describe, parse
from ganforge.plugin.registry import Component, Registry
from ganforge.plugin.specs import (
    NO_DISCRIMINATOR,
    TABLES,
    ComponentSpec,
    DatasetSpec,
    FormatSpec,
    GeneratorSpec,
    LossSpec,
)
from ganforge.printable import printable

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


def resolve(layers: Sequence[Layer], registry: Registry) -> RunConfig:
    """The configuration that the layers, later over earlier, and the defaults amount to.

    Raises ConfigError with everything that is wrong.
    """
    return _Resolver([DEFAULTS, *layers], registry).resolve()


class _Resolver:
    def __init__(self, layers: Sequence[Layer], registry: Registry) -> None:
        self.registry = registry
        self.complaints: list[Complaint] = []
        self.tables: dict[str, Names] = {kind: Names() for kind in TABLES}
        self.entries: dict[KeyPath, Entry] = {}
        for layer in layers:
            self._add(layer)

    def _add(self, layer: Layer) -> None:
        entries = {entry.path: entry for entry in layer.entries}
        for path, entry in entries.items():
            old = self.entries.get(path)
            if path[1:] == ("name",) and old and old.value != entry.value:
                # Another component: what was set for the one before says nothing of this one.
                self._forget(path[:1])
        for one, other in (("steps", "epochs"), ("epochs", "steps")):
            if ("training", one) in entries:
                self.entries.pop(("training", other), None)
        for kind, chosen in layer.tables.items():
            for name in set(self.tables[kind].names) - set(chosen.names):
                self._forget((kind, name))
            self.tables[kind] = chosen
        self.entries.update(entries)

    def _forget(self, prefix: KeyPath) -> None:
        for path in [path for path in self.entries if path[: len(prefix)] == prefix]:
            del self.entries[path]

    def _complain(self, entry: Entry | None, where: str, what: str) -> None:
        self.complaints.append(Complaint(where=entry.where if entry else where, what=what))

    def resolve(self) -> RunConfig:
        self._check_sections()
        network = self._named("generator", None)
        generator = self._selection(("generator",), network)
        partners = network.spec if network else None
        named = partners if isinstance(partners, GeneratorSpec) else None
        discriminator = self._partner("discriminator", named)
        sampler = self._partner("sampler", named)
        dataset = self._selection(("dataset",), self._named("dataset", None))
        losses = self._losses()
        metrics = [it for _, _, it in self._chosen("metric") if it is not None]
        callbacks = [it for _, _, it in self._chosen("callback") if it is not None]
        optimizers = [self._optimizer(section) for section in OPTIMIZER_SECTIONS]
        sections = {name: self._options((name,), cls) for name, cls in SECTIONS.items()}
        training = sections["training"]
        if training is not None and training.steps is not None and training.epochs is not None:
            self._complain(
                self.entries[("training", "epochs")],
                "training",
                "training.steps and training.epochs exclude each other",
            )
        elif training is not None and training.epochs is None and training.steps is None:
            sections["training"] = dataclasses.replace(training, steps=DEFAULT_STEPS)
        if self.complaints or dataset is None:
            raise ConfigError(self.complaints)
        chosen_format = self._format(dataset)
        if chosen_format is None:
            raise ConfigError(self.complaints)
        config = RunConfig(
            generator=generator,  # type: ignore[arg-type]
            discriminator=discriminator,
            sampler=sampler,  # type: ignore[arg-type]
            dataset=dataset,
            format=chosen_format,
            losses=losses,
            metrics=tuple(metrics),
            callbacks=tuple(callbacks),
            generator_optimizer=optimizers[0],  # type: ignore[arg-type]
            discriminator_optimizer=optimizers[1],  # type: ignore[arg-type]
            **sections,  # type: ignore[arg-type]
        )
        for path, what in incompatibilities(config):
            self._complain(self.entries.get(path), self._place(path), what)
        if self.complaints:
            raise ConfigError(self.complaints)
        return config

    def _place(self, path: KeyPath) -> str:
        """Where a component of a table is named; the key itself where nobody has."""
        chosen = self.tables.get(path[0], Names())
        named = len(path) == 2 and path[1] in chosen.names and chosen.origin != DEFAULT
        return chosen.origin.place(path) if named else ".".join(path)

    def _check_sections(self) -> None:
        for path, entry in self.entries.items():
            name = printable(path[0])
            if path[0] not in ALL_SECTIONS:
                near = did_you_mean(path[0], ALL_SECTIONS)
                what = f"unknown section {name!r}{near or '; there are ' + listed(ALL_SECTIONS)}"
                self._complain(entry, "", what)
            elif len(path) == 1:
                what = f"{name} is a section: write {name}.KEY, or [{name}] in a file"
                self._complain(entry, "", what)
            elif path[0] in TABLES and len(path) == 2:
                key = printable(".".join(path))
                what = f"{key} is a section: write {key}.OPTION, or [{key}] in a file"
                self._complain(entry, "", what)
            elif path[0] in TABLES and path[1] not in self.tables[name].names:
                chosen, shown = self.tables[name].names, printable(path[1])
                known = listed([repr(it) for it in chosen]) if chosen else "none"
                what = f"the {name} {shown!r} is not part of this run, which has {known}"
                self._complain(entry, "", f"{what}; add it with --{name} {shown}")

    def _partner(self, section: str, generator: GeneratorSpec | None) -> Selection | None:
        """The discriminator or the sampler: the one named, or the generator's usual one."""
        if generator is None and (section, "name") not in self.entries:
            return None  # it cannot be told without the generator, which is complained of
        usual: str | None = getattr(generator, section, None)
        chosen = self.entries.get((section, "name"))
        if section == "discriminator" and chosen is not None and chosen.value == NO_DISCRIMINATOR:
            for path, orphan in self.entries.items():
                if path[0] == section and path != (section, "name"):
                    self._complain(orphan, "", "there is no discriminator in this run")
            return None
        component = self._named(section, usual)
        if component is None and usual is None and (section, "name") not in self.entries:
            for path, orphan in self.entries.items():
                if path[0] == section:
                    self._complain(orphan, "", f"there is no {section}; set {section}.name")
        return self._selection((section,), component)

    def _named(self, section: str, usual: str | None) -> Component | None:
        entry = self.entries.get((section, "name"))
        name = entry.value if entry else usual
        return None if name is None else self._find(section, name, entry)

    def _selection(self, path: KeyPath, component: Component | None) -> Selection | None:
        if component is None:
            return None
        assert isinstance(component.spec, ComponentSpec)
        options = self._options(path, component.spec.options, component)
        if options is None:
            return None
        return Selection(component=component, options=options)

    def _find(self, kind: str, name: object, entry: Entry | None) -> Component | None:
        if not isinstance(name, str):
            self._complain(entry, kind, f"{kind}.name must be a string, not {name!r}")
            return None
        try:
            return self.registry.find(kind, name)
        except UsageError as error:
            self._complain(entry, kind, str(error))
            return None

    def _options(
        self, prefix: KeyPath, options: type, component: Component | None = None
    ) -> Any | None:
        """The parsed options of one section; None where something is wrong with them."""
        given: dict[str, Entry] = {}
        for path, entry in self.entries.items():
            if path[: len(prefix)] == prefix and len(path) > len(prefix):
                given[".".join(path[len(prefix) :])] = entry
        reserved = self._reserved(prefix)
        for name in reserved:
            given.pop(name, None)
        raw = {name: entry.value for name, entry in given.items()}
        parsed, complaints = parse(options, raw, reserved)
        owner = f" of the {component.kind} {component.name!r}" if component else ""
        for name, what in complaints.items():
            key = printable(".".join(part for part in (*prefix, name) if part))
            if component and what.startswith("unknown option") and any(describe(options)):
                what += f" (`ganforge show {self.registry.short_name(component)}` lists them)"
            if name in given:
                self._complain(given[name], "", f"{key}{owner}: {what}")
            else:
                self._complain(None, f"{key}{owner}", what)
        return parsed

    @staticmethod
    def _reserved(prefix: KeyPath) -> tuple[str, ...]:
        if prefix[0] == "loss":
            return ("weight", "every")
        return () if prefix[0] in (*SECTIONS, *TABLES) else ("name",)

    def _format(self, dataset: Selection) -> Selection | None:
        """The format of the data set's samples; None where something is wrong with it."""
        sample = sample_field(dataset)
        entry = self.entries.get(("dataset", "name"))
        shown = f"the data set {dataset.component.name!r} of {dataset.component.origin}"
        try:
            component = self.registry.find("format", sample.format_name)
        except UsageError as error:
            what = f"{shown} names a format for its samples, and {error}"
            self._complain(entry, "dataset.name", what)
            return None
        spec = component.spec
        assert isinstance(spec, FormatSpec)
        if sample.kind not in spec.kinds:
            what = (
                f"{shown} gives samples of kind {sample.kind!r}, and names the format "
                f"{spec.name!r} for them, which shows {listed(spec.kinds)}"
            )
            self._complain(entry, "dataset.name", what)
            return None
        return Selection(component=component, options=spec.options())

    def _losses(self) -> tuple[Term, ...]:
        chosen = self.tables["loss"]
        if not chosen.names:
            what = "a run needs at least one loss; the default is nonsat"
            self._complain(None, chosen.origin.place(("loss",)), what)
        terms: list[Term] = []
        for name, component, selection in self._chosen("loss"):
            assert isinstance(component.spec, LossSpec)
            weight = self._number(("loss", name, "weight"), 1.0)
            every = self._number(("loss", name, "every"), component.spec.every)
            if selection is not None and weight is not None and every is not None:
                options = selection.options
                terms.append(
                    Term(component=component, options=options, weight=weight, every=int(every))
                )
        return tuple(terms)

    def _chosen(self, kind: str) -> Iterator[tuple[str, Component, Selection | None]]:
        """The components of a kind of which a run may have any number, by the names given.

        The selection is None where something is wrong with the options.
        """
        chosen = self.tables[kind]
        seen: list[Component] = []
        for name in chosen.names:
            path = (kind, name)
            component = self._find(kind, name, Entry(path=path, value="", origin=chosen.origin))
            if component is None:
                continue
            if component in seen:
                what = f"the {kind} {component.name!r} is named twice"
                what += "; give it a weight instead" if kind == "loss" else ""
                self._complain(None, chosen.origin.place(path), what)
                continue
            seen.append(component)
            yield name, component, self._selection(path, component)

    def _number(self, path: KeyPath, default: float) -> float | None:
        entry = self.entries.get(path)
        if entry is None:
            return default
        fields = {field.name: field for field in describe(TermSettings)}
        try:
            value: float = fields[path[-1]].parse(entry.value)
        except ValueError as error:
            self._complain(entry, "", f"{printable('.'.join(path))}: {error}")
            return None
        return value

    def _optimizer(self, section: str) -> OptimizerSettings | None:
        entry = self.entries[(section, "name")]
        name = entry.value
        if not isinstance(name, str) or name not in OPTIMIZERS:
            near = did_you_mean(str(name), OPTIMIZERS)
            known = listed(list(OPTIMIZERS))
            what = f"there is no optimizer {name!r}{near or '; there are ' + known}"
            self._complain(entry, "", f"{section}.name: {what}")
            return None
        return self._options((section,), OPTIMIZERS[name])


def path_layer(dataset: str, registry: Registry) -> Layer:
    """The layer of `--dataset NAME_OR_PATH`.

    A path is one that exists or has a separator, and is no component's name nor begins with the
    name of a plugin's package; it goes to the data set whose spec names a `path_option`.
    """
    origin = Flag("--dataset")
    datasets = registry.of_kind("dataset")
    is_name = any(dataset in (c.name, c.qualified_name) for c in datasets)
    openers = [
        (c, c.spec.path_option)
        for c in datasets
        if isinstance(c.spec, DatasetSpec) and c.spec.path_option is not None
    ]
    package, separator, _ = dataset.partition("/")
    looks_like_path = (
        dataset.startswith((".", "~"))
        or (separator and package not in registry.packages)
        or (dataset and _exists(dataset))
    )
    if is_name or not openers or not looks_like_path:
        return Layer(entries=(Entry(path=("dataset", "name"), value=dataset, origin=origin),))
    opener, option_name = openers[0]
    return Layer(
        entries=(
            Entry(path=("dataset", "name"), value=registry.short_name(opener), origin=origin),
            Entry(path=("dataset", option_name), value=dataset, origin=origin),
        )
    )


def _exists(path: str) -> bool:
    try:
        return Path(path).exists()
    except (OSError, ValueError):  # a name too long for a file, or one with a null byte
        return False
