"""From layers of TOML, flags and `--set` to a `RunConfig`.

Every problem is found and reported at once, without importing torch.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from ganforge.config.compatibility import incompatibilities
from ganforge.config.layers import Entry, Flag, Layer, Names
from ganforge.config.run_config import (
    ALL_SECTIONS,
    OPTIMIZER_SECTIONS,
    KeyPath,
    NetworkSelection,
    NetworkSettings,
    RunConfig,
    Selection,
    Term,
    TermSettings,
    fields_of,
)
from ganforge.config.settings import DEFAULT_STEPS, FOR_DISCRIMINATOR, SECTIONS
from ganforge.errors import Complaint, ConfigError, UsageError, did_you_mean, listed
from ganforge.plugin.base_specs import ComponentSpec, Spec
from ganforge.plugin.fields import SAMPLE
from ganforge.plugin.options import describe, parse
from ganforge.plugin.registry import Component, Registry
from ganforge.plugin.specs import (
    NO_DISCRIMINATOR,
    TABLES,
    AugmentationSpec,
    CallbackSpec,
    DatasetSpec,
    DiscriminatorSpec,
    FormatSpec,
    GameSpec,
    GeneratorSpec,
    LossSpec,
    MetricSpec,
    NetworkSpec,
    OptimizerSpec,
    SamplerSpec,
)
from ganforge.printable import printable

S = TypeVar("S", bound=ComponentSpec)
N = TypeVar("N", bound=NetworkSpec)
B = TypeVar("B", NetworkSettings, TermSettings)

#: what stands in the table of a component beside its options
_BESIDE: dict[str, type] = {
    "generator": NetworkSettings,
    "discriminator": NetworkSettings,
    "loss": TermSettings,
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
        none = entries.get((DiscriminatorSpec.kind, "name"))
        if none is not None and none.value == NO_DISCRIMINATOR:
            # Without one, what an earlier layer has set for it says nothing.
            kept = {p: it for p, it in self.entries.items() if not _is_for_discriminator(p)}
            self.entries = {it.path: it for it in DEFAULTS.entries} | kept
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
        network = self._named(GeneratorSpec, None)
        generator = self._network(GeneratorSpec, network)
        named = network.spec if network else None
        discriminator = self._discriminator(named)
        game = self._partner(GameSpec, named)
        sampler = self._partner(SamplerSpec, named)
        dataset = self._selection(("dataset",), self._named(DatasetSpec, None))
        losses = self._losses()
        augmentations = self._several(AugmentationSpec)
        metrics = self._several(MetricSpec)
        callbacks = self._several(CallbackSpec)
        generator_optimizer, discriminator_optimizer = (
            self._optimizer(section) for section in OPTIMIZER_SECTIONS
        )
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
        assert generator is not None
        assert game is not None
        assert sampler is not None
        assert generator_optimizer is not None
        assert discriminator_optimizer is not None
        config = RunConfig(
            generator=generator,
            discriminator=discriminator,
            game=game,
            sampler=sampler,
            dataset=dataset,
            format=chosen_format,
            losses=losses,
            augmentations=augmentations,
            metrics=metrics,
            callbacks=callbacks,
            generator_optimizer=generator_optimizer,
            discriminator_optimizer=discriminator_optimizer,
            **sections,  # type: ignore[arg-type]
        )
        if discriminator is None:
            self._refuse_settings_of_none()
            if self.complaints:
                raise ConfigError(self.complaints)
        for path, what in incompatibilities(config):
            self._complain(self.entries.get(path), self._place(path), what)
        if self.complaints:
            raise ConfigError(self.complaints)
        return config

    def _place(self, path: KeyPath) -> str:
        """The place where a component of a table is named; the key itself if it is a default."""
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
                flag = "augment" if name == AugmentationSpec.kind else name
                self._complain(entry, "", f"{what}; add it with --{flag} {shown}")

    def _discriminator(
        self, generator: GeneratorSpec | None
    ) -> NetworkSelection[DiscriminatorSpec] | None:
        """The discriminator: the one named, or the generator's usual one; None for none."""
        section = DiscriminatorSpec.kind
        chosen = self.entries.get((section, "name"))
        if chosen is not None and chosen.value == NO_DISCRIMINATOR:
            for path, orphan in self.entries.items():
                if path[0] == section and path[1:] != ("name",) and not self._is_shared(path):
                    self._complain(orphan, "", "there is no discriminator in this run")
            return None
        if generator is None and chosen is None:
            return None  # it cannot be told without the generator, which is complained of
        usual = None if generator is None else generator.discriminator
        component = self._named(DiscriminatorSpec, usual)
        if component is None and usual is None and chosen is None:
            for path, orphan in self.entries.items():
                if path[0] == section:
                    self._complain(orphan, "", f"there is no {section}; set {section}.name")
        return self._network(DiscriminatorSpec, component)

    def _refuse_settings_of_none(self) -> None:
        """Complain of what is set for a discriminator in a run that has none."""
        for path, entry in self.entries.items():
            known = _is_for_discriminator(path) and entry.origin != DEFAULT
            # A flag that sets both sides, and a stored configuration, say every key.
            if known and not self._is_default(path, entry):
                key = printable(".".join(path))
                self._complain(entry, "", f"{key} is for the discriminator, and there is none")

    def _is_default(self, path: KeyPath, entry: Entry) -> bool:
        """True for a value that says nothing: the usual one, or one set for both sides."""
        if path[0] == "discriminator_optimizer":
            return self._is_shared(path)
        default = getattr(SECTIONS[path[0]](), path[1], None)
        return bool(entry.value == default)

    def _is_shared(self, path: KeyPath) -> bool:
        """True where the generator's side has the same value, as a flag sets it for both."""
        twin = self.entries.get((path[0].replace("discriminator", "generator"), *path[1:]))
        return twin is not None and twin.value == self.entries[path].value

    def _partner(self, kind: type[S], generator: GeneratorSpec | None) -> Selection[S] | None:
        """The sampler or the game: the one named, or the generator's usual one."""
        if generator is None and (kind.kind, "name") not in self.entries:
            return None  # it cannot be told without the generator, which is complained of
        usual: str | None = getattr(generator, kind.kind, None)
        return self._selection((kind.kind,), self._named(kind, usual))

    def _named(self, kind: type[S], usual: str | None) -> Component[S] | None:
        entry = self.entries.get((kind.kind, "name"))
        name = entry.value if entry else usual
        return None if name is None else self._find(kind, name, entry)

    def _selection(self, path: KeyPath, component: Component[S] | None) -> Selection[S] | None:
        if component is None:
            return None
        options = self._options(path, component.spec.options, component)
        return None if options is None else Selection(component=component, options=options)

    def _network(self, kind: type[N], component: Component[N] | None) -> NetworkSelection[N] | None:
        selection = self._selection((kind.kind,), component)
        settings = None if component is None else self._beside((kind.kind,), NetworkSettings)
        if selection is None or settings is None:
            return None
        return NetworkSelection(
            component=selection.component, options=selection.options, settings=settings
        )

    def _find(self, kind: type[S], name: object, entry: Entry | None) -> Component[S] | None:
        if not isinstance(name, str):
            key = ".".join(entry.path) if entry else f"{kind.kind}.name"
            self._complain(entry, kind.kind, f"{key} must be a string, not {name!r}")
            return None
        try:
            return self.registry.find(kind, name)
        except UsageError as error:
            self._complain(entry, kind.kind, str(error))
            return None

    def _options(
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
        parsed, complaints = parse(options, {k: it.value for k, it in given.items()}, reserved)
        owner = f" of the {component.kind} {component.name!r}" if component else ""
        known = {it.name for it in describe(options)}
        for name, what in complaints.items():
            key = printable(".".join(part for part in (*prefix, name) if part))
            if component and known and name and name not in known:
                what += f" (`ganforge show {self.registry.short_name(component)}` lists them)"
            if name in given:
                self._complain(given[name], "", f"{key}{owner}: {what}")
            else:
                self._complain(None, f"{key}{owner}", what)
        return parsed

    @staticmethod
    def _reserved(prefix: KeyPath) -> tuple[str, ...]:
        """The keys of a table that are not options of its component."""
        beside = _BESIDE.get(prefix[0])
        named = () if prefix[0] in (*SECTIONS, *TABLES) else ("name",)
        return named + (tuple(it.name for it in describe(beside)) if beside else ())

    def _beside(self, prefix: KeyPath, settings: type[B], **defaults: object) -> B | None:
        """The engine's settings for a component, from the same table as its options."""
        given = {
            field.name: entry
            for field in describe(settings)
            if (entry := self.entries.get((*prefix, field.name))) is not None
        }
        raw = defaults | {name: entry.value for name, entry in given.items()}
        parsed, complaints = parse(settings, raw)
        for name, what in complaints.items():
            key = printable(".".join((*prefix, name)))
            self._complain(given.get(name), key, f"{key}: {what}" if name in given else what)
        return parsed

    def _format(self, dataset: Selection[DatasetSpec]) -> Selection[FormatSpec] | None:
        """The format of the data set's samples; None where something is wrong with it."""
        sample = fields_of(dataset)[SAMPLE]
        entry, shown = self.entries.get(("dataset", "name")), dataset.label
        try:
            component = self.registry.find(FormatSpec, sample.format_name)
        except UsageError as error:
            what = f"{shown} names a format for its samples, and {error}"
            self._complain(entry, "dataset.name", what)
            return None
        if sample.kind not in component.spec.kinds:
            what = (
                f"{shown} gives samples of kind {sample.kind!r}, and names the format "
                f"{component.name!r} for them, which shows {listed(component.spec.kinds)}"
            )
            self._complain(entry, "dataset.name", what)
            return None
        return Selection(component=component, options=component.spec.options())

    def _losses(self) -> tuple[Term, ...]:
        chosen = self.tables["loss"]
        if not chosen.names:
            what = "a run needs at least one loss; the default is nonsat"
            self._complain(None, chosen.origin.place(("loss",)), what)
        terms: list[Term] = []
        for name, component, selection in self._chosen(LossSpec):
            settings = self._beside(("loss", name), TermSettings, every=component.spec.every)
            if selection is not None and settings is not None:
                terms.append(
                    Term(component=component, options=selection.options, settings=settings)
                )
        return tuple(it.balanced_with(terms) for it in terms)

    def _several(self, kind: type[S]) -> tuple[Selection[S], ...]:
        return tuple(it for _, _, it in self._chosen(kind) if it is not None)

    def _chosen(self, kind: type[S]) -> Iterator[tuple[str, Component[S], Selection[S] | None]]:
        """The components of a kind of which a run may have any number, by the names given.

        The selection is None where something is wrong with the options.
        """
        chosen = self.tables[kind.kind]
        seen: list[Component[S]] = []
        for name in chosen.names:
            path = (kind.kind, name)
            component = self._find(kind, name, Entry(path=path, value="", origin=chosen.origin))
            if component is None:
                continue
            if component in seen:
                what = f"the {kind.kind} {component.name!r} is named twice"
                what += "; give it a weight instead" if kind is LossSpec else ""
                self._complain(None, chosen.origin.place(path), what)
                continue
            seen.append(component)
            yield name, component, self._selection(path, component)

    def _optimizer(self, section: str) -> Selection[OptimizerSpec] | None:
        entry = self.entries[(section, "name")]
        return self._selection((section,), self._find(OptimizerSpec, entry.value, entry))


def _is_for_discriminator(path: KeyPath) -> bool:
    """True for a key that says nothing in a run without a discriminator, its own table aside."""
    section, *key = path
    return section == "discriminator_optimizer" or (
        section == "training" and not FOR_DISCRIMINATOR.isdisjoint(key)
    )
