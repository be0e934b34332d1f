"""`Loss`: one term of the objective."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from ganforge.problem import Problem

from .step import Observed, Scores, Step


class Loss(nn.Module):
    """One term of the objective; the objective is the sum of the terms that a run names.

    A term implements either or both of the two losses, each a scalar that is the mean over the
    batch; its spec's `trains` names those that it has, and none for a term that is there to observe
    or to constrain weights. State (an adaptive weight, say) belongs in buffers, so that it is
    moved, saved and resumed, and changes in `observe` alone. Parameters that want a gradient are
    trained with the side that the spec names; those that want none (a network that compares
    pictures) are not stored.
    """

    def __init__(self, problem: Problem | None = None, options: Any = None) -> None:
        super().__init__()

    def discriminator_loss(self, step: Step) -> Tensor | None:
        """The term's share of the discriminator's loss, a scalar; None where it has none."""
        return None

    def generator_loss(self, step: Step) -> Tensor | None:
        """The term's share of the generator's loss, a scalar; None where it has none."""
        return None

    def observe(self, observed: Observed) -> None:
        """Called without gradient once after each update of a side that the term trains.

        A term that trains none is told of the updates of both. For state that moves from step to
        step: a loss is called once for each part of a batch.
        """

    def constrain_discriminator(self, discriminator: nn.Module) -> None:
        """Called without gradient after each optimizer step of the discriminator.

        For constraints on weights, such as clipping. The usual term has none.
        """


class ScoreLoss(Loss):
    """A term that is two functions of scores, which most adversarial losses are."""

    def discriminator(self, real_scores: Tensor, fake_scores: Tensor) -> Tensor:
        """The discriminator's loss, a scalar, from scores of the same shape."""
        raise NotImplementedError(f"{type(self).__name__} must define discriminator()")

    def generator(self, fake_scores: Tensor) -> Tensor:
        """The generator's loss, a scalar."""
        raise NotImplementedError(f"{type(self).__name__} must define generator()")

    def discriminator_loss(self, step: Step) -> Tensor:
        return averaged(self.discriminator, step.real_scores, step.fake_scores)

    def generator_loss(self, step: Step) -> Tensor:
        return averaged(self.generator, step.fake_scores)


def averaged(loss: Callable[..., Tensor], *scores: Scores) -> Tensor:
    """The loss of scores; of lists of scores, the mean of the losses of their elements."""
    if isinstance(scores[0], Tensor):
        return loss(*scores)
    return torch.stack([loss(*elements) for elements in zip(*scores, strict=True)]).mean()
