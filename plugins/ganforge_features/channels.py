"""A classifier of each channel by itself, for images that are stacks of labelled ones."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from ganforge import DataError, Extracted, FeatureExtractor, Field, Problem

from . import ClassifierOptions
from .classifier import Classifier


class ChannelClassifier(FeatureExtractor):
    """One classifier for all C channels, of stacks whose k^C classes are those of their channels.

    So it learns ten digits where the stacks have a thousand classes. The logits `[N, k^C]` are the
    sums of the channels' log-probabilities, the first channel's class being the first digit of a
    stack's; the features are those of the channels one after the other. Raises DataError where
    the number of classes is no such power.
    """

    convention = "each channel by itself, trained on the data's own labels"

    def __init__(self, problem: Problem, options: ClassifierOptions) -> None:
        super().__init__(problem, options)
        channels, height, width = problem.sample_shape
        num_classes = problem.num_classes or 0
        self.num_of_one = round(num_classes ** (1 / channels))
        if self.num_of_one < 2 or self.num_of_one**channels != num_classes:
            raise DataError(
                f"the extractor 'channel-classifier' is for stacks of {channels} images of k "
                f"classes, and so k^{channels} in all, not {num_classes}"
            )
        one = Field(kind="category", classes=tuple(map(str, range(self.num_of_one))))
        grey = replace(problem.sample, shape=(1, height, width))
        self.one = Classifier(Problem(sample=grey, conditions={"label": one}), options)

    def extract(self, samples: Tensor) -> Extracted:
        found = self.one.extract(samples.flatten(0, 1)[:, None])
        assert found.logits is not None
        channels = found.logits.log_softmax(1).reshape(*samples.shape[:2], -1)
        joint = channels[:, 0]
        for number in range(1, samples.shape[1]):
            joint = (joint[:, :, None] + channels[:, number, None]).flatten(1)
        return Extracted(found.features.reshape(len(samples), -1), joint)

    def fit(self, samples: Tensor, labels: Tensor, generator: torch.Generator) -> None:
        channels = samples.shape[1]
        powers = self.num_of_one ** torch.arange(channels - 1, -1, -1, device=labels.device)
        of_channels = labels[:, None] // powers % self.num_of_one
        self.one.fit(samples.flatten(0, 1)[:, None], of_channels.flatten(), generator)
        self.facts = self.one.facts

    def describe(self) -> str:
        self.one.facts = self.facts
        return f"each channel by itself, {self.one.describe()}"
