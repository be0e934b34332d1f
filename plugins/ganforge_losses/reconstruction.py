"""Losses between reconstructions and real samples: for autoencoders and their kin."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import l1_loss, mse_loss

from ganforge import Loss, NoOptions, Problem, Step


class MeanSquaredError(Loss):
    """The mean over samples and numbers of the squared difference."""

    def __init__(self, problem: Problem, options: NoOptions) -> None:
        super().__init__()

    def generator_loss(self, step: Step) -> Tensor:
        return mse_loss(step.reconstruction, step.samples)


class MeanAbsoluteError(MeanSquaredError):
    """The mean over samples and numbers of the absolute difference."""

    def generator_loss(self, step: Step) -> Tensor:
        return l1_loss(step.reconstruction, step.samples)


class IdentityError(MeanAbsoluteError):
    """The mean absolute difference that G makes to what is of its target set already.

    Zhu et al., 2017, arXiv:1703.10593, section 5.2.
    """

    def generator_loss(self, step: Step) -> Tensor:
        return l1_loss(step.identity, step.samples)  # type: ignore[attr-defined]
