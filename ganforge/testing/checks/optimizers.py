"""Checks of optimizers: a few steps on a matrix and a vector, whose gradients are drawn."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter
from torch.optim import Optimizer

from ganforge.errors import listed
from ganforge.plugin.options import describe
from ganforge.plugin.specs import OptimizerSpec
from ganforge.testing.fixtures.building import build, seeded
from ganforge.testing.fixtures.problems import problems
from ganforge.testing.framework import (
    Check,
    NotApplicable,
    Subject,
    check_of,
)
from ganforge.testing.framework import (
    OldFailure as CheckFailure,
)

NUM_STEPS = 3


def steps_move_parameters(subject: Subject[OptimizerSpec]) -> None:
    optimizer = _built(subject)
    before = [it.detach().clone() for it in _parameters(optimizer)]
    _step(optimizer, seed=0)
    after = _parameters(optimizer)
    if not all(it.isfinite().all() for it in after):
        raise CheckFailure(
            "finite parameters after a step",
            came="infinite ones or NaN",
            mend="look for a division or a root at 0 in the first step",
        )
    if any(torch.equal(*pair) for pair in zip(before, after, strict=True)):
        raise CheckFailure(
            "every parameter that has a gradient to move in a step",
            came="one that stays as it is",
            mend="go over all parameter groups; options that keep it at rest are no defaults",
        )


def parameters_without_gradient_rest(subject: Subject[OptimizerSpec]) -> None:
    optimizer = _built(subject)
    rested = _parameters(optimizer)[0]
    before = rested.detach().clone()
    _step(optimizer, seed=0, without=rested)
    if not torch.equal(before, rested):
        raise CheckFailure(
            "a parameter whose gradient is None to stay as it is",
            came="another value",
            mend="skip it, as torch's optimizers do: a term may not reach every weight",
        )


def same_steps_twice(subject: Subject[OptimizerSpec]) -> None:
    first, second = (_after_steps(_built(subject)) for _ in range(2))
    if any(not torch.equal(*pair) for pair in zip(first, second, strict=True)):
        raise CheckFailure(
            "the same parameters from the same gradients and the same seed",
            came="others",
            mend="keep nothing outside of the optimizer, and draw from torch's global generator",
        )


def state_is_tensors(subject: Subject[OptimizerSpec]) -> None:
    optimizer = _built(subject)
    groups = _groups(optimizer)
    _after_steps(optimizer)
    kept = {key: it for state in optimizer.state.values() for key, it in state.items()}
    wrong = [key for key, it in kept.items() if it is not None and not isinstance(it, Tensor)]
    wrong += [key for key, it in _groups(optimizer).items() if groups.get(key) != it]
    if wrong:
        raise CheckFailure(
            "all that a step changes in tensors of the state of a parameter, which are saved",
            came=f"{listed([repr(key) for key in wrong[:3]])} outside of them",
            mend="write numbers as torch.tensor(0.0), in self.state[parameter]",
        )


def scheduled_options_are_in_groups(subject: Subject[OptimizerSpec]) -> None:
    spec = subject.spec
    groups = _groups(_built(subject))
    for field in describe(spec.options):
        key = spec.key_of(field.name)
        if field.scheduled and key not in groups:
            raise CheckFailure(
                f"the scheduled option {field.name!r} in the parameter groups, as {key!r}",
                came=f"groups with {listed(sorted(groups))}",
                mend="say in param_groups which key it has, or declare it without scheduled=True",
            )


def found_inf_calls_a_step_off(subject: Subject[OptimizerSpec]) -> None:
    if not subject.spec.found_inf:
        raise NotApplicable("it does not take found_inf")
    optimizer: Any = _built(subject)
    _step(optimizer, seed=0)  # which builds the state
    before = [it.detach().clone() for it in _parameters(optimizer)]
    optimizer.grad_scale, optimizer.found_inf = None, torch.ones(())
    try:
        _step(optimizer, seed=1)
    except Exception as error:
        raise NotApplicable("it takes found_inf on accelerators alone") from error
    if any(not torch.equal(*pair) for pair in zip(before, _parameters(optimizer), strict=True)):
        raise CheckFailure(
            "no step where the tensor found_inf is 1",
            came="parameters that moved",
            mend="use a fused form, or declare found_inf=False",
        )


def _built(subject: Subject[OptimizerSpec]) -> Optimizer:
    optimizer = build(subject, problems(subject)[0])
    assert isinstance(optimizer, Optimizer)
    return optimizer


def _parameters(optimizer: Optimizer) -> list[Parameter]:
    return [it for group in optimizer.param_groups for it in group["params"]]


def _groups(optimizer: Optimizer) -> dict[str, Any]:
    """The values of the parameter groups besides their parameters."""
    return {
        key: value
        for group in optimizer.param_groups
        for key, value in group.items()
        if key != "params"
    }


def _step(optimizer: Optimizer, *, seed: int, without: Parameter | None = None) -> None:
    """One step along gradients from N(0, 1)."""
    generator = torch.Generator().manual_seed(seed)
    for parameter in _parameters(optimizer):
        parameter.grad = torch.randn(parameter.shape, generator=generator)
    if without is not None:
        without.grad = None
    with seeded(seed):
        optimizer.step()


def _after_steps(optimizer: Optimizer) -> list[Parameter]:
    for seed in range(NUM_STEPS):
        _step(optimizer, seed=seed)
    return _parameters(optimizer)


_check = check_of("optimizer")


CHECKS: tuple[Check, ...] = (
    _check("steps-move-parameters", "a step moves every parameter", steps_move_parameters),
    _check(
        "parameters-without-gradient-rest",
        "a parameter without a gradient is left as it is",
        parameters_without_gradient_rest,
    ),
    _check(
        "same-steps-twice",
        "the same gradients and the same seed give the same parameters",
        same_steps_twice,
    ),
    _check(
        "state-is-tensors",
        "what steps change is in tensors of the state of a parameter",
        state_is_tensors,
    ),
    _check(
        "scheduled-options-are-in-groups",
        "every scheduled option has a key in the parameter groups",
        scheduled_options_are_in_groups,
    ),
    _check(
        "found-inf-calls-a-step-off",
        "found_inf, where it is declared, keeps a step from being taken",
        found_inf_calls_a_step_off,
    ),
)
