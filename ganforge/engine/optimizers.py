"""torch's optimizers from the configuration, fused where the device allows, and their schedules."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import nn
from torch.optim import SGD, Adam, AdamW, Optimizer, RMSprop

from ganforge.config.settings import (
    AdamSettings,
    AdamWSettings,
    OptimizerSettings,
    RMSpropSettings,
    SGDSettings,
)

_FUSED_DEVICES = frozenset({"cpu", "cuda", "mps"})


def build_optimizer(
    settings: OptimizerSettings, parameters: Iterable[nn.Parameter], device: torch.device
) -> Optimizer:
    """The optimizer that the settings describe, over the parameters that want a gradient."""
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    floats = all(parameter.is_floating_point() for parameter in trained)
    fused = floats and device.type in _FUSED_DEVICES
    rate, decay = settings.learning_rate, getattr(settings, "weight_decay", 0.0)
    match settings:
        case AdamSettings(betas=betas, epsilon=eps):
            return Adam(trained, rate, betas, eps, decay, fused=fused)
        case AdamWSettings(betas=betas, epsilon=eps):
            return AdamW(trained, rate, betas, eps, decay, fused=fused)
        case RMSpropSettings(smoothing=alpha, momentum=momentum, epsilon=eps):
            return RMSprop(trained, rate, alpha, eps, decay, momentum, foreach=True)
        case SGDSettings(momentum=momentum):
            return SGD(trained, rate, momentum, weight_decay=decay, fused=fused)


def learning_rate(settings: OptimizerSettings, step: int, num_steps: int) -> float:
    """The rate of update number `step` (from 0) of `num_steps`.

    It is a function of the step alone, so a resumed run has nothing to remember. A falling schedule
    starts after the share `decay_from` of the run and ends at `final_factor` of the rate.
    """
    start = settings.decay_from * num_steps
    if settings.schedule == "constant" or step < start or num_steps <= start:
        return settings.learning_rate
    progress = min(1.0, (step - start) / (num_steps - start))
    remaining = 1.0 - progress
    if settings.schedule == "cosine":
        remaining = 0.5 * (1.0 + math.cos(math.pi * progress))
    factor = settings.final_factor + (1.0 - settings.final_factor) * remaining
    return settings.learning_rate * factor


def set_learning_rate(optimizer: Optimizer, rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate
