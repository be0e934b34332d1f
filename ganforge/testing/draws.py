"""How a sampler is drawn from in a check."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import torch
from torch import Tensor

from ganforge.contracts import Batch, Inputs, Sampler
from ganforge.problem import Problem
from ganforge.specs import SamplerSpec

from .building import build, problems, real_batch
from .framework import Subject

BATCH = 5


def spec_of(subject: Subject) -> SamplerSpec:
    return cast(SamplerSpec, subject.spec)


def built(subject: Subject) -> Iterator[tuple[Problem, Any]]:
    for problem in problems(subject):
        yield problem, build(subject, problem)


def first_built(subject: Subject) -> tuple[Problem, Any]:
    return next(built(subject))


def draw(
    subject: Subject,
    problem: Problem,
    sampler: Sampler,
    n: int = BATCH,
    *,
    seed: int = 0,
    real: Batch | None = None,
) -> Inputs:
    """`n` inputs; where they are made of real samples, there are some."""
    if real is None and spec_of(subject).paired:
        real = real_batch(problem, n)
    return sampler.sample(n, generator=torch.Generator().manual_seed(seed), real=real)


def equal(one: Inputs, other: Inputs) -> bool:
    if (one.labels is None) != (other.labels is None):
        return False
    same_labels = one.labels is None or torch.equal(one.labels, cast(Tensor, other.labels))
    return same_labels and torch.equal(one.values, other.values)
