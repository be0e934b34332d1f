"""`Refinement`: better samples of a trained pair, chosen or moved by what its discriminator says.

A refinement decides which inputs the generator is fed with, so that what it makes keeps everything
else: conditions, formats, games. It sees the trained pair as a `Pair`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ganforge.problem import Problem

from .batches import Inputs


class Pair(ABC):
    """A trained generator and its discriminator, in evaluation mode.

    The score of D is brought to d(x) = log p_data(x) / p_G(x) by a logistic regression of real
    against generated samples, `calibrated`, whatever the loss that D was trained with: for a
    cross-entropy D is that already, at its optimum (Goodfellow et al., 2014, proposition 1), for
    any other it is not (Turner et al., 2019, arXiv:1811.11357, section 3.1).

    `random` is the generator, on the device, to draw from; it is seeded anew for each chunk.
    `real_log_ratios` `[M]` and `real_groups` `[M]` are d and the group of real samples, held out of
    training where the run holds some out. A group is a class of the condition `label`, or 0.
    """

    problem: Problem
    random: torch.Generator
    real_log_ratios: Tensor
    real_groups: Tensor
    num_groups: int

    @abstractmethod
    def fresh(self, n: int) -> Inputs:
        """`n` new inputs with conditions as they are in the data."""

    @abstractmethod
    def propose(self, inputs: Inputs) -> Inputs:
        """New inputs of the sampler with the conditions of these, one by one."""

    @abstractmethod
    def log_ratio(self, inputs: Inputs) -> Tensor:
        """d(G(z)) for each input, `[B]`; its gradient reaches inputs that want one."""

    @abstractmethod
    def log_density(self, inputs: Inputs) -> Tensor:
        """log p(z) of the sampler for each input, `[B]`, up to a constant; differentiable.

        Raises ValueError where the sampler does not know it.
        """

    def groups(self, inputs: Inputs) -> Tensor:
        """The group of each input, int64 `[B]`."""
        if inputs.labels is not None:
            return inputs.labels
        return torch.zeros(len(inputs), dtype=torch.int64, device=inputs.values.device)

    def uniform(self, *shape: int) -> Tensor:
        """Uniform numbers in [0, 1), drawn from `random`."""
        return torch.rand(*shape, generator=self.random, device=self.random.device)

    def normal_like(self, values: Tensor) -> Tensor:
        """Standard normal numbers of the shape of `values`, drawn from `random`."""
        return torch.randn(values.shape, generator=self.random, device=self.random.device)


@dataclass(frozen=True, kw_only=True)
class Refined:
    """Inputs `[B, *input_shape]` to generate from, with the conditions that were asked for.

    Of `num_proposed` inputs that were judged `num_accepted` were taken; both are 0 where a
    refinement moves inputs and rejects none. `num_failed` of the inputs are the best that was found
    without any having been accepted.
    """

    inputs: Inputs
    num_proposed: int = 0
    num_accepted: int = 0
    num_failed: int = 0


class Refinement(ABC):
    """Chooses or moves the inputs of a trained generator."""

    def __init__(self, problem: Problem, options: Any = None) -> None:
        self.problem = problem
        self.options = options

    def prepare(self, pair: Pair) -> None:
        """Find out once, before the first chunk, what is needed: a bound, a threshold."""

    @abstractmethod
    def refine(self, pair: Pair, inputs: Inputs) -> Refined:
        """Inputs in place of these, which are fresh, for the same conditions one by one.

        Called for one chunk after another. Raises ValueError, with a message for the user, where
        this pair cannot be refined so.
        """
