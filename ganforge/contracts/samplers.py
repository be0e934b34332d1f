"""`Sampler`: draws what the generator is fed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor

from ganforge.problem import Problem

from .batches import Batch, Inputs


class Sampler(ABC):
    """Draws what the generator is fed."""

    def __init__(self, problem: Problem, options: Any = None) -> None:
        self.problem = problem
        self.options = options

    @abstractmethod
    def sample(self, n: int, *, generator: torch.Generator, real: Batch | None = None) -> Inputs:
        """`n` inputs `[n, *input_shape]` with the conditions to generate for.

        Everything is drawn from `generator` and lies on `generator.device`. `real` is the batch of
        the same update, of n samples, with the fields that the run uses. It is None when a trained
        generator is sampled from, unless the sampler's spec says that it `reads` of it.
        """

    def log_density(self, inputs: Tensor) -> Tensor:
        """log p(z) for each of the inputs `[B, *input_shape]`, `[B]`, up to a constant.

        Differentiable. Raises ValueError where it is not known.
        """
        raise ValueError("the density of its inputs is not known")

    def truncated(self, threshold: float) -> Sampler:
        """This sampler, with every latent drawn from [-threshold, threshold] (Brock et al., 2019).

        Raises ValueError where truncation has no meaning.
        """
        raise ValueError("its inputs cannot be truncated")


class LatentSampler(Sampler):
    """A sampler whose inputs are latents, independent of the real batch.

    In a conditional run the conditions are those of the real batch, so that fake and real classes
    are equally frequent. Where there is no real batch labels are uniform over the classes; other
    conditions are for who samples to give.
    """

    @abstractmethod
    def latents(self, n: int, generator: torch.Generator) -> Tensor:
        """`n` latents `[n, Z]`, float32, drawn from `generator` on its device."""

    def sample(self, n: int, *, generator: torch.Generator, real: Batch | None = None) -> Inputs:
        latents = self.latents(n, generator)
        conditions = self.problem.conditions
        if not conditions:
            return Inputs(latents)
        if real is not None:
            return Inputs(latents, **real.only(conditions).others)
        drawn = {
            name: torch.randint(
                field.num_classes, (n,), generator=generator, device=generator.device
            )
            for name, field in conditions.items()
            if field.num_classes is not None
        }
        return Inputs(latents, **drawn)
