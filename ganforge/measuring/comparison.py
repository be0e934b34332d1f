"""`Comparison`: generated samples against real ones, and the `ganforge.Evaluation` of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from ganforge.contracts import Batch, Dataset, Extracted
from ganforge.errors import PluginError
from ganforge.plugin.fields import LABEL

from .extraction import ReadyExtractor
from .streams import PART, Progress, Stream, no_progress


class Side:
    """The samples of one side, and what each extractor sees of them; each is made once."""

    def __init__(self, stream: Stream, progress: Progress = no_progress) -> None:
        self.stream = stream
        self._progress = progress
        self._features: dict[str, Extracted] = {}
        self._others: dict[str, Tensor] | None = None

    @property
    def num(self) -> int:
        return self.stream.num

    @cached_property
    def _whole(self) -> Batch:
        parts: list[Batch] = []
        self._progress(self.stream.name, 0, self.num)
        for part in self.stream.parts():
            parts.append(part)
            self._progress(self.stream.name, min(len(parts) * PART, self.num), self.num)
        samples = torch.cat([part.samples for part in parts])
        return Batch(samples, **_joined([dict(part.others) for part in parts]))

    @property
    def samples(self) -> Tensor:
        """All N of them, in memory."""
        return self._whole.samples

    @property
    def others(self) -> Mapping[str, Tensor]:
        """The fields besides the samples, for which no more than a few samples are in memory."""
        if self._others is None:
            stream = self.stream
            if "_whole" in self.__dict__:
                self._others = dict(self._whole.others)
            elif stream.read_others is not None:
                self._others = dict(stream.read_others(0, stream.num))
            else:
                self._others = _joined([dict(part.others) for part in stream.parts()])
        return self._others

    def forget_samples(self) -> None:
        """Keep what is small: features, and the other fields."""
        self.__dict__.pop("_whole", None)

    def features(self, extractor: ReadyExtractor) -> Extracted:
        """Features of the samples, as an extractor sees them."""
        if extractor.name not in self._features:
            self._features[extractor.name], others = extractor.look_at(self.stream, self._progress)
            if others and self._others is None:
                self._others = others
        return self._features[extractor.name]


def _joined(parts: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    return {name: torch.cat([it[name] for it in parts]) for name in parts[0]}


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Generated samples against real ones: what there is to be measured.

    `training` are samples that were trained on and are on no other side, where they are known.
    `reconstruct` makes the reconstructions of the real samples, where the run has such.
    """

    dataset: Dataset
    real: Side
    fake: Side
    training: Side | None = None
    reconstruct: Callable[[], Tensor] | None = None

    def through(self, extractor: ReadyExtractor | None) -> SeenThrough:
        """The comparison as a metric is shown it, which looks through this extractor."""
        return SeenThrough(self, extractor)


class SeenThrough:
    """The `ganforge.Evaluation` of a comparison."""

    def __init__(self, comparison: Comparison, extractor: ReadyExtractor | None) -> None:
        self._comparison = comparison
        self._eye = extractor

    @property
    def dataset(self) -> Dataset:
        return self._comparison.dataset

    @property
    def real(self) -> Tensor:
        return self._comparison.real.samples

    @property
    def conditions(self) -> Mapping[str, Tensor]:
        return self._comparison.real.others

    @property
    def labels(self) -> Tensor | None:
        return self.conditions.get(LABEL)

    @property
    def fake(self) -> Tensor:
        return self._comparison.fake.samples

    @property
    def fake_conditions(self) -> Mapping[str, Tensor]:
        return self._comparison.fake.others

    @property
    def fake_labels(self) -> Tensor | None:
        return self.fake_conditions.get(LABEL)

    @property
    def training(self) -> Tensor:
        return self._trained_on.samples

    @property
    def training_labels(self) -> Tensor | None:
        return self._trained_on.others.get(LABEL)

    @property
    def real_features(self) -> Extracted:
        return self._comparison.real.features(self._extractor)

    @property
    def fake_features(self) -> Extracted:
        return self._comparison.fake.features(self._extractor)

    @property
    def training_features(self) -> Extracted:
        return self._trained_on.features(self._extractor)

    @cached_property
    def reconstruction(self) -> Tensor:
        if self._comparison.reconstruct is None:
            raise PluginError("it reads a reconstruction, and its spec does not say so")
        return self._comparison.reconstruct()

    @property
    def _trained_on(self) -> Side:
        if self._comparison.training is None:
            raise PluginError("it reads samples that were trained on, and its spec does not say so")
        return self._comparison.training

    @property
    def _extractor(self) -> ReadyExtractor:
        if self._eye is None:
            raise PluginError("it reads features, and its spec does not say so")
        return self._eye
