"""torch's optimizers, fused where the device and the parameters allow it.

What is scheduled has its first value here: the engine sets the others.
"""

from __future__ import annotations

from typing import Any

from torch.nn import Parameter
from torch.optim import SGD, Adam, AdamW, RMSprop

from . import AdamOptions, AdamWOptions, RMSpropOptions, SGDOptions

_FUSED_DEVICES = frozenset({"cpu", "cuda", "mps"})


def build_adam(parameters: list[Parameter], options: AdamOptions) -> Adam:
    return Adam(parameters, **_adam(parameters, options))


def build_adamw(parameters: list[Parameter], options: AdamWOptions) -> AdamW:
    return AdamW(parameters, **_adam(parameters, options))


def _adam(parameters: list[Parameter], options: AdamOptions) -> dict[str, Any]:
    return {
        "lr": options.learning_rate,
        "betas": options.betas,
        "eps": options.epsilon,
        "weight_decay": options.weight_decay,
        "fused": _can_be_fused(parameters),
    }


def build_rmsprop(parameters: list[Parameter], options: RMSpropOptions) -> RMSprop:
    """RMSprop, of which torch has no fused form."""
    values: dict[str, Any] = {
        "lr": options.learning_rate,
        "alpha": options.smoothing,
        "momentum": options.momentum,
        "eps": options.epsilon,
        "weight_decay": options.weight_decay,
    }
    return RMSprop(parameters, **values, foreach=True)


def build_sgd(parameters: list[Parameter], options: SGDOptions) -> SGD:
    values: dict[str, Any] = {
        "lr": options.learning_rate,
        "momentum": options.momentum,
        "weight_decay": options.weight_decay,
    }
    return SGD(parameters, **values, fused=_can_be_fused(parameters))


def _can_be_fused(parameters: list[Parameter]) -> bool:
    return all(it.is_floating_point() and it.device.type in _FUSED_DEVICES for it in parameters)
