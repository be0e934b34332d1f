"""Metrics of a configuration, and the extractors that they look through."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ganforge.config.choosing import Chooser
from ganforge.config.selection import MetricSelection, MetricSettings, Selection
from ganforge.errors import UsageError, did_you_mean, listed
from ganforge.plugin.fields import LABEL, SAMPLE, Field
from ganforge.plugin.measure_specs import OF_FEATURES
from ganforge.plugin.registry import Component
from ganforge.plugin.specs import FeaturesSpec, MetricSpec

#: the usual extractor by the kind of the samples, and of those whose kind has none of its own
USUAL_FEATURES = {"vector": "identity"}
OF_LABELLED_IMAGES = "classifier"
OF_OTHERS = "random"

#: what a metric reads that a run may lack -> what that is, and how it is had
LACKS = {
    "training": "compares with what was trained on, beside samples that were not, and this run "
    "holds nothing out; set evaluation.holdout",
    "reconstruction": "compares real samples with what the generator makes of them, and this run "
    "has nothing of the kind: it takes a sampler such as 'reconstruct', or 'field' where the data "
    "are pairs, or a game such as 'autoencoder'",
    "fake_labels": "reads the labels that fakes are made for, and there are none; set "
    "training.conditional = true",
}


def chosen_metrics(chooser: Chooser, fields: Mapping[str, Field]) -> tuple[MetricSelection, ...]:
    """The metrics that layers choose, each with its extractor; what is wrong is noted."""
    extractors = Extractors(chooser, fields)
    found = []
    for name, component, selection in chooser.chosen(MetricSpec):
        settings = chooser.beside(("metric", name), MetricSettings)
        if selection is None or settings is None:
            continue
        entry = chooser.entries.get(("metric", name, "features"))
        try:
            looks = extractors.of(component, settings.features)
        except UsageError as error:
            path = ("metric", name)
            chooser.complain(entry, chooser.place(path), str(error))
            continue
        found.append(
            MetricSelection(component=component, options=selection.options, features=looks)
        )
    extractors.complain_of_idle(found)
    return tuple(found)


class Extractors:
    """The extractors of a configuration, for metrics to look through."""

    def __init__(self, chooser: Chooser, fields: Mapping[str, Field]) -> None:
        self._chooser = chooser
        self._fields = fields
        self._named = {
            name: selection
            for name, _, selection in chooser.chosen(FeaturesSpec)
            if selection is not None
        }

    def of(
        self, metric: Component[MetricSpec], wanted: str | None
    ) -> Selection[FeaturesSpec] | None:
        """The extractor of a metric; None where it reads no features.

        That is the one that it says itself (`wanted`), or the first of those named that it can look
        through, or its usual one. Raises UsageError where there is none for it.
        """
        spec = metric.spec
        if not spec.reads_features:
            if wanted is not None:
                raise UsageError(f"features: the metric {spec.name!r} looks through no extractor")
            return None
        if wanted is not None:
            chosen = self._selected(wanted)
        else:
            able = [it for it in self._named.values() if not self._refusal(spec, it.spec)]
            usual = spec.features or usual_features(self._fields)
            chosen = able[0] if able else self._selected(usual)
        refusal = self._refusal(spec, chosen.spec)
        if refusal:
            shown = f"the metric {spec.name!r} looks through the extractor"
            raise UsageError(
                f"{shown} {chosen.component.name!r}, which {refusal}{self._ways(spec)}"
            )
        return chosen

    def _selected(self, name: str) -> Selection[FeaturesSpec]:
        component = self._chooser.registry.find(FeaturesSpec, name)
        for it in self._named.values():
            if it.component == component:
                return it
        selection = self._chooser.selection((FeaturesSpec.kind, name), component)
        if selection is None:
            raise UsageError(f"the extractor {component.name!r} needs options; --features names it")
        return selection

    def _refusal(self, metric: MetricSpec, extractor: FeaturesSpec) -> str | None:
        """The reason why a metric cannot look through an extractor, in words."""
        if refusal := extractor.refusal(self._fields[SAMPLE]):
            return refusal
        if extractor.needs_labels and LABEL not in self._fields:
            return "learns from labels, which the data set does not have"
        lacking = sorted(({*metric.reads} & {*OF_FEATURES}) - extractor.provides)
        if "class_logits" in lacking:
            return "gives no scores of the data's own classes"
        return "gives no scores of classes" if lacking else None

    def _ways(self, metric: MetricSpec) -> str:
        """The extractors that would do, as the end of a message."""
        registry = self._chooser.registry
        able = [
            registry.short_name(it)
            for it in registry.of_kind(FeaturesSpec)
            if not self._refusal(metric, it.spec)
        ]
        return f"; --features names one that does: {listed(able)}" if able else ""

    def complain_of_idle(self, metrics: Iterable[MetricSelection]) -> None:
        """Note each extractor that was named for this choice of metrics, and serves none of it."""
        used = {it.features.component for it in metrics if it.features is not None}
        if self._chooser.complaints or self._chooser.inherits_features:
            return
        for name, selection in self._named.items():
            if selection.component not in used:
                path = (FeaturesSpec.kind, name)
                what = f"no metric of this run looks through the extractor {name!r}"
                self._chooser.complain(None, self._chooser.place(path), what)


def usual_features(fields: Mapping[str, Field]) -> str:
    """The name of the extractor that metrics look through where nobody names one."""
    sample = fields[SAMPLE]
    if sample.kind == "image" and LABEL in fields and not fields[LABEL].optional:
        return OF_LABELLED_IMAGES
    return USUAL_FEATURES.get(sample.kind, OF_OTHERS)


def unmet(spec: MetricSpec, known: Iterable[str], gives: Iterable[str], dataset: str) -> str | None:
    """Say what a metric reads that nobody has; None where there is nothing.

    `known` is what the run has, `gives` what the data set knows besides.
    """
    there = {*known, *gives, *OF_FEATURES}
    for name in spec.reads:
        if name in there:
            continue
        if name in LACKS:
            return LACKS[name]
        if name == "labels":
            return f"reads labels, which the data set {dataset!r} does not have"
        if name == "mixture":
            what = "reads the modes of a Gaussian mixture, which the data set"
            return f"{what} {dataset!r} is not"
        return f"reads {name!r}, which neither the game nor the data set {dataset!r} gives"
    return None


def best_number(metrics: Sequence[MetricSelection], best: str) -> tuple[MetricSelection, str]:
    """The metric and its number that `evaluation.best` names. Raises UsageError."""
    numbers: dict[str, tuple[MetricSelection, str]] = {}
    for it in metrics:
        for name in (it.config_name, it.component.name):
            better = it.spec.better
            numbers |= {f"{name}/{number}": (it, number) for number in better}
            if len(better) == 1 or it.component.name in better:
                main = it.component.name if it.component.name in better else next(iter(better))
                numbers[name] = (it, main)
    if best in numbers:
        return numbers[best]
    undirected = [it for it in metrics if best.partition("/")[0] in (it.config_name, it.spec.name)]
    near = did_you_mean(best, numbers) or (
        f"; there are {listed([*dict.fromkeys(numbers)])}" if numbers else "; there are none"
    )
    if undirected and not undirected[0].spec.better:
        what = f"the metric {undirected[0].spec.name!r} does not say of any number which is better"
    elif undirected:
        what = f"{best!r} is not one number of the metric {undirected[0].spec.name!r} with a best"
    else:
        what = f"no metric of this run is called {best!r}"
    raise UsageError(f"{what}{near}")
