"""Checks of how a loss term behaves: what it leaves alone, and where its state is."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from ganforge.contracts import Loss
from ganforge.plugin.specs import LossSpec
from ganforge.testing.fixtures.loss_terms import (
    build_loss,
    call,
    observe,
    step_for,
    value_of,
    values,
)
from ganforge.testing.framework import (
    Check,
    NotApplicable,
    Subject,
    check_of,
)
from ganforge.testing.framework import (
    OldFailure as CheckFailure,
)

NUM_UPDATES = 3


def conditions_reach_the_networks(subject: Subject[LossSpec]) -> None:
    try:
        list(values(subject, labels=True))
    except (TypeError, KeyError) as error:
        raise CheckFailure(
            "a value in a conditional run",
            came=str(error),
            mend="give step.discriminate() and step.generate() the conditions of their samples, "
            "such as step.real_conditions",
        ) from error


def nothing_that_it_reads_is_changed(subject: Subject[LossSpec]) -> None:
    loss = build_loss(subject)
    names = ("samples", "inputs", "real", "fake", "reconstruction", "real_scores", "fake_scores")
    for side in subject.spec.trains:
        step = step_for(subject, side)
        versions = {name: getattr(step, name)._version for name in names}
        call(loss, side, step)
        changed = [name for name in names if getattr(step, name)._version != versions[name]]
        if changed:
            raise CheckFailure(
                "a term that leaves as it is what other terms read too",
                came=f"step.{changed[0]} changed in its place",
                mend="use the operation without the underscore",
            )


def backward_is_not_called(subject: Subject[LossSpec]) -> None:
    for side, step, _ in values(subject):
        networks = {"generator": step.generator, "discriminator": step.discriminator}
        for name, module in networks.items():
            if any(parameter.grad is not None for parameter in module.parameters()):
                raise CheckFailure(
                    f"gradients left to the engine in the {side}'s loss",
                    came=f"weights of the {name} with a gradient already",
                    mend="return the value, and call no backward()",
                )


def state_rests_in_a_call(subject: Subject[LossSpec]) -> None:
    loss = build_loss(subject)
    before = _state(loss)
    for seed in range(NUM_UPDATES):
        for side in subject.spec.trains:
            call(loss, side, step_for(subject, side, seed=seed))
    moved = _moved(before, _state(loss))
    if moved:
        raise CheckFailure(
            "state that moves in observe() alone, for a loss is called once for each part of a "
            "batch",
            came=f"{moved!r}, which changes with a call",
            mend="move it in observe(), which is called once after each update",
        )


def state_lies_in_buffers(subject: Subject[LossSpec]) -> None:
    loss = build_loss(subject)
    before = _attributes(loss)
    for seed in range(NUM_UPDATES):
        for side in subject.spec.trains:
            observe(loss, side, seed)
    moved = _moved(before, _attributes(loss))
    if moved:
        raise CheckFailure(
            "state in buffers, which are moved, saved and resumed",
            came=f"the attribute {moved!r}, which changes in observe()",
            mend="make it a tensor with register_buffer(), and change that",
        )
    resumed, again = build_loss(subject), build_loss(subject)
    resumed.load_state_dict(loss.state_dict())
    again.load_state_dict(loss.state_dict())
    for side in subject.spec.trains:
        for it in (loss, resumed, again):
            observe(it, side, seed=9)
        went_on, *found = (
            value_of(it, side, step_for(subject, side, seed=9)) for it in (loss, resumed, again)
        )
        if went_on is None or found[0] is None or not torch.equal(*cast(list[Tensor], found)):
            continue  # that a step has one value is another check's to say
        if not torch.equal(went_on, found[0]):
            raise CheckFailure(
                f"the same {side}'s loss after its state_dict() was loaded",
                came=f"{went_on.item():g} and {found[0].item():g}",
                mend="keep in buffers, not persistent=False, whatever observe() changes",
            )


def updates_without_scores_are_observed(subject: Subject[LossSpec]) -> None:
    loss = build_loss(subject)
    if type(loss).observe is Loss.observe:
        raise NotApplicable("it observes nothing")
    for side in subject.spec.trains:
        observe(loss, side)
        try:
            observe(loss, side, scores=False)
        except (TypeError, AttributeError) as error:
            raise CheckFailure(
                "updates to be observed in which nothing has read the scores",
                came=str(error),
                mend="leave out what is None: a term that is evaluated lazily reads none",
            ) from error


_MODULE_ATTRIBUTES = frozenset(vars(nn.Module()))


def _state(loss: nn.Module) -> dict[str, object]:
    """All that a term remembers, in a form that can be compared."""
    return {**_attributes(loss), **{name: _plain(it) for name, it in loss.named_buffers()}}


def _attributes(loss: nn.Module) -> dict[str, object]:
    """A term's attributes besides buffers and parameters, in a form that can be compared."""
    return {
        f"{name}.{key}" if name else key: _plain(value)
        for name, module in loss.named_modules()
        for key, value in vars(module).items()
        if key not in _MODULE_ATTRIBUTES
    }


def _moved(before: dict[str, object], after: dict[str, object]) -> str | None:
    """The name of something that is no longer what it was."""
    return next((name for name in after if before.get(name) != after[name]), None)


def _plain(value: object) -> object:
    if isinstance(value, Tensor):
        return value.tolist()
    if isinstance(value, dict):
        return {key: _plain(it) for key, it in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(it) for it in value]
    return value if isinstance(value, bool | int | float | complex | str) else type(value)


def same_step_same_value(subject: Subject[LossSpec]) -> None:
    for side in subject.spec.trains:
        found = [value_of(build_loss(subject), side, step_for(subject, side)) for _ in range(2)]
        if (
            found[0] is not None
            and found[1] is not None
            and not torch.equal(*cast(list[Tensor], found))
        ):
            raise CheckFailure(
                f"the same {side}'s loss from the same step under the same seed",
                came=f"{found[0].item():g} and {found[1].item():g}",
                mend="draw from torch's global generator, which the engine seeds for every step",
            )


def tensors_lie_on_the_steps_device(subject: Subject[LossSpec]) -> None:
    loss = build_loss(subject)
    for side in subject.spec.trains:
        step = step_for(subject, side)
        try:
            # Whatever is made without a device now lies on another one than the step.
            with torch.device("meta"):
                value = value_of(loss, side, step)
            elsewhere = value is not None and value.device.type != "cpu"
            came = "one that lies elsewhere"
        except (RuntimeError, NotImplementedError) as error:
            elsewhere, came = True, f"an error ({error})"
        if elsewhere:
            raise CheckFailure(
                f"a {side}'s loss on the device of the step",
                came=came,
                mend="give every tensor that is made device=step.real.device, or make it a buffer",
            )


def constraint_keeps_the_weights(subject: Subject[LossSpec]) -> None:
    loss = build_loss(subject)
    if type(loss).constrain_discriminator is Loss.constrain_discriminator:
        raise NotApplicable("it constrains no weights")
    critic = step_for(subject, "discriminator").discriminator
    before = dict(critic.named_parameters())
    with torch.no_grad():
        loss.constrain_discriminator(critic)
    for name, parameter in critic.named_parameters():
        if parameter is not before[name] or not parameter.isfinite().all():
            raise CheckFailure(
                "finite weights, changed in their place",
                came=f"{name!r} not finite" if parameter is before[name] else f"another {name!r}",
                mend="change parameters with in-place operations: the optimizer holds them",
            )


_check = check_of("loss")


CHECKS: tuple[Check, ...] = (
    _check(
        "conditions-reach-the-networks",
        "in a conditional run both networks are told the conditions",
        conditions_reach_the_networks,
    ),
    _check(
        "step-is-left-unchanged",
        "what a step gives is not changed in its place",
        nothing_that_it_reads_is_changed,
    ),
    _check("backward-is-left-to-the-engine", "a term never calls backward", backward_is_not_called),
    _check(
        "state-rests-in-a-call",
        "state moves in observe(), not when the loss is computed",
        state_rests_in_a_call,
    ),
    _check("state-lies-in-buffers", "what observe() changes is a buffer", state_lies_in_buffers),
    _check(
        "updates-without-scores-are-observed",
        "observe() takes an update in which no scores were read",
        updates_without_scores_are_observed,
    ),
    _check(
        "same-step-has-the-same-value",
        "under one seed, a step has one loss",
        same_step_same_value,
    ),
    _check(
        "value-lies-on-the-steps-device",
        "tensors are made on the device of the step",
        tensors_lie_on_the_steps_device,
    ),
    _check(
        "constraint-keeps-the-weights",
        "a constraint changes weights in their place, and leaves them finite",
        constraint_keeps_the_weights,
    ),
)
