"""From layers of TOML, flags and `--set` to a `RunConfig`.

Every problem is found and reported at once, without importing torch.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TypeVar

from ganforge.config.choosing import DEFAULT, DEFAULTS, Chooser, is_for_discriminator
from ganforge.config.companions import add_companions
from ganforge.config.compatibility import incompatibilities
from ganforge.config.layers import Entry, Layer
from ganforge.config.measures import chosen_metrics
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
from ganforge.config.settings import DEFAULT_STEPS, SECTIONS
from ganforge.config.usual_labels import add_usual_labels
from ganforge.errors import ConfigError, UsageError, did_you_mean, listed
from ganforge.plugin.base_specs import ComponentSpec
from ganforge.plugin.fields import SAMPLE
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
    NetworkSpec,
    OptimizerSpec,
    SamplerSpec,
)
from ganforge.printable import printable

S = TypeVar("S", bound=ComponentSpec)
N = TypeVar("N", bound=NetworkSpec)


def resolve(layers: Sequence[Layer], registry: Registry) -> RunConfig:
    """The configuration that the layers, later over earlier, and the defaults amount to.

    Raises ConfigError with everything that is wrong.
    """
    return _Resolver([DEFAULTS, *layers], registry).resolve()


class _Resolver(Chooser):
    """The components of a run, and what cannot work together."""

    def resolve(self) -> RunConfig:
        network = self.named(GeneratorSpec, None)
        generator = self._network(GeneratorSpec, network)
        named = network.spec if network else None
        discriminator = self._discriminator(named)
        game = self._partner(GameSpec, named)
        sampler = self._partner(SamplerSpec, named)
        dataset = self.selection(("dataset",), self.named(DatasetSpec, None))
        augmentations = self.several(AugmentationSpec)
        companions = add_companions(self, discriminator, augmentations)
        usual_labels = add_usual_labels(self, dataset, generator, discriminator, game)
        losses = self._losses()
        metrics = () if dataset is None else chosen_metrics(self, fields_of(dataset))
        callbacks = self.several(CallbackSpec)
        generator_optimizer, discriminator_optimizer = (
            self._optimizer(section) for section in OPTIMIZER_SECTIONS
        )
        sections = {name: self.options((name,), cls) for name, cls in SECTIONS.items()}
        training = sections["training"]
        if training is not None and training.steps is not None and training.epochs is not None:
            self.complain(
                self.entries[("training", "epochs")],
                "training",
                "training.steps and training.epochs exclude each other",
            )
        elif training is not None and training.epochs is None and training.steps is None:
            sections["training"] = dataclasses.replace(training, steps=DEFAULT_STEPS)
        self._check_sections()
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
            companions=companions,
            usual_labels=usual_labels,
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
            self.complain(self.entries.get(path), self.place(path), what)
        if self.complaints:
            raise ConfigError(self.complaints)
        return config

    def _check_sections(self) -> None:
        """Complain of what belongs to nothing, before all else."""
        later, self.complaints = self.complaints, []
        for path, entry in self.entries.items():
            name = printable(path[0])
            if path[0] not in ALL_SECTIONS:
                near = did_you_mean(path[0], ALL_SECTIONS)
                what = f"unknown section {name!r}{near or '; there are ' + listed(ALL_SECTIONS)}"
                self.complain(entry, "", what)
            elif len(path) == 1:
                what = f"{name} is a section: write {name}.KEY, or [{name}] in a file"
                self.complain(entry, "", what)
            elif path[0] in TABLES and len(path) == 2:
                key = printable(".".join(path))
                what = f"{key} is a section: write {key}.OPTION, or [{key}] in a file"
                self.complain(entry, "", what)
            elif path[0] in TABLES and path[1] not in self.tables[name].names:
                chosen, shown = self.tables[name].names, printable(path[1])
                known = listed([repr(it) for it in chosen]) if chosen else "none"
                what = f"the {name} {shown!r} is not part of this run, which has {known}"
                flag = "augment" if name == AugmentationSpec.kind else name
                self.complain(entry, "", f"{what}; add it with --{flag} {shown}")
        self.complaints += later

    def _discriminator(
        self, generator: GeneratorSpec | None
    ) -> NetworkSelection[DiscriminatorSpec] | None:
        """The discriminator: the one named, or the generator's usual one; None for none."""
        section = DiscriminatorSpec.kind
        chosen = self.entries.get((section, "name"))
        if chosen is not None and chosen.value == NO_DISCRIMINATOR:
            for path, orphan in self.entries.items():
                if path[0] == section and path[1:] != ("name",) and not self._is_shared(path):
                    self.complain(orphan, "", "there is no discriminator in this run")
            return None
        if generator is None and chosen is None:
            return None  # it cannot be told without the generator, which is complained of
        usual = None if generator is None else generator.discriminator
        component = self.named(DiscriminatorSpec, usual)
        if component is None and usual is None and chosen is None:
            for path, orphan in self.entries.items():
                if path[0] == section:
                    self.complain(orphan, "", f"there is no {section}; set {section}.name")
        return self._network(DiscriminatorSpec, component)

    def _refuse_settings_of_none(self) -> None:
        """Complain of what is set for a discriminator in a run that has none."""
        for path, entry in self.entries.items():
            known = is_for_discriminator(path) and entry.origin != DEFAULT
            # A flag that sets both sides, and a stored configuration, say every key.
            if known and not self._is_default(path, entry):
                key = printable(".".join(path))
                self.complain(entry, "", f"{key} is for the discriminator, and there is none")

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
        return self.selection((kind.kind,), self.named(kind, usual))

    def _network(self, kind: type[N], component: Component[N] | None) -> NetworkSelection[N] | None:
        selection = self.selection((kind.kind,), component)
        settings = None if component is None else self.beside((kind.kind,), NetworkSettings)
        if selection is None or settings is None:
            return None
        return NetworkSelection(
            component=selection.component, options=selection.options, settings=settings
        )

    def _format(self, dataset: Selection[DatasetSpec]) -> Selection[FormatSpec] | None:
        """The format of the data set's samples; None where something is wrong with it."""
        sample = fields_of(dataset)[SAMPLE]
        entry, shown = self.entries.get(("dataset", "name")), dataset.label
        try:
            component = self.registry.find(FormatSpec, sample.format_name)
        except UsageError as error:
            what = f"{shown} names a format for its samples, and {error}"
            self.complain(entry, "dataset.name", what)
            return None
        if sample.kind not in component.spec.kinds:
            what = (
                f"{shown} gives samples of kind {sample.kind!r}, and names the format "
                f"{component.name!r} for them, which shows {listed(component.spec.kinds)}"
            )
            self.complain(entry, "dataset.name", what)
            return None
        return Selection(component=component, options=component.spec.options())

    def _losses(self) -> tuple[Term, ...]:
        chosen = self.tables["loss"]
        if not chosen.names:
            what = "a run needs at least one loss; the default is nonsat"
            self.complain(None, chosen.origin.place(("loss",)), what)
        terms: list[Term] = []
        for name, component, selection in self.chosen(LossSpec):
            settings = self.beside(("loss", name), TermSettings, every=component.spec.every)
            if selection is not None and settings is not None:
                terms.append(
                    Term(component=component, options=selection.options, settings=settings)
                )
        return tuple(it.balanced_with(terms) for it in terms)

    def _optimizer(self, section: str) -> Selection[OptimizerSpec] | None:
        entry = self.entries[(section, "name")]
        return self.selection((section,), self.find(OptimizerSpec, entry.value, entry))
