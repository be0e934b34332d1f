"""A generator and a discriminator that are right, and others that are wrong in one thing each."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ganforge import Problem, option

NUM_FEATURES = 8


class Generator(nn.Module):
    """Latents to samples of any shape, with classes or without."""

    def __init__(self, problem: Problem, options: object) -> None:
        super().__init__()
        self.problem = problem
        self.first = nn.Linear(math.prod(problem.input_shape), NUM_FEATURES)
        self.label = None
        if problem.num_classes is not None:
            self.label = nn.Embedding(problem.num_classes, NUM_FEATURES)
        self.last = nn.Linear(NUM_FEATURES, math.prod(problem.sample_shape))

    def forward(self, inputs: Tensor, *, label: Tensor | None = None) -> Tensor:
        return self.trace(inputs, label=label)[0]

    def trace(self, inputs: Tensor, *, label: Tensor | None = None) -> Any:
        features = self.features(inputs)
        if self.label is not None:
            features = features + self.embedded(label)
        return self.finish(self.last(features).tanh()), {"w": features}

    def features(self, inputs: Tensor) -> Tensor:
        return self.first(inputs.flatten(1)).tanh()

    def embedded(self, label: Tensor) -> Tensor:
        return self.label(label)

    def finish(self, samples: Tensor) -> Tensor:
        return samples.view(-1, *self.problem.sample_shape)


class UnbuildableForGrey(Generator):
    def __init__(self, problem: Problem, options: object) -> None:
        if problem.sample_shape[0] == 1:
            raise KeyError("one channel")
        super().__init__(problem, options)


class NoisyInEvaluation(Generator):
    def finish(self, samples: Tensor) -> Tensor:
        return super().finish(samples + 0 * torch.rand(()))


class AnotherNumberOfThreads(Generator):
    def __init__(self, problem: Problem, options: object) -> None:
        super().__init__(problem, options)
        torch.set_num_threads(torch.get_num_threads() + 1)


class OtherEnvironment(Generator):
    def __init__(self, problem: Problem, options: object) -> None:
        super().__init__(problem, options)
        os.environ["CUDA_VISIBLE_DEVICES"] = "7"


class Unseeded(Generator):
    def __init__(self, problem: Problem, options: object) -> None:
        super().__init__(problem, options)
        generator = torch.Generator().manual_seed(int.from_bytes(os.urandom(4), "little"))
        nn.init.normal_(self.last.weight, 0.0, 0.3, generator=generator)


class OwnSeed(Generator):
    def __init__(self, problem: Problem, options: object) -> None:
        torch.manual_seed(0)
        super().__init__(problem, options)


class PlainTensor(Generator):
    def __init__(self, problem: Problem, options: object) -> None:
        super().__init__(problem, options)
        self.shift = torch.full((NUM_FEATURES,), 0.1)

    def features(self, inputs: Tensor) -> Tensor:
        return super().features(inputs) + self.shift


class LayersInList(Generator):
    def __init__(self, problem: Problem, options: object) -> None:
        super().__init__(problem, options)
        self.extra = [nn.Tanh()]

    def features(self, inputs: Tensor) -> Tensor:
        return self.extra[0](super().features(inputs))


class UnusedLayer(Generator):
    def __init__(self, problem: Problem, options: object) -> None:
        super().__init__(problem, options)
        self.unused = nn.Linear(2, 2)


class WritesIntoInputs(Generator):
    def features(self, inputs: Tensor) -> Tensor:
        return super().features(inputs.mul_(0.5))


class LateBuffer(Generator):
    """What it needs late is told from what the engine does: it takes 7 samples of 8."""

    def features(self, inputs: Tensor) -> Tensor:
        if self.training and len(inputs) == 7 and not hasattr(self, "seen"):
            self.register_buffer("seen", torch.ones(()))
        return super().features(inputs)


class KeepsItsFeatures(Generator):
    def features(self, inputs: Tensor) -> Tensor:
        features = super().features(inputs)
        if self.training:
            self.kept = features
        return features


class UnsavedNumber(Generator):
    def __init__(self, problem: Problem, options: object) -> None:
        super().__init__(problem, options)
        self.factor = 0.5 + float(torch.rand(()))

    def features(self, inputs: Tensor) -> Tensor:
        return super().features(inputs) * self.factor


class OneDtypeAlone(Generator):
    def features(self, inputs: Tensor) -> Tensor:
        features = super().features(inputs)
        return features.new_zeros(features.shape, dtype=torch.float32).scatter(
            1, features.argsort(1), features
        )


class WithoutKernels(Generator):
    """Computed in bfloat16, it fails as an LSTM does on a processor that has no kernels for it."""

    def features(self, inputs: Tensor) -> Tensor:
        if torch.is_autocast_enabled("cpu"):
            raise RuntimeError("could not create a primitive descriptor for the LSTM")
        return super().features(inputs)


class DeafToLabels(Generator):
    def embedded(self, label: Tensor) -> Tensor:
        vectors = super().embedded(label)
        return vectors - vectors.detach()


class AnyLabel(Generator):
    def embedded(self, label: Tensor) -> Tensor:
        return super().embedded(label % self.problem.num_classes)


class HeightForWidth(Generator):
    def finish(self, samples: Tensor) -> Tensor:
        samples = super().finish(samples)
        return samples.transpose(2, 3) if samples.dim() == 4 else samples


class DoubleForGrey(Generator):
    def finish(self, samples: Tensor) -> Tensor:
        return super().finish(samples.double() if self.problem.sample_shape[0] == 1 else samples)


class Unbounded(Generator):
    def finish(self, samples: Tensor) -> Tensor:
        return super().finish(samples * 1.5)


class Constant(Generator):
    def __init__(self, problem: Problem, options: object) -> None:
        super().__init__(problem, options)
        self.always = nn.Parameter(torch.ones(NUM_FEATURES))

    def features(self, inputs: Tensor) -> Tensor:
        features = super().features(inputs)
        return features - features.detach() + self.always


class MeanOfTheBatch(Generator):
    def features(self, inputs: Tensor) -> Tensor:
        features = super().features(inputs)
        return features * (1 + features.mean(0))


class FixedBatch(Generator):
    def features(self, inputs: Tensor) -> Tensor:
        if len(inputs) > 7:
            raise ValueError("more samples than there is room for")
        return super().features(inputs)


class CountsInSecret(Generator):
    def __init__(self, problem: Problem, options: object) -> None:
        super().__init__(problem, options)
        self.passes = 0

    def features(self, inputs: Tensor) -> Tensor:
        if self.training:
            self.passes += 1
            return super().features(inputs) * (1 + 0.1 * self.passes)
        return super().features(inputs)


class Autoencoder(Generator):
    """One that encodes."""

    def __init__(self, problem: Problem, options: object) -> None:
        super().__init__(problem, options)
        self.encoder = nn.Linear(self.last.out_features, self.first.in_features)

    def encode(self, samples: Tensor, *, label: Tensor | None = None) -> Tensor:
        return self.encoder(samples.flatten(1))


class SqueezedCodes(Autoencoder):
    def encode(self, samples: Tensor, *, label: Tensor | None = None) -> Tensor:
        return super().encode(samples, label=label).squeeze()


class GivesAnother(Generator):
    """Its trace is of other samples."""

    def trace(self, inputs: Tensor, *, label: Tensor | None = None) -> Any:
        samples, given = super().trace(inputs, label=label)
        return samples.flip(0), given

    def forward(self, inputs: Tensor, *, label: Tensor | None = None) -> Tensor:
        return self.trace(inputs, label=label)[0].flip(0)


class GivesOne(Generator):
    """One vector for the whole batch."""

    def trace(self, inputs: Tensor, *, label: Tensor | None = None) -> Any:
        samples, given = super().trace(inputs, label=label)
        return samples, {"w": given["w"].sum(0)}


class Painter(Generator):
    """Told a picture, as pix2pix is."""

    def __init__(self, problem: Problem, options: object) -> None:
        super().__init__(problem, options)
        self.eye = None
        if "image" in problem.conditions:
            size = math.prod(problem.conditions["image"].known_shape)
            self.eye = nn.Linear(size, self.first.in_features)

    def forward(self, inputs: Tensor, *, label: Any = None, image: Any = None) -> Tensor:
        if self.eye is not None:
            inputs = inputs + self.seen(image)
        return super().forward(inputs, label=label)

    def seen(self, image: Tensor) -> Tensor:
        return self.eye(image.flatten(1))


class Blind(Painter):
    def seen(self, image: Tensor) -> Tensor:
        seen = super().seen(image)
        return seen - seen.detach()


class Discriminator(nn.Module):
    """Samples of any shape to scores, with classes or without."""

    def __init__(self, problem: Problem, options: object) -> None:
        super().__init__()
        self.problem = problem
        self.first = nn.Linear(math.prod(problem.sample_shape), NUM_FEATURES)
        self.last = nn.Linear(NUM_FEATURES, 1)
        self.label = None
        if problem.num_classes is not None:
            self.label = nn.Embedding(problem.num_classes, NUM_FEATURES)

    def forward(self, samples: Tensor, *, label: Tensor | None = None) -> Tensor:
        features = self.features(self.flat(samples))
        scores = self.last(features).squeeze(1)
        if self.label is not None:
            scores = scores + (self.label(label) * features).sum(1)
        return self.finish(scores)

    def flat(self, samples: Tensor) -> Tensor:
        return samples.flatten(1)

    def features(self, samples: Tensor) -> Tensor:
        return self.first(samples).tanh()

    def finish(self, scores: Tensor) -> Tensor:
        return scores


class ReadsMemoryOrder(Discriminator):
    def flat(self, samples: Tensor) -> Tensor:
        size = math.prod(samples.shape[1:])
        return samples.as_strided((len(samples), size), (size, 1))


class SqueezedScores(Discriminator):
    def finish(self, scores: Tensor) -> Tensor:
        return scores.squeeze()


class TwoScores(Discriminator):
    def finish(self, scores: Tensor) -> Tensor:
        return torch.stack([scores, 2 * scores], 1)


class ListOfScores(Discriminator):
    def finish(self, scores: Tensor) -> Any:
        return [scores, 2 * scores]


class Classifier(Discriminator):
    """It has a head of classes, which it gives beside its scores."""

    def __init__(self, problem: Problem, options: object) -> None:
        super().__init__(problem, options)
        self.head = nn.Linear(NUM_FEATURES, 3)

    def trace(self, samples: Tensor, *, label: Tensor | None = None) -> Any:
        logits = self.head(self.features(self.flat(samples)))
        return self.forward(samples, label=label), {"logits": [logits]}


class DoubleScoresForGrey(Discriminator):
    def finish(self, scores: Tensor) -> Tensor:
        return scores.double() if self.problem.sample_shape[0] == 1 else scores


class Probabilities(Discriminator):
    def finish(self, scores: Tensor) -> Tensor:
        return scores.sigmoid()


class PositiveScores(Discriminator):
    def finish(self, scores: Tensor) -> Tensor:
        return scores.exp().log1p()


class ConstantScores(Discriminator):
    def __init__(self, problem: Problem, options: object) -> None:
        super().__init__(problem, options)
        self.always = nn.Parameter(torch.ones(NUM_FEATURES))

    def features(self, samples: Tensor) -> Tensor:
        features = super().features(samples)
        return features - features.detach() + self.always


class DetachesTheFirst(Discriminator):
    def flat(self, samples: Tensor) -> Tensor:
        samples = super().flat(samples)
        return torch.cat([samples[:1].detach(), samples[1:]])


class GradientOnlyForWeights(Discriminator):
    def flat(self, samples: Tensor) -> Tensor:
        wanted = self.first.weight.requires_grad
        return super().flat(samples if wanted else samples.detach())


class Once(torch.autograd.Function):
    """The identity, whose gradient cannot be differentiated."""

    @staticmethod
    def forward(context: Any, samples: Tensor) -> Tensor:
        return samples.clone()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(context: Any, gradient: Tensor) -> Tensor:
        return gradient.clone()


class DifferentiableOnce(Discriminator):
    def flat(self, samples: Tensor) -> Tensor:
        return Once.apply(super().flat(samples))


class ComparesWithTheBatch(Discriminator):
    def features(self, samples: Tensor) -> Tensor:
        features = super().features(samples)
        return features * (1 + features.mean(0))


@dataclass(frozen=True, kw_only=True)
class Options:
    width: int = option(8, help="units", minimum=1)
    slopes: tuple[float, ...] = option((0.1, 0.2), help="of the layers")


@dataclass(frozen=True, kw_only=True)
class OptionsWithoutHelp:
    width: int = option(8, help=" ", minimum=1)


@dataclass(frozen=True, kw_only=True)
class OptionsThatGrow:
    width: int = option(8, help="units", minimum=1)

    def __post_init__(self) -> None:
        object.__setattr__(self, "width", self.width + 1)
