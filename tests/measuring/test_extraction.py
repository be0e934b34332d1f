"""Features in a stream: part by part, kept in chunks, and read again without looking anew."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from ganforge import Batch, Extracted, FeatureExtractor, FeaturesSpec, Field, Problem, VectorShapes
from ganforge.config.run_config import Selection
from ganforge.contracts import Dataset
from ganforge.device.execution import Execution
from ganforge.errors import DataError, PluginError
from ganforge.measuring.comparison import Comparison, Side
from ganforge.measuring.extraction import LARGEST_CHUNK
from ganforge.measuring.readying import ready
from ganforge.measuring.store import Store
from ganforge.measuring.streams import PART, Stream, no_progress
from ganforge.plugin.registry import Component, Plugin

NUM = 2 * LARGEST_CHUNK + 100
VALUES = torch.randn(NUM, 3, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(NUM) % 2
PROBLEM = Problem(
    sample=Field(kind="vector", shape=(3,)),
    conditions={"label": Field(kind="category", classes=("a", "b"))},
)
PLUGIN = Plugin(name="own", package="ganforge-own", version="1.0", module="own", bundled=False)


class Doubling(FeatureExtractor):
    """Counts the samples that it looks at, and learns their mean."""

    def __init__(self, problem: Any = PROBLEM, options: Any = None) -> None:
        super().__init__(problem, options)
        self.register_buffer("factor", torch.tensor(2.0))
        self.looked = 0

    def extract(self, samples):
        self.looked += len(samples)
        return Extracted(samples * self.factor)

    def fit(self, samples, labels, generator):
        self.factor.fill_(float(samples[labels == 1].mean()))
        self.facts = {"samples": len(samples)}


def made_ready(store: Store, network: FeatureExtractor | None = None, **spec: Any):
    record = FeaturesSpec(
        name="doubling", summary="Twice", build="own:Doubling", shapes=(VectorShapes(),), **spec
    )
    return ready(
        Selection(component=Component(spec=record, plugin=PLUGIN), options=record.options()),
        network or Doubling(),
        lesson=stream(),
        execution=Execution(device=torch.device("cpu")),
        store=store,
        progress=no_progress,
    )


class Source:
    """Samples in memory, which are counted when they are read."""

    def __init__(self, values: torch.Tensor = VALUES) -> None:
        self.values = values
        self.read_so_far = 0

    def read(self, start: int, num: int) -> Batch:
        assert start % PART == 0
        self.read_so_far += num
        part = slice(start, start + num)
        return Batch(self.values[part], label=LABELS[part])


def stream(source: Source | None = None, **changes: Any) -> Stream:
    found = source or Source()
    return replace(Stream(name="samples", num=len(found.values), read=found.read), **changes)


def test_features_are_those_of_every_sample_in_order(tmp_path):
    found, others = made_ready(Store(tmp_path)).look_at(stream(), no_progress)
    assert torch.equal(found.features, 2 * VALUES)
    assert torch.equal(others["label"], LABELS)


def test_what_was_extracted_is_found_by_what_the_samples_are(tmp_path):
    first, second = Doubling(), Doubling()
    made_ready(Store(tmp_path), first).look_at(stream(), no_progress)
    found, _ = made_ready(Store(tmp_path), second).look_at(stream(), no_progress)
    assert (first.looked, second.looked) == (NUM, 0)
    assert torch.equal(found.features, 2 * VALUES)
    changed = VALUES.clone()
    changed[-1] += 1
    made_ready(Store(tmp_path), second).look_at(stream(Source(changed)), no_progress)
    assert second.looked == 100  # the last chunk alone


def test_other_weights_and_other_versions_do_not_find_it(tmp_path):
    made_ready(Store(tmp_path)).look_at(stream(), no_progress)
    other = Doubling()
    other.factor.fill_(3.0)
    found, _ = made_ready(Store(tmp_path), other).look_at(stream(), no_progress)
    assert torch.equal(found.features, 3 * VALUES)
    assert other.looked == NUM


def test_samples_with_a_key_are_not_even_read(tmp_path):
    first, second = Source(), Source()
    extractor = made_ready(Store(tmp_path))
    once, _ = extractor.look_at(stream(first, key="generator 1"), no_progress)
    again, others = extractor.look_at(stream(second, key="generator 1"), no_progress)
    assert (first.read_so_far, second.read_so_far, others) == (NUM, 0, {})
    assert torch.equal(once.features, again.features)
    other = Source()
    extractor.look_at(stream(other, key="generator 2"), no_progress)
    assert other.read_so_far == NUM


def test_samples_of_a_network_that_changes_are_not_kept(tmp_path):
    made_ready(Store(tmp_path)).look_at(stream(cached=False), no_progress)
    assert [*tmp_path.rglob("*.safetensors")] == []


def test_one_that_was_stopped_goes_on_with_what_it_has(tmp_path):
    class Stopping(Doubling):
        def extract(self, samples):
            if self.looked >= LARGEST_CHUNK + PART:
                raise KeyboardInterrupt
            return super().extract(samples)

    with pytest.raises(KeyboardInterrupt):
        made_ready(Store(tmp_path), Stopping()).look_at(stream(key="k"), no_progress)
    # Of another class, and so of another fingerprint, unless it says that it is the same.
    assert len([*tmp_path.rglob("*.safetensors")]) == 1
    rest = Doubling()
    ready_again = made_ready(Store(tmp_path), rest)
    ready_again = replace(
        ready_again, fingerprint=made_ready(Store(tmp_path), Stopping()).fingerprint
    )
    source = Source()
    found, _ = ready_again.look_at(stream(source, key="k"), no_progress)
    assert rest.looked == source.read_so_far == NUM - LARGEST_CHUNK
    assert torch.equal(found.features, 2 * VALUES)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (lambda it: it, "must give a ganforge.Extracted, not Tensor"),
        (lambda it: Extracted(it.double()), "must give features of shape"),
        (lambda it: Extracted(it[1:]), "must give features of shape"),
        (lambda it: Extracted(it / 0 * 0), "must give finite features"),
        (lambda it: Extracted(it, it), "must give logits exactly where its spec says so"),
    ],
)
def test_what_breaks_the_contract_is_an_error_that_names_it(tmp_path, given, message):
    class Wrong(Doubling):
        def extract(self, samples):
            return given(samples)

    with pytest.raises(
        PluginError, match=f"feature extractor 'doubling' of ganforge-own 1.0 {message}"
    ):
        made_ready(Store(tmp_path), Wrong()).look_at(stream(), no_progress)


def test_what_is_learnt_is_kept_by_what_it_was_learnt_of(tmp_path):
    class Once(Doubling):
        fits = 0

        def fit(self, samples, labels, generator):
            type(self).fits += 1
            super().fit(samples, labels, generator)

    first = made_ready(Store(tmp_path), Once(), needs_labels=True)
    second = made_ready(Store(tmp_path), Once(), needs_labels=True)
    assert Once.fits == 1
    assert first.fingerprint == second.fingerprint
    assert first.network.facts == second.network.facts == {"samples": NUM}
    assert torch.equal(first.network.factor, second.network.factor)


def test_without_labels_nothing_is_learnt(tmp_path):
    selection = made_ready(Store(tmp_path), needs_labels=True).selection
    with pytest.raises(DataError, match="learns from labels, and the data has none here"):
        ready(
            selection,
            Doubling(),
            lesson=None,
            execution=Execution(device=torch.device("cpu")),
            store=Store(tmp_path),
            progress=no_progress,
        )


def test_a_metric_that_reads_features_alone_has_few_samples_in_memory(tmp_path):
    source = Source()
    side = Side(stream(source, key="k"))
    seen = Comparison(dataset=Dataset(), real=side, fake=side).through(made_ready(Store(tmp_path)))
    assert len(seen.fake_features) == NUM
    assert "_whole" not in vars(side)
    assert torch.equal(seen.fake_conditions["label"], LABELS)
    assert torch.equal(seen.fake, VALUES)


def test_what_a_spec_does_not_say_cannot_be_read(tmp_path):
    side = Side(stream())
    seen = Comparison(dataset=Dataset(), real=side, fake=side).through(None)
    for name in ("real_features", "training", "training_features", "reconstruction"):
        with pytest.raises(PluginError, match="its spec does not say so"):
            getattr(seen, name)


def test_an_extracted_can_be_cut_and_joined():
    found = Extracted(VALUES, VALUES[:, :2])
    parts = [found[:10], found[torch.arange(10, NUM)]]
    joined = Extracted.joined(parts)
    assert len(joined) == NUM
    assert torch.equal(joined.features, VALUES)
    assert joined.logits is not None
    assert torch.equal(joined.logits, VALUES[:, :2])
