"""Penalties on the discriminator's gradient with respect to what it judges."""

from __future__ import annotations

import torch
from torch import Tensor

from ganforge import Loss, Problem, Step, input_gradients

from . import GradientPenaltyOptions, ZeroCentredOptions

TINY = 1e-12  # below the square root, whose slope at 0 is infinite


class R1(Loss):
    """gamma / 2 times the mean squared gradient norm at real samples.

    Mescheder et al., 2018, arXiv:1801.04406, equation 9.
    """

    def __init__(self, problem: Problem, options: ZeroCentredOptions) -> None:
        super().__init__()
        self.gamma = options.gamma

    def discriminator_loss(self, step: Step) -> Tensor:
        gradients = input_gradients(step.real_scores, step.real)
        return step.progress.value(self.gamma) / 2 * squared_norms(gradients).mean()


class R2(R1):
    """The same at generated samples (Mescheder et al., 2018, section 4.1)."""

    def discriminator_loss(self, step: Step) -> Tensor:
        gradients = input_gradients(step.fake_scores, step.fake)
        return step.progress.value(self.gamma) / 2 * squared_norms(gradients).mean()


class GradientPenalty(Loss):
    """coefficient times the mean squared distance of the gradient's norm from the target.

    The gradient is that at points between real and fake samples, with one interpolation weight per
    sample (Gulrajani et al., 2017, arXiv:1704.00028, algorithm 1). In a conditional run they have
    the labels of the real samples. One-sided, only norms above the target are penalised. The critic
    must score each sample by itself, so it cannot have batch normalisation (section 4).
    """

    def __init__(self, problem: Problem, options: GradientPenaltyOptions) -> None:
        super().__init__()
        self.coefficient = options.coefficient
        self.target = options.target
        self.two_sided = options.two_sided

    def discriminator_loss(self, step: Step) -> Tensor:
        real, fake = step.real.detach(), step.fake.detach()
        # From the global generator, which the engine seeds for every step.
        weights = torch.rand(len(real), *[1] * (real.dim() - 1), device=real.device)
        between = torch.lerp(real, fake, weights.to(real.dtype)).requires_grad_()
        scores = step.discriminate(between, step.real_conditions)
        norms = (squared_norms(input_gradients(scores, between)) + TINY).sqrt()
        excess = norms - self.target
        if not self.two_sided:
            excess = excess.clamp(min=0.0)
        return step.progress.value(self.coefficient) * excess.square().mean()


def squared_norms(gradients: Tensor) -> Tensor:
    """`[B, *sample_shape]` to `[B]`."""
    return gradients.flatten(1).square().sum(1)
