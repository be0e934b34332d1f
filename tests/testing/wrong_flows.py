"""Networks through which something does not flow, or flows where it should not."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout

from ganforge import Problem

from .wrong_networks import NUM_FEATURES, Discriminator, Generator, Painter


class HalfOfTheLatents(Generator):
    def __init__(self, problem: Problem, options: object) -> None:
        super().__init__(problem, options)
        self.first = nn.Linear(self.first.in_features // 2, NUM_FEATURES)

    def features(self, inputs: Tensor) -> Tensor:
        return super().features(inputs.flatten(1)[:, : self.first.in_features])


class OwnLatents(Generator):
    """Noise that it draws itself takes the place of most latents."""

    def features(self, inputs: Tensor) -> Tensor:
        own = torch.ones_like(inputs[:, 1:])
        return super().features(torch.cat([inputs[:, :1], own], 1))


class HalfOfTheVector(Generator):
    """Told an embedding, of which it reads a part."""

    def __init__(self, problem: Problem, options: object) -> None:
        super().__init__(problem, options)
        self.embedding = None
        if "vector" in problem.conditions:
            self.embedding = nn.Linear(1, self.first.in_features)

    def forward(self, inputs: Tensor, *, label: Any = None, vector: Any = None) -> Tensor:
        if self.embedding is not None:
            inputs = inputs + self.embedding(vector[:, :1])
        return super().forward(inputs, label=label)


class OneChannelOfThePicture(Painter):
    def seen(self, image: Tensor) -> Tensor:
        grey = torch.zeros_like(image)
        grey[:, 0] = image[:, 0]
        return super().seen(grey)


class RedAlone(Discriminator):
    def flat(self, samples: Tensor) -> Tensor:
        if samples.dim() == 4:
            samples = samples[:, :1].expand_as(samples)
        return super().flat(samples)


class LeftHalfAlone(Discriminator):
    """What gives the rest of the sample a gradient has come loose."""

    def flat(self, samples: Tensor) -> Tensor:
        left, right = samples.tensor_split(2, -1)
        return super().flat(torch.cat([left.detach(), right], -1))


class DetachedSkip(Generator):
    def __init__(self, problem: Problem, options: object) -> None:
        super().__init__(problem, options)
        self.skip = nn.Linear(NUM_FEATURES, NUM_FEATURES)

    def features(self, inputs: Tensor) -> Tensor:
        features = super().features(inputs)
        return features + self.skip(features.detach())


class DetachedPart(Generator):
    """Nothing trains its first layer."""

    def features(self, inputs: Tensor) -> Tensor:
        return super().features(inputs).detach() + 0 * inputs[:, :1] * self.last.weight[0, 0]


class DetachedHead(Discriminator):
    """Of its two scores one trains the head alone."""

    def __init__(self, problem: Problem, options: object) -> None:
        super().__init__(problem, options)
        self.coarse = nn.Linear(NUM_FEATURES, 1)
        self.smooth = nn.Linear(NUM_FEATURES, NUM_FEATURES)

    def forward(self, samples: Tensor, *, label: Tensor | None = None) -> Any:
        features = self.features(self.flat(samples))
        coarse = self.coarse(features + self.smooth(features.detach()).tanh()).squeeze(1)
        return [super().forward(samples, label=label), coarse]


class DetachedFactor(Discriminator):
    def features(self, samples: Tensor) -> Tensor:
        return super().features(samples) * super().features(samples.data).sigmoid()


class OtherLabels(Generator):
    """Labels that belong to the sample before."""

    def embedded(self, label: Tensor) -> Tensor:
        return super().embedded(label.roll(1, 0))


class OtherLabelsScored(Discriminator):
    def forward(self, samples: Tensor, *, label: Tensor | None = None) -> Tensor:
        return super().forward(samples, label=None if label is None else label.flip(0))


class MeanLabel(Generator):
    def embedded(self, label: Tensor) -> Tensor:
        vectors = super().embedded(label)
        return vectors + vectors.mean(0)


class TwoClassesAlike(Generator):
    def embedded(self, label: Tensor) -> Tensor:
        return super().embedded(label.clamp(max=1) + (label - label.clamp(max=2)))


class CentredFeatures(Generator):
    def features(self, inputs: Tensor) -> Tensor:
        features = super().features(inputs)
        return features - features.mean(0).detach()


class CentredScores(Discriminator):
    """Centred by what has no gradient."""

    def finish(self, scores: Tensor) -> Tensor:
        return scores - scores.detach().mean()


class StatisticsOfTheBatch(Generator):
    """Batch normalisation that keeps no statistics of its own."""

    def __init__(self, problem: Problem, options: object) -> None:
        super().__init__(problem, options)
        self.norm = nn.BatchNorm1d(NUM_FEATURES, track_running_stats=False)

    def features(self, inputs: Tensor) -> Tensor:
        return self.norm(super().features(inputs)) if len(inputs) > 1 else super().features(inputs)


class AttendsToTheBatch(Generator):
    """The softmax is along the wrong axis."""

    def features(self, inputs: Tensor) -> Tensor:
        features = super().features(inputs)
        return features * features.softmax(0)


class NoisyDropout(Generator):
    """Dropout that does not know of evaluation."""

    def features(self, inputs: Tensor) -> Tensor:
        return dropout(super().features(inputs), 0.1)


class TwiceSquashed(Generator):
    def finish(self, samples: Tensor) -> Tensor:
        return super().finish(samples.tanh())


class FromZeroToOne(Generator):
    def finish(self, samples: Tensor) -> Tensor:
        return super().finish((samples + 1) / 2)


class ViewOfChannelsLast(Discriminator):
    def flat(self, samples: Tensor) -> Tensor:
        return samples.view(len(samples), -1)


class ZerosOnTheCPU(Generator):
    def features(self, inputs: Tensor) -> Tensor:
        return super().features(inputs) + torch.zeros(NUM_FEATURES)


class ZerosWhereItIsTold(Discriminator):
    """Only with labels does it make something on the CPU."""

    def features(self, samples: Tensor) -> Tensor:
        features = super().features(samples)
        return features if self.label is None else features + torch.zeros(features.shape)


class WidthForHeight(Discriminator):
    """Its first layer is for samples that lie on their side."""

    def __init__(self, problem: Problem, options: object) -> None:
        super().__init__(problem, options)
        self.rows = None
        if len(problem.sample_shape) == 3:
            self.rows = nn.Linear(problem.sample_shape[1], problem.sample_shape[1])

    def flat(self, samples: Tensor) -> Tensor:
        return super().flat(samples if self.rows is None else self.rows(samples))


class LabelInPlace(Discriminator):
    def forward(self, samples: Tensor, *, label: Tensor | None = None) -> Tensor:
        return super().forward(samples, label=None if label is None else label.mul_(1))


class RectifiedInPlace(Discriminator):
    """Its first layer is an activation in place."""

    def flat(self, samples: Tensor) -> Tensor:
        return super().flat(nn.functional.leaky_relu(samples, 0.2, inplace=True))


class HardCodedLatents(Generator):
    def __init__(self, problem: Problem, options: object) -> None:
        super().__init__(problem, options)
        self.first = nn.Linear(100, NUM_FEATURES)


class HardCodedSize(Discriminator):
    def __init__(self, problem: Problem, options: object) -> None:
        super().__init__(problem, options)
        side = math.isqrt(math.prod(problem.sample_shape))
        self.first = nn.Linear(side * side, NUM_FEATURES)
