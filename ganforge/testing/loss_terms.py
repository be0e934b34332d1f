"""How a loss term is called in a check: built, given a reference step, asked for its value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import torch
from torch import Tensor, nn

from ganforge.contracts import Loss
from ganforge.engine.objective import Network
from ganforge.problem import Problem
from ganforge.specs import LossSpec

from .building import build, seeded
from .framework import Subject
from .reference_step import CLASSES, LATENTS, ReferenceStep

IMAGES = (3, 16, 16)


def spec_of(subject: Subject) -> LossSpec:
    return cast(LossSpec, subject.spec)


def build_loss(
    subject: Subject, sample_shape: tuple[int, ...] = IMAGES, *, labels: bool = False
) -> Any:
    conditional = labels or spec_of(subject).needs_labels
    problem = Problem(
        sample_shape=sample_shape,
        input_shape=(LATENTS,),
        num_classes=CLASSES if conditional else None,
    )
    return build(subject, problem)


def step_for(
    subject: Subject, network: Network, *, labels: bool = False, **how: Any
) -> ReferenceStep:
    conditional = labels or spec_of(subject).needs_labels
    return ReferenceStep(network, num_classes=CLASSES if conditional else None, **how)


def call(loss: Loss, network: Network, step: ReferenceStep, seed: int = 0) -> Any:
    """What the term returns; it may draw from the global generators, which the engine seeds."""
    with seeded(seed):
        if network == "discriminator":
            return loss.discriminator_loss(step)
        return loss.generator_loss(step)


def value_of(loss: Loss, network: Network, step: ReferenceStep, seed: int = 0) -> Tensor | None:
    """The term's value; that it is a scalar, and there at all, is for other checks to say."""
    found = call(loss, network, step, seed)
    return found.mean() if isinstance(found, Tensor) else None


def values(
    subject: Subject, *, sample_shape: tuple[int, ...] = IMAGES, labels: bool = False, **how: Any
) -> Iterator[tuple[Network, ReferenceStep, Tensor]]:
    """The value for each network that the spec names, and the step that it was computed from."""
    loss = build_loss(subject, sample_shape, labels=labels)
    for network in spec_of(subject).trains:
        step = step_for(subject, network, labels=labels, sample_shape=sample_shape, **how)
        value = value_of(loss, network, step)
        if value is not None:
            yield network, step, value


def trained(step: ReferenceStep, network: Network) -> nn.Module:
    return step.discriminator if network == "discriminator" else step.generator


def gradients(value: Tensor, of: list[Tensor]) -> list[Tensor]:
    if not value.requires_grad:
        return []
    found = torch.autograd.grad(value, of, allow_unused=True, retain_graph=True)
    return [gradient for gradient in found if gradient is not None]
