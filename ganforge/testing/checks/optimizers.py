"""Checks of optimizers: a few steps on a matrix and a vector, whose gradients are drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter
from torch.optim import Optimizer

from ganforge.errors import listed
from ganforge.plugin.options import describe, parse
from ganforge.plugin.specs import OptimizerSpec
from ganforge.testing.fixtures.building import build, seeded
from ganforge.testing.fixtures.problems import problems
from ganforge.testing.framework import NotApplicable, Subject, check, require

NUM_STEPS = 3
MANY_STEPS = 12  # for what has an influence every few steps

Gradient = Callable[[Parameter, int], Tensor | None]


@check(
    "a step moves every parameter that has a gradient, to finite values",
    OptimizerSpec,
    fix="go over all parameter groups, and look for a division or a root at 0 in the first step; "
    "options that keep parameters at rest are no defaults",
)
def steps_move_parameters(subject: Subject[OptimizerSpec]) -> None:
    optimizer = _built(subject)
    before = _copied(optimizer)
    for one, other in zip(before, _steps(optimizer, 1), strict=True):
        require(bool(other.isfinite().all()), f"infinite ones or NaN in one {list(one.shape)}")
        require(not torch.equal(one, other), f"one {list(one.shape)} that stays as it is")


@check(
    "parameters go against their gradient",
    OptimizerSpec,
    fix="subtract the step: the loss is to be made small",
)
def steps_go_downhill(subject: Subject[OptimizerSpec]) -> None:
    optimizer = _built(subject)
    before = _copied(optimizer)
    gradients = [_drawn(it, 0) for it in before]
    after = _steps(optimizer, MANY_STEPS, lambda parameter, _: _drawn(parameter, 0))
    moved = zip(after, before, gradients, strict=True)
    along = sum(((end - start) * it).sum().item() for end, start, it in moved)
    require(along < 0, f"a way of {along:g} along a gradient that stays the same")


@check(
    "a gradient of 0 leads to finite parameters",
    OptimizerSpec,
    fix="add an epsilon to what is divided by: a layer that is dead gives such gradients",
)
def gradients_may_be_0(subject: Subject[OptimizerSpec]) -> None:
    after = _steps(_built(subject), gradient=lambda parameter, _: torch.zeros_like(parameter))
    good = all(bool(it.isfinite().all()) for it in after)
    require(good, f"infinite ones or NaN after {NUM_STEPS} steps")


@check(
    "a parameter whose gradient is None is left as it is",
    OptimizerSpec,
    fix="skip it, as torch's optimizers do: a term may not reach every weight",
)
def parameters_without_gradient_rest(subject: Subject[OptimizerSpec]) -> None:
    optimizer = _built(subject)
    rested = _parameters(optimizer)[0]
    before = rested.detach().clone()
    _steps(optimizer, 1, lambda it, seed: None if it is rested else _drawn(it, seed))
    require(torch.equal(before, rested), "another value")


@check(
    "the same gradients and the same seed give the same parameters",
    OptimizerSpec,
    fix="keep nothing outside of the optimizer, and draw from torch's global generator",
)
def same_steps_twice(subject: Subject[OptimizerSpec]) -> None:
    require(_same(*(_steps(_built(subject)) for _ in range(2))), "others")


@check(
    "what a step changes is in tensors of the state of a parameter, which are saved",
    OptimizerSpec,
    fix="write numbers as torch.tensor(0.0), in self.state[parameter]",
)
def state_is_tensors(subject: Subject[OptimizerSpec]) -> None:
    optimizer = _built(subject)
    before = _groups(optimizer)
    _steps(optimizer)
    kept = {key: it for state in optimizer.state.values() for key, it in state.items()}
    wrong = [key for key, it in kept.items() if it is not None and not isinstance(it, Tensor)]
    wrong += [key for key, it in _groups(optimizer).items() if before.get(key) != it]
    require(not wrong, f"{listed([repr(key) for key in wrong[:3]])} outside of them")


@check(
    "every scheduled option has a key in the parameter groups",
    OptimizerSpec,
    fix="say in param_groups which key it has, or declare it without scheduled=True",
)
def scheduled_options_are_in_groups(subject: Subject[OptimizerSpec]) -> None:
    groups = _groups(_built(subject))
    for name, key in _scheduled(subject).items():
        require(key in groups, f"no {key!r} for {name!r} in groups with {listed(sorted(groups))}")


@check(
    "the learning rate, and every option that is scheduled, has an influence on the steps",
    OptimizerSpec,
    fix="read it in step() from the parameter group, and keep no copy",
)
def scheduled_options_count(subject: Subject[OptimizerSpec]) -> None:
    usual = _steps(_built(subject), MANY_STEPS)
    groups = _groups(_built(subject))
    scheduled = {name: key for name, key in _scheduled(subject).items() if key in groups}
    for option in describe(subject.spec.options):
        if option.name not in scheduled and (option.scheduled or option.name != "learning_rate"):
            continue
        changed = []
        for value in _other_values(subject, option.name):
            if option.name in scheduled:
                optimizer = _built(subject)
                for group in optimizer.param_groups:
                    group[scheduled[option.name]] = value
            else:
                given = {**subject.given, option.name: value}
                optimizer = _built(replace(subject, given=given))
            changed.append(_steps(optimizer, MANY_STEPS))
        counts = not changed or any(not _same(usual, it) for it in changed)
        require(counts, f"the same {MANY_STEPS} steps for other values of {option.name!r}")


@check(
    "no step is taken where the tensor found_inf is 1, if it is declared",
    OptimizerSpec,
    fix="use a fused form, or declare found_inf=False",
)
def found_inf_calls_a_step_off(subject: Subject[OptimizerSpec]) -> None:
    if not subject.spec.found_inf:
        raise NotApplicable("it does not take found_inf")
    optimizer: Any = _built(subject)
    _steps(optimizer)  # which builds the state
    before = _copied(optimizer)
    optimizer.grad_scale, optimizer.found_inf = None, torch.ones(())
    try:
        _steps(optimizer, first=NUM_STEPS)
    except Exception as error:
        raise NotApplicable("it takes found_inf on accelerators alone") from error
    require(_same(before, _parameters(optimizer)), "parameters that moved")


def _built(subject: Subject[OptimizerSpec]) -> Optimizer:
    optimizer = build(subject, problems(subject)[0])
    assert isinstance(optimizer, Optimizer)
    return optimizer


def _parameters(optimizer: Optimizer) -> list[Parameter]:
    return [it for group in optimizer.param_groups for it in group["params"]]


def _copied(optimizer: Optimizer) -> list[Tensor]:
    return [it.detach().clone() for it in _parameters(optimizer)]


def _groups(optimizer: Optimizer) -> dict[str, Any]:
    """The values of the parameter groups besides their parameters."""
    items = [item for group in optimizer.param_groups for item in group.items()]
    return {key: value for key, value in items if key != "params"}


def _scheduled(subject: Subject[OptimizerSpec]) -> dict[str, str]:
    """The keys in the parameter groups of the options that are scheduled, by name."""
    options = [it.name for it in describe(subject.spec.options) if it.scheduled]
    return {name: subject.spec.key_of(name) for name in options}


def _other_values(subject: Subject[OptimizerSpec], name: str) -> list[float]:
    """Other numbers that the option may have than it has."""
    value = getattr(subject.options, name)
    if not isinstance(value, int | float):
        return []
    values = [it for it in (value / 2, value + 0.1, 2 * value) if it != value]
    return [it for it in values if not parse(subject.spec.options, {**subject.given, name: it})[1]]


def _drawn(parameter: Tensor, seed: int) -> Tensor:
    return torch.randn(parameter.shape, generator=torch.Generator().manual_seed(seed))


def _steps(
    optimizer: Optimizer, num: int = NUM_STEPS, gradient: Gradient = _drawn, first: int = 0
) -> list[Parameter]:
    """The parameters after some steps along gradients, which are drawn from N(0, 1)."""
    for seed in range(first, first + num):
        for parameter in _parameters(optimizer):
            parameter.grad = gradient(parameter, seed)
        with seeded(seed):
            optimizer.step()
    return _parameters(optimizer)


def _same(one: Any, other: Any) -> bool:
    return all(torch.equal(*pair) for pair in zip(one, other, strict=True))
