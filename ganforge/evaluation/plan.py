"""A plan of an evaluation: what is compared with what, by which metrics; made without torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from ganforge.config.choosing import Chooser
from ganforge.config.data_path import path_layer
from ganforge.config.layers import Entry, Flag, Layer, Names, from_run
from ganforge.config.measures import Extractors, chosen_metrics, unmet
from ganforge.config.run_config import MetricSelection, Selection, fields_of
from ganforge.config.settings import EvaluationSettings, ExecutionSettings
from ganforge.errors import ConfigError, DataError, UsageError, did_you_mean, listed
from ganforge.plugin.fields import LABEL, SAMPLE, Field
from ganforge.plugin.options import describe
from ganforge.plugin.registry import Registry
from ganforge.plugin.specs import DatasetSpec, MetricSpec
from ganforge.printable import printable
from ganforge.storage.run_directory import RunDirectory

from .source import Source, find_source

Split = Literal["held-out", "training"]
NUM_SAMPLES = 10_000
#: what of a run's configuration says how it is evaluated
_OF_RUNS = ("dataset", "metric", "features", "evaluation", "execution")
#: what `--set` can set here
_SETTABLE = ("dataset", "metric", "features", "execution")


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request for an evaluation, as a person gives it.

    `settings` are options of data, metrics and extractors; `data` are those of a data set that a
    program hands over, in place of `dataset`.
    """

    path: Path
    dataset: str | None = None
    metrics: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    num: int = NUM_SAMPLES
    split: Split | None = None
    seed: int = 0
    truncation: float | None = None
    best: bool = False
    device: str | None = None
    settings: Layer = field(default_factory=Layer)
    data: tuple[Entry, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Plan of what is compared. `holdout` is the share of the data that a run with `split_seed`
    has held out; `held_out` the part that the set itself keeps for this, where it does.
    """

    request: Request
    source: Source
    dataset: Selection[DatasetSpec]
    held_out: Selection[DatasetSpec] | None
    holdout: float
    split_seed: int
    execution: ExecutionSettings
    chooser: Chooser = field(repr=False)

    @property
    def trained_on_this(self) -> RunDirectory | None:
        """The run whose own data set it is; None where the request names another one."""
        if self.source.run is None or self.request.dataset is not None or self.request.data:
            return None
        return self.source.run

    @property
    def has_held_out(self) -> bool:
        """True where there are samples that were not trained on."""
        return self.holdout > 0 or self.held_out is not None

    @property
    def split(self) -> Split:
        """The samples that generated ones are compared with."""
        usual: Split = "held-out" if self.has_held_out else "training"
        return self.request.split or usual

    def known(self, fields: Mapping[str, Field]) -> set[str]:
        """Quantities to be read beside samples, features, and what the data set knows."""
        found = self.source.known(fields)
        apart = self.has_held_out and self.split == "held-out"
        return found | {"training"} if apart else found

    def metrics(
        self, fields: Mapping[str, Field]
    ) -> tuple[tuple[MetricSelection, ...], dict[str, str]]:
        """The metrics for data of these fields, and why others are left out.

        Where none was named these are all that suit the samples and what there is. Raises
        ConfigError where one that was named does not.
        """
        self.chooser.complaints.clear()
        if not self.request.metrics:
            return self._usual(fields)
        chosen = chosen_metrics(self.chooser, fields)
        known, spec = self.known(fields), self.dataset.spec
        for it in chosen:
            what = it.spec.refusal(fields[SAMPLE]) or unmet(it.spec, known, spec.gives, spec.name)
            if what:
                where = self.chooser.place(("metric", it.component.name))
                self.chooser.complain(None, where, f"the metric {it.spec.name!r} {what}")
        if self.chooser.complaints:
            raise ConfigError(self.chooser.complaints)
        return chosen, {}

    def _usual(
        self, fields: Mapping[str, Field]
    ) -> tuple[tuple[MetricSelection, ...], dict[str, str]]:
        known, dataset = self.known(fields), self.dataset.spec
        extractors = Extractors(self.chooser, fields)
        chosen: list[MetricSelection] = []
        left_out: dict[str, str] = {}
        registry = self.chooser.registry
        for component in registry.of_kind(MetricSpec):
            spec, name = component.spec, registry.short_name(component)
            if not spec.usual or spec.refusal(fields[SAMPLE]):
                continue
            reason = unmet(spec, known, dataset.gives, dataset.name)
            if reason is None:
                entry = self.chooser.entries.get(("metric", name, "features"))
                try:
                    looks = extractors.of(component, None if entry is None else str(entry.value))
                except UsageError as error:
                    reason = str(error)
                else:
                    selection = self.chooser.selection(("metric", name), component)
                    if selection is not None:
                        it = MetricSelection(
                            component=component, options=selection.options, features=looks
                        )
                        chosen.append(it)
                        continue
                    reason = "its options have to be given; --metric names it"
            left_out[name] = reason
        extractors.complain_of_idle(chosen)
        if self.chooser.complaints:
            raise ConfigError(self.chooser.complaints)
        if not chosen:
            raise UsageError(
                f"no metric suits these samples ({fields[SAMPLE].shown()}); --metric names one, "
                "and `ganforge list-plugins` lists them"
            )
        return tuple(chosen), left_out

    def check_available(self) -> None:
        """Raise DataError where data, or what an extractor needs, is found not to be there."""
        self.dataset.check_available()
        for it in self.metrics(fields_of(self.dataset))[0]:
            it.check_available()
            if it.features is not None:
                it.features.check_available()


def make_plan(request: Request, registry: Registry) -> Plan:
    """The plan for a request. Raises UsageError for whatever can be told without torch."""
    source = find_source(request.path, registry, best=request.best)
    layers = [*_layers(request, source, registry)]
    chooser = Chooser(layers, registry)
    _check_settings(layers[-1], request, chooser)
    dataset = chooser.selection(("dataset",), chooser.named(DatasetSpec, None))
    evaluation = chooser.options(("evaluation",), EvaluationSettings)
    execution = chooser.options(("execution",), ExecutionSettings)
    if chooser.complaints or dataset is None or evaluation is None or execution is None:
        raise ConfigError(chooser.complaints)
    # The samples of another set than the run's were never split.
    own = source.run is not None and request.dataset is None
    holdout = evaluation.holdout if own else 0.0
    seed = chooser.entries.get(("training", "seed"))
    plan = Plan(
        request=request,
        source=source,
        dataset=dataset,
        held_out=None if holdout else _held_out(dataset),
        holdout=holdout,
        split_seed=seed.value if holdout and seed and isinstance(seed.value, int) else 0,
        execution=execution,
        chooser=chooser,
    )
    _check_split(plan)
    fields = fields_of(dataset)
    _check_shape(plan, fields[SAMPLE])
    missing = sorted(source.needed - fields.keys() - {LABEL})
    if missing:
        shown = printable(dataset.component.name)
        raise DataError(f"the data set {shown!r} does not have {listed(missing)}")
    _check_effect(plan, layers[-1], fields)
    return plan


def _layers(request: Request, source: Source, registry: Registry) -> Iterator[Layer]:
    """The layers of a request: what the run says, which data, which metrics, and `--set`."""
    if source.run is not None:
        stored = from_run(source.run.config)
        kept = [
            it for it in stored.entries if it.path[0] in _OF_RUNS or it.path == ("training", "seed")
        ]
        # What its metrics were set to holds where they are measured here.
        names = {
            kind: stored.tables[kind] for kind in ("metric", "features") if kind in stored.tables
        }
        yield replace(stored, entries=tuple(kept), tables=names)
    elif request.dataset is None and not request.data:
        raise UsageError(
            f"{printable(request.path)} does not say which data it is to be compared with: "
            "--dataset NAME|PATH does"
        )
    if request.dataset is not None:
        chosen = path_layer(request.dataset, registry)
        entries = (*chosen.entries, *_sizes(chosen, source, registry))
        yield Layer(entries=entries, whole=True)  # data, and no run on it
    if request.data:
        yield Layer(entries=request.data)
    if request.metrics:
        yield Layer(tables={"metric": Names(request.metrics, Flag("--metric"))})
    if request.features:
        yield Layer(tables={"features": Names(request.features, Flag("--features"))})
    device = (
        ()
        if request.device is None
        else (Entry(path=("execution", "device"), value=request.device, origin=Flag("--device")),)
    )
    yield Layer(entries=(*device, *request.settings.entries))


def _sizes(chosen: Layer, source: Source, registry: Registry) -> Iterator[Entry]:
    """The size and the channels of images, for a data set that is not the run's own."""
    if source.shape is None or len(source.shape) != 3:
        return
    channels, height, width = source.shape
    try:
        component = registry.find(DatasetSpec, str(chosen.entries[0].value))
    except UsageError:
        return  # which is complained of later
    known = {it.name for it in describe(component.spec.options)}
    values: dict[str, Any] = {"channels": channels, "size": width}
    if height != width:
        values["height"] = height
    for name, value in values.items():
        if name in known:
            yield Entry(path=("dataset", name), value=value, origin=Flag("--dataset"))


def _check_settings(given: Layer, request: Request, chooser: Chooser) -> None:
    """Note what `--set` sets that an evaluation does not read."""
    for entry in given.entries:
        section, shown = entry.path[0], printable(".".join(entry.path))
        if section not in _SETTABLE:
            near = did_you_mean(section, _SETTABLE) or f"; it reads {listed(_SETTABLE)}"
            chooser.complain(entry, "", f"{shown} says nothing of an evaluation{near}")
        elif section in ("metric", "features"):
            name = entry.path[1] if len(entry.path) > 2 else ""
            names = request.metrics if section == "metric" else chooser.tables[section].names
            if name in names or (section == "metric" and name and not request.metrics):
                continue
            what = f"{shown}: the {section} {printable(name)!r} is not part of this evaluation"
            chooser.complain(entry, "", f"{what}; add it with --{section}")


def _check_effect(plan: Plan, given: Layer, fields: Mapping[str, Field]) -> None:
    """Raise ConfigError for a setting of a metric that is not measured."""
    chosen, left_out = plan.metrics(fields)
    names = [plan.chooser.registry.short_name(it.component) for it in chosen]
    names += [it.config_name for it in chosen]
    for entry in given.entries:
        if entry.path[0] == "metric" and entry.path[1] not in names:
            name = printable(entry.path[1])
            why = left_out.get(entry.path[1])
            near = f": it {why}" if why else did_you_mean(entry.path[1], names)
            plan.chooser.complain(entry, "", f"the metric {name!r} is not measured here{near}")
    if plan.chooser.complaints:
        raise ConfigError(plan.chooser.complaints)


def _held_out(dataset: Selection[DatasetSpec]) -> Selection[DatasetSpec] | None:
    """The part that a set itself keeps out of training, where it has one that is here."""
    if dataset.spec.held_out is None:
        return None
    options = dataset.says("held_out")
    if options is None:
        return None
    selection = replace(dataset, options=options)
    try:
        selection.check_available()
    except DataError:
        return None
    return selection


def _check_split(plan: Plan) -> None:
    if plan.split == "held-out" and not plan.has_held_out:
        name = plan.dataset.component.name
        raise UsageError(
            f"--split held-out: nothing is held out of training here. A run holds a share out with "
            f"evaluation.holdout, and the data set {name!r} has no part for it"
        )


def _check_shape(plan: Plan, sample: Field) -> None:
    wanted, found = plan.source.shape, sample.shape
    if wanted is None or found is None or wanted == found:
        return
    shown = [" x ".join(map(str, it)) for it in (found, wanted)]
    raise DataError(
        f"the data set {plan.dataset.component.name!r} gives samples of {shown[0]} here, and "
        f"{printable(plan.source.path)} has samples of {shown[1]}"
    )
