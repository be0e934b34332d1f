"""Partners for the component that is checked in training: the smallest networks that learn.

They are the kit's own, so that a check depends on no plugin but the one that is checked.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss, softplus

from ganforge import __version__
from ganforge.config import Selection, Term
from ganforge.contracts import (
    Batch,
    InMemoryDataset,
    Inputs,
    LatentSampler,
    Loss,
    Sampler,
    ScoreLoss,
    Step,
)
from ganforge.options import NoOptions, option
from ganforge.problem import Problem
from ganforge.registry import Component, Plugin
from ganforge.specs import (
    DatasetSpec,
    DiscriminatorSpec,
    GeneratorSpec,
    InputKind,
    LossSpec,
    SamplerSpec,
    Spec,
)

NUM_SAMPLES = 16
NUM_FEATURES = 8
CLASSES = ("a", "b", "c")


@dataclass(frozen=True, kw_only=True)
class DatasetOptions:
    shape: tuple[int, ...] = option(help="of a sample", minimum=1)


@dataclass(frozen=True, kw_only=True)
class SamplerOptions:
    size: int = option(6, help="latent size Z", minimum=1)


class Generator(nn.Module):
    """Inputs `[B, *input_shape]` to samples `[B, *sample_shape]`, and `encode` the other way."""

    def __init__(self, problem: Problem, options: NoOptions) -> None:
        super().__init__()
        self.sample_shape, self.input_shape = problem.sample_shape, problem.input_shape
        fan_in, fan_out = math.prod(problem.input_shape), math.prod(problem.sample_shape)
        self.label = None if problem.num_classes is None else nn.Embedding(problem.num_classes, 4)
        self.first = nn.Linear(fan_in + (4 if self.label else 0), NUM_FEATURES)
        self.last = nn.Linear(NUM_FEATURES, fan_out)
        self.encoder = nn.Linear(fan_out, fan_in)

    def forward(self, inputs: Tensor, labels: Tensor | None = None) -> Tensor:
        features = inputs.flatten(1)
        if self.label is not None:
            features = torch.cat([features, self.label(labels)], 1)
        samples: Tensor = self.last(self.first(features).tanh()).tanh()
        return samples.view(-1, *self.sample_shape)

    def encode(self, samples: Tensor, labels: Tensor | None = None) -> Tensor:
        codes: Tensor = self.encoder(samples.flatten(1))
        return codes.view(-1, *self.input_shape)


class Discriminator(nn.Module):
    """Samples `[B, *sample_shape]` to scores `[B]`."""

    def __init__(self, problem: Problem, options: NoOptions) -> None:
        super().__init__()
        self.first = nn.Linear(math.prod(problem.sample_shape), NUM_FEATURES)
        self.last = nn.Linear(NUM_FEATURES, 1)
        self.label = None
        if problem.num_classes is not None:
            self.label = nn.Embedding(problem.num_classes, NUM_FEATURES)

    def forward(self, samples: Tensor, labels: Tensor | None = None) -> Tensor:
        features = self.first(samples.flatten(1)).tanh()
        scores: Tensor = self.last(features).squeeze(1)
        if self.label is not None:
            scores = scores + (self.label(labels) * features).sum(1)
        return scores


class Latents(LatentSampler):
    """From N(0, 1)."""

    def __init__(self, problem: Problem, options: SamplerOptions) -> None:
        super().__init__(problem)
        self.size = options.size

    def latents(self, n: int, generator: torch.Generator) -> Tensor:
        return torch.randn(n, self.size, generator=generator, device=generator.device)


class Paired(Sampler):
    """The real samples themselves."""

    def __init__(self, problem: Problem, options: NoOptions) -> None:
        super().__init__(problem)

    def sample(self, n: int, *, generator: torch.Generator, real: Batch | None = None) -> Inputs:
        assert real is not None
        return Inputs(real.samples, real.labels)


class Adversarial(ScoreLoss):
    """Cross-entropy, with the non-saturating generator loss (Goodfellow et al., 2014)."""

    def __init__(self, problem: Problem, options: NoOptions) -> None:
        super().__init__()

    def discriminator(self, real_scores: Tensor, fake_scores: Tensor) -> Tensor:
        return softplus(-real_scores).mean() + softplus(fake_scores).mean()

    def generator(self, fake_scores: Tensor) -> Tensor:
        return softplus(-fake_scores).mean()


class Reconstruction(Loss):
    """The squared error of the reconstruction."""

    def __init__(self, problem: Problem, options: NoOptions) -> None:
        super().__init__()

    def generator_loss(self, step: Step) -> Tensor:
        return mse_loss(step.reconstruction, step.real)


def noise(problem: Problem, options: DatasetOptions) -> InMemoryDataset:
    """Sixteen samples of noise, labelled."""
    generator = torch.Generator().manual_seed(0)
    samples = torch.rand(NUM_SAMPLES, *options.shape, generator=generator)
    samples = (samples * 255).to(torch.uint8) if len(options.shape) == 3 else samples * 2 - 1
    return InMemoryDataset(samples, torch.arange(NUM_SAMPLES) % len(CLASSES), CLASSES)


def generator(inputs: InputKind = "latents", *, encodes: bool = False) -> Selection:
    """A generator of any inputs and samples."""
    spec = GeneratorSpec(
        name="reference",
        summary="A perceptron",
        build=f"{__name__}:Generator",
        inputs=inputs,
        encodes=encodes,
        vectors=True,
        labels="optional",
    )
    return _selection(spec, NoOptions())


def discriminator() -> Selection:
    """A discriminator of any samples, smooth everywhere."""
    spec = DiscriminatorSpec(
        name="reference",
        summary="A perceptron",
        build=f"{__name__}:Discriminator",
        vectors=True,
        labels="optional",
        batch_independent=True,
    )
    return _selection(spec, NoOptions())


def sampler(input_shape: tuple[int, ...]) -> Selection:
    """Latents, or for images those of the real batch."""
    paired = len(input_shape) == 3
    inputs: Literal["images", "latents"] = "images" if paired else "latents"
    spec = SamplerSpec(
        name="reference",
        summary="Latents, or real images",
        build=f"{__name__}:{'Paired' if paired else 'Latents'}",
        options=NoOptions if paired else SamplerOptions,
        input_shape=lambda options, sample_shape: input_shape,
        inputs=inputs,
        paired=paired,
    )
    return _selection(spec, NoOptions() if paired else SamplerOptions(size=input_shape[0]))


def dataset(sample_shape: tuple[int, ...]) -> Selection:
    """A data set of this shape."""
    spec = DatasetSpec(
        name="reference",
        summary="Noise",
        build=f"{__name__}:noise",
        options=DatasetOptions,
        sample_shape=lambda options: tuple(options.shape),
        labelled=True,
    )
    return _selection(spec, DatasetOptions(shape=sample_shape))


def losses(*, reconstruction: bool = False) -> tuple[Term, ...]:
    """An adversarial term, and one that compares reconstructions where asked for."""
    adversarial = LossSpec(
        name="reference", summary="Cross-entropy", build=f"{__name__}:Adversarial"
    )
    compared = replace(
        adversarial,
        name="reference-reconstruction",
        build=f"{__name__}:Reconstruction",
        trains=("generator",),
        needs_reconstruction=True,
    )
    specs: Sequence[LossSpec] = [adversarial, compared] if reconstruction else [adversarial]
    return tuple(term(_selection(spec, NoOptions())) for spec in specs)


def term(selection: Selection) -> Term:
    """A loss in an objective, evaluated at every step."""
    return Term(component=selection.component, options=selection.options, weight=1.0, every=1)


def _selection(spec: Spec, options: object) -> Selection:
    plugin = Plugin(
        name="testing", package="ganforge", version=__version__, module=__name__, bundled=True
    )
    return Selection(component=Component(spec=spec, plugin=plugin), options=options)
