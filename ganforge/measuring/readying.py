"""An extractor made ready: on its device, at rest, and trained where it learns from the data."""

from __future__ import annotations

import json

import torch
from torch import Tensor

from ganforge.config.run_config import Selection
from ganforge.contracts import FeatureExtractor
from ganforge.device.execution import Execution
from ganforge.device.randomness import Randomness
from ganforge.errors import DataError, PluginError
from ganforge.plugin.fields import LABEL
from ganforge.plugin.specs import FeaturesSpec
from ganforge.printable import printable
from ganforge.storage.provenance import record

from .extraction import ReadyExtractor
from .store import Store, digest_of, key_of
from .streams import PART, Progress, Stream

KIND = "extractor"  # of file
FITTED_BYTES = 256 * 1024 * 1024  # of samples that an extractor learns from at most


def ready(
    selection: Selection[FeaturesSpec],
    extractor: FeatureExtractor,
    *,
    lesson: Stream | None,
    execution: Execution,
    store: Store,
    progress: Progress,
) -> ReadyExtractor:
    """The extractor, ready to extract. `lesson` is what one that `needs_labels` learns from.

    Raises DataError where there are no labels, and PluginError where the extractor fails.
    """
    component = selection.component
    if selection.spec.needs_labels:
        _teach(selection, extractor, lesson, store, progress)
    extractor = execution.place(extractor).eval().requires_grad_(False)
    fingerprint = component.call("cannot tell its fingerprint", extractor.fingerprint)
    if not isinstance(fingerprint, str) or not fingerprint:
        raise PluginError(f"{selection.label} must give a line of text as its fingerprint")
    return ReadyExtractor(
        selection=selection,
        network=extractor,
        fingerprint=f"{_identity(selection)}; {fingerprint}",
        device=execution.device,
        store=store,
    )


def _identity(selection: Selection[FeaturesSpec]) -> str:
    """The component, its version and its options in one line."""
    stored = record(selection)
    options = json.dumps(stored["options"], sort_keys=True)
    return f"{stored['name']} {stored['version']} {options}"


def most_to_learn_from(sample_shape: tuple[int, ...]) -> int:
    """The number of samples that an extractor is shown at most."""
    return max(PART, FITTED_BYTES // (4 * torch.Size(sample_shape).numel()))


def _teach(
    selection: Selection[FeaturesSpec],
    extractor: FeatureExtractor,
    lesson: Stream | None,
    store: Store,
    progress: Progress,
) -> None:
    """Train the extractor, or give it what it has learnt from the same data before."""
    if lesson is None:
        raise DataError(
            f"{selection.label} learns from labels, and the data has none here; --features names "
            "another extractor"
        )
    what = f"{selection.component.name}, which learns"
    samples, labels = _read(lesson, selection.label)
    names = extractor.problem.conditions[LABEL].classes or ()
    key = key_of(
        json.dumps(record(selection), sort_keys=True), json.dumps(names), digest_of(samples, labels)
    )
    kept = store.get(KIND, key)
    if kept is not None and _fits(extractor, kept[0]):
        extractor.load_state_dict(kept[0])
        extractor.facts = dict(kept[1].get("facts", {}))
        return
    progress(what, 0, 1)
    randomness = Randomness(0, torch.device("cpu"))
    generator = randomness.generator("fit", 0)
    with randomness.building("fit"):
        # Learnt on the CPU: what it learns is then the same wherever it looks.
        selection.component.call("cannot learn", extractor.fit, samples, labels, generator)
    progress(what, 1, 1)
    store.put(KIND, key, extractor.state_dict(), {"facts": extractor.facts})


def _read(lesson: Stream, label: str) -> tuple[Tensor, Tensor]:
    samples, labels = [], []
    for part in lesson.parts():
        if part.labels is None:
            raise DataError(f"{label} learns from labels, and {printable(lesson.name)} have none")
        samples.append(part.samples.cpu())
        labels.append(part.labels.cpu())
    return torch.cat(samples).contiguous(), torch.cat(labels)


def _fits(extractor: FeatureExtractor, tensors: dict[str, Tensor]) -> bool:
    wanted = extractor.state_dict()
    return wanted.keys() == tensors.keys() and all(
        tensors[name].shape == it.shape and tensors[name].dtype == it.dtype
        for name, it in wanted.items()
    )
