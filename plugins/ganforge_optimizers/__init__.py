"""Optimizers of torch: Adam, AdamW, RMSprop and stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ganforge import OptimizerSpec, Schedule, hookimpl, option


@dataclass(frozen=True, kw_only=True)
class AdamOptions:
    learning_rate: float | Schedule = option(
        Schedule(from_=1e-3, to=0.0, start=0.5, shape="cosine"),
        help="step size",
        minimum=0.0,
        mutable=True,
        scheduled=True,
    )
    betas: tuple[float, float] | Schedule = option(
        (0.0, 0.99), help="decay of the two moments", minimum=0.0, below=1.0, scheduled=True
    )
    epsilon: float = option(1e-8, help="added to the denominator", above=0.0)
    weight_decay: float | Schedule = option(
        0.0, help="L2 penalty on the weights", minimum=0.0, scheduled=True
    )


@dataclass(frozen=True, kw_only=True)
class AdamWOptions(AdamOptions):
    weight_decay: float | Schedule = option(
        0.01, help="decoupled decay of the weights", minimum=0.0, scheduled=True
    )


@dataclass(frozen=True, kw_only=True)
class RMSpropOptions:
    learning_rate: float | Schedule = option(
        5e-5, help="step size", minimum=0.0, mutable=True, scheduled=True
    )
    smoothing: float | Schedule = option(
        0.99, help="decay of the squared gradient", minimum=0.0, below=1.0, scheduled=True
    )
    momentum: float = option(0.0, help="momentum", minimum=0.0, below=1.0)
    epsilon: float = option(1e-8, help="added to the denominator", above=0.0)
    weight_decay: float | Schedule = option(
        0.0, help="L2 penalty on the weights", minimum=0.0, scheduled=True
    )


@dataclass(frozen=True, kw_only=True)
class SGDOptions:
    learning_rate: float | Schedule = option(
        0.01, help="step size", minimum=0.0, mutable=True, scheduled=True
    )
    momentum: float | Schedule = option(
        0.0, help="momentum", minimum=0.0, below=1.0, scheduled=True
    )
    weight_decay: float | Schedule = option(
        0.0, help="L2 penalty on the weights", minimum=0.0, scheduled=True
    )


@hookimpl
def ganforge_optimizers() -> Iterable[OptimizerSpec]:
    yield OptimizerSpec(
        name="adam",
        summary="Adaptive moments (Kingma and Ba, 2015)",
        build="ganforge_optimizers.builders:build_adam",
        options=AdamOptions,
        found_inf=True,
    )
    yield OptimizerSpec(
        name="adamw",
        summary="Adam with decoupled weight decay (Loshchilov and Hutter, 2019)",
        build="ganforge_optimizers.builders:build_adamw",
        options=AdamWOptions,
        found_inf=True,
    )
    yield OptimizerSpec(
        name="rmsprop",
        summary="Hinton's RMSprop; 5e-5 is the Wasserstein GAN's learning rate",
        build="ganforge_optimizers.builders:build_rmsprop",
        options=RMSpropOptions,
        param_groups={"smoothing": "alpha"},
    )
    yield OptimizerSpec(
        name="sgd",
        summary="Stochastic gradient descent, with momentum if asked for",
        build="ganforge_optimizers.builders:build_sgd",
        options=SGDOptions,
        found_inf=True,
    )
