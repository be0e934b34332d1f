"""The step that loss terms are checked on: a real view of tiny networks, whose scores can be set.

What the engine shows a term in training is `ganforge.engine.step.View`; this is one, so that what
passes here passes there.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor, nn

from ganforge.contracts import Batch, Inputs
from ganforge.engine.objective import Network
from ganforge.engine.step import Part, View, Wiring

LATENTS, HIDDEN, CLASSES = 6, 8, 3
PATCHES = (2, 3)

CriticKind = Literal["smooth", "affine", "constant"]


class ReferenceGenerator(nn.Module):
    """An autoencoder of two linear layers; with classes, it does not run without labels."""

    def __init__(self, sample_shape: tuple[int, ...], num_classes: int | None) -> None:
        super().__init__()
        self.sample_shape = sample_shape
        self.encoder = nn.Linear(math.prod(sample_shape), LATENTS)
        self.decoder = nn.Linear(LATENTS, math.prod(sample_shape))
        self.classes = _embedding(num_classes, LATENTS)

    def forward(self, inputs: Tensor, labels: Tensor | None = None) -> Tensor:
        hidden = inputs + _embedded(self.classes, labels)
        # Samples are float32, also where a network computes in bfloat16.
        samples: Tensor = self.decoder(hidden).tanh().float().unflatten(1, self.sample_shape)
        return samples

    def encode(self, samples: Tensor, labels: Tensor | None = None) -> Tensor:
        codes: Tensor = self.encoder(samples.flatten(1)) + _embedded(self.classes, labels)
        return codes


class ReferenceCritic(nn.Module):
    """Scores `[B]`, or `[B, h, w]` for `patches`, of the given type.

    A smooth critic has another gradient everywhere, an affine one the same, a constant one none.
    With classes, it does not run without labels. `differentiated` says whether its gradient was
    asked for in a form that can be differentiated again.
    """

    def __init__(
        self,
        sample_shape: tuple[int, ...],
        num_classes: int | None,
        *,
        kind: CriticKind = "smooth",
        patches: tuple[int, ...] = (),
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        self.patches, self.dtype = patches, dtype
        self.smooth = kind == "smooth"
        self.first = nn.Linear(math.prod(sample_shape), HIDDEN)
        self.last = nn.Linear(HIDDEN, math.prod(patches))
        self.classes = _embedding(num_classes, HIDDEN)
        self.differentiated = False
        if kind == "constant":
            nn.init.zeros_(self.last.weight)

    def forward(self, samples: Tensor, labels: Tensor | None = None) -> Tensor:
        hidden = self.first(samples.flatten(1)) + _embedded(self.classes, labels)
        scores: Tensor = self.last(hidden.tanh() if self.smooth else hidden).to(self.dtype)
        scores = scores.view(len(samples), *self.patches)
        if scores.requires_grad:
            scores.register_hook(self._note)  # type: ignore[no-untyped-call]
        return scores

    def _note(self, gradient: Tensor) -> None:
        # A backward pass records itself where its result is to be differentiated.
        self.differentiated |= torch.is_grad_enabled()


class ReferenceStep(View):
    """One update, with notes of what was read.

    `scores` sets those of real and fake samples; their derivatives with respect to the samples and
    the weights stay the critic's. They are the leaves `real_targets` and `fake_targets`, whose
    gradient is the loss's derivative with respect to the scores.
    """

    def __init__(
        self,
        network: Network,
        *,
        sample_shape: tuple[int, ...] = (3, 16, 16),
        num_classes: int | None = None,
        scores: tuple[float, float] | None = None,
        kind: CriticKind = "smooth",
        patches: tuple[int, ...] = (),
        dtype: torch.dtype = torch.float32,
        differentiable: bool = True,
        repeats: int = 1,
        batch: int = 4,
        seed: int = 0,
    ) -> None:
        drawn = torch.Generator().manual_seed(seed)
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            self.generator = ReferenceGenerator(sample_shape, num_classes)
            self.discriminator = ReferenceCritic(
                sample_shape, num_classes, kind=kind, patches=patches, dtype=dtype
            )
        real = torch.rand(batch, *sample_shape, generator=drawn) * 2 - 1
        latents = torch.randn(batch, LATENTS, generator=drawn)
        labels = None
        if num_classes is not None:
            labels = torch.arange(batch).remainder(num_classes).repeat(repeats)
        part = Part(
            real=Batch(real.repeat(repeats, *[1] * len(sample_shape)), labels),
            inputs=Inputs(latents.repeat(repeats, 1), labels),
        )
        super().__init__(
            network,
            part,
            self.generator,
            self.discriminator,
            Wiring(encodes=True),
            differentiable=differentiable and network == "discriminator",
        )
        self.read: set[str] = set()
        self.real_targets: Tensor | None = None
        self.fake_targets: Tensor | None = None
        self.level = 0.0
        if scores is not None:
            self.level = scores[0]
            shape = (batch * repeats, *patches)
            self.real_targets, self.fake_targets = (
                torch.full(shape, level, dtype=dtype, requires_grad=True) for level in scores
            )

    @property
    def scores_were_read(self) -> bool:
        return bool(self.read & {"real_scores", "fake_scores", "critic"})

    @cached_property
    def reconstruction(self) -> Tensor:
        self.read.add("reconstruction")
        return super().reconstruction

    @cached_property
    def real_scores(self) -> Tensor:
        scores = self._moved(super().real_scores, self.real_targets)
        self.read.add("real_scores")
        return scores.detach() if self._trains_generator else scores

    @cached_property
    def fake_scores(self) -> Tensor:
        scores = self._moved(super().fake_scores, self.fake_targets)
        self.read.add("fake_scores")
        return scores

    @staticmethod
    def _moved(scores: Tensor, targets: Tensor | None) -> Tensor:
        # The difference is exactly zero, and brings the critic's derivatives.
        return scores if targets is None else targets + (scores - scores.detach())

    def critic(self, samples: Tensor, labels: Tensor | None = None) -> Tensor:
        self.read.add("critic")
        return super().critic(samples, labels) + self.level


def _embedding(num_classes: int | None, size: int) -> nn.Embedding | None:
    return None if num_classes is None else nn.Embedding(num_classes, size)


def _embedded(embedding: nn.Embedding | None, labels: Tensor | None) -> Tensor | float:
    if embedding is None:
        return 0.0
    if labels is None:
        raise TypeError("a conditional network was called without labels")
    embedded: Tensor = embedding(labels)
    return embedded
