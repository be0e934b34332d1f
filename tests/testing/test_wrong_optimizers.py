"""Optimizers that are wrong in one way each, and fail that check alone."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch.optim import Adam, Optimizer

from ganforge import OptimizerSpec, Schedule, option
from ganforge.testing import check_component
from ganforge.testing.checks import optimizers
from ganforge.testing.finding import subject_of
from ganforge.testing.framework import checks_in, perform_all

CALLS = itertools.count(1)

CHECKS = checks_in(optimizers)


@dataclass(frozen=True, kw_only=True)
class Options:
    learning_rate: float | Schedule = option(0.1, help="step size", scheduled=True)


class Correct(Optimizer):
    """Gradient descent with momentum."""

    def __init__(self, parameters: Any, options: Options) -> None:
        super().__init__(parameters, {"lr": options.learning_rate})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self.move(parameter, group)

    def move(self, parameter, group):
        average = self.state[parameter].setdefault("average", torch.zeros_like(parameter))
        average.lerp_(parameter.grad, 0.5)
        parameter.sub_(average, alpha=group["lr"])


class Lazy(Correct):
    def move(self, parameter, group):
        if parameter.dim() == 1:
            super().move(parameter, group)


class Decaying(Correct):
    def step(self):
        super().step()
        with torch.no_grad():
            for parameter in self.param_groups[0]["params"]:
                parameter.mul_(0.9)


class Remembering(Correct):
    def move(self, parameter, group):
        super().move(parameter, group)
        parameter.sub_(1e-3 * next(CALLS))


class Numbered(Correct):
    def move(self, parameter, group):
        super().move(parameter, group)
        state = self.state[parameter]
        state["step"] = state.get("step", 0) + 1


class Warming(Correct):
    """Its own learning rate schedule, in the parameter groups."""

    def step(self):
        super().step()
        self.param_groups[0]["warmed"] = self.param_groups[0].get("warmed", 0) + 1


class Renamed(Correct):
    def __init__(self, parameters: Any, options: Options) -> None:
        Optimizer.__init__(self, parameters, {"rate": options.learning_rate})

    def move(self, parameter, group):
        parameter.sub_(parameter.grad, alpha=group["rate"])


class Uphill(Correct):
    def move(self, parameter, group):
        parameter.add_(parameter.grad, alpha=group["lr"])


class Normalised(Correct):
    """Along the direction of the gradient, which one of 0 does not have."""

    def move(self, parameter, group):
        parameter.sub_(parameter.grad / parameter.grad.norm(), alpha=group["lr"])


class Fixed(Correct):
    def move(self, parameter, group):
        parameter.sub_(parameter.grad, alpha=0.1)


class Copying(Correct):
    """It keeps the learning rate that it was built with, whatever the schedule says."""

    def __init__(self, parameters: Any, options: Options) -> None:
        super().__init__(parameters, options)
        self.rate = options.learning_rate

    def move(self, parameter, group):
        parameter.sub_(parameter.grad, alpha=self.rate)


@dataclass(frozen=True, kw_only=True)
class PlainOptions:
    learning_rate: float = option(0.1, help="step size", above=0.0)


class Counting(Correct):
    """It warms up by a counter that no checkpoint holds."""

    number = 0

    def step(self):
        self.number += 1
        super().step()

    def move(self, parameter, group):
        parameter.sub_(parameter.grad, alpha=group["lr"] * self.number)


class Unstoppable(Correct):
    """It claims to take found_inf."""


def usual_adam(parameters: Any, options: Options) -> Adam:
    return Adam(parameters, options.learning_rate, foreach=True)


def fused_adam(parameters: Any, options: Options) -> Adam:
    return Adam(parameters, options.learning_rate, fused=True)


def forgetful(parameters: Any, options: Options) -> Correct:
    return Correct(parameters[:1], options)


def optimizer(built: Any, **said: Any) -> OptimizerSpec:
    target = f"{__name__}:{built.__name__}"
    said = {"options": Options, **said}
    return OptimizerSpec(name="wrong", summary="An optimizer", build=target, **said)


WRONG_OPTIMIZERS = [
    (Lazy, {}, "steps-move-parameters"),
    (Decaying, {}, "parameters-without-gradient-rest"),
    (Remembering, {}, "same-steps-twice"),
    (Numbered, {}, "state-is-tensors"),
    (Warming, {}, "state-is-tensors"),
    (Renamed, {}, "scheduled-options-are-in-groups"),
    (Uphill, {}, "steps-go-downhill"),
    (Normalised, {}, "gradients-may-be-0"),
    (Fixed, {}, "scheduled-options-count"),
    (Fixed, {"options": PlainOptions}, "scheduled-options-count"),
    (Copying, {}, "scheduled-options-count"),
    (Unstoppable, {"found_inf": True}, "found-inf-calls-a-step-off"),
]


@pytest.mark.parametrize(
    ("built", "said", "check"),
    WRONG_OPTIMIZERS,
    ids=[f"{it.__name__}-{check}" for it, _, check in WRONG_OPTIMIZERS],
)
def test_a_wrong_optimizer_fails_its_own_check_and_no_other(built, said, check):
    results = perform_all(CHECKS, subject_of(optimizer(built, **said)))
    assert [it.check for it in results if it.failed] == [check]


@pytest.mark.parametrize(
    ("built", "said"),
    [
        (Correct, {}),
        (Correct, {"options": PlainOptions}),
        (Renamed, {"param_groups": {"learning_rate": "rate"}}),
        (fused_adam, {"found_inf": True}),
    ],
)
def test_a_correct_optimizer_fails_none(built, said):
    results = check_component(optimizer(built, **said))
    assert [(it.check, it.message) for it in results if it.failed] == []


def test_a_counter_that_no_checkpoint_holds_does_not_resume():
    results = check_component(optimizer(Counting))
    assert [it.check for it in results if it.failed] == ["resumes-to-the-bit"]


def test_what_takes_found_inf_on_accelerators_alone_cannot_be_told():
    results = perform_all(CHECKS, subject_of(optimizer(usual_adam, found_inf=True)))
    assert [(it.check, it.message) for it in results if it.status != "passed"] == [
        ("found-inf-calls-a-step-off", "it takes found_inf on accelerators alone")
    ]


def test_an_optimizer_that_leaves_parameters_out_cannot_be_built():
    failed = [it for it in check_component(optimizer(forgetful)) if it.failed]
    assert [(it.check, it.message) for it in failed] == [
        (
            "can-be-built",
            "expected: something built for a matrix and a vector to train; got: the optimizer "
            "'wrong' of unpublished 0 must train each of the 2 parameters it is given. Fix: give "
            "an optimizer over all parameters that the builder is given",
        )
    ]


def test_every_check_of_optimizers_has_a_wrong_one():
    assert {it for *_, it in WRONG_OPTIMIZERS} == {check.name for check in CHECKS}
