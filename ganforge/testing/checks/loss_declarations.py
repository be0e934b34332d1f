"""Checks of how a loss term behaves: what it reads, what it leaves alone, where its state is."""

from __future__ import annotations

from typing import cast, get_args

import torch
from torch import Tensor, nn

from ganforge.contracts import Loss
from ganforge.engine.objective import Network
from ganforge.testing.fixtures.loss_terms import (
    build_loss,
    call,
    gradients,
    spec_of,
    step_for,
    trained,
    value_of,
    values,
)
from ganforge.testing.framework import Check, CheckFailure, NotApplicable, Subject, check_of

NETWORKS: tuple[Network, ...] = get_args(Network)


def trains_the_declared_networks(subject: Subject) -> None:
    loss, declared = build_loss(subject), spec_of(subject).trains
    for network in NETWORKS:
        step = step_for(subject, network)
        try:
            found = call(loss, network, step)
        except NotImplementedError as error:
            raise CheckFailure(
                f"None for the {network}, which the spec does not name",
                came=str(error),
                mend="derive from ganforge.Loss, whose losses are None where not defined",
            ) from error
        if (found is not None) != (network in declared):
            raise CheckFailure(
                f"a loss for {' and '.join(declared)} alone, as the spec says",
                came=f"{'none' if found is None else 'one'} for the {network}",
                mend="name in `trains` the networks that the term has a loss for",
            )
        if isinstance(found, Tensor) and not gradients(
            found.sum(), [*trained(step, network).parameters()]
        ):
            raise CheckFailure(
                f"a loss that depends on the {network}'s weights",
                came="one without a gradient for any of them",
                mend=f"leave the {network}'s loss None, or do not detach what it is made of",
            )


def labels_reach_the_critic(subject: Subject) -> None:
    try:
        list(values(subject, labels=True))
    except TypeError as error:
        raise CheckFailure(
            "a value in a conditional run",
            came=str(error),
            mend="give step.critic the labels of its samples, such as step.real_conditions",
        ) from error


def scores_are_read_as_declared(subject: Subject) -> None:
    loss, spec = build_loss(subject), spec_of(subject)
    read = False
    for network in spec.trains:
        step = step_for(subject, network)
        call(loss, network, step)
        read |= step.scores_were_read
    constrains = type(loss).constrain_discriminator is not Loss.constrain_discriminator
    if (read or constrains) != spec.needs_discriminator:
        raise CheckFailure(
            f"{'scores' if spec.needs_discriminator else 'no scores'} to be read, as "
            f"needs_discriminator = {spec.needs_discriminator} says",
            came="some were" if read else "none were",
            mend=f"set needs_discriminator={not spec.needs_discriminator} in the spec",
        )


def reconstruction_is_read_as_declared(subject: Subject) -> None:
    declared = spec_of(subject).needs_reconstruction
    steps = [step for _, step, _ in values(subject)]
    if any("reconstruction" in step.read for step in steps) != declared:
        raise CheckFailure(
            f"step.reconstruction {'to be read' if declared else 'not to be read'}, as "
            f"needs_reconstruction = {declared} says",
            came="none of it" if declared else "it was",
            mend=f"set needs_reconstruction={not declared} in the spec",
        )


def double_backward_as_declared(subject: Subject) -> None:
    declared = spec_of(subject).double_backward
    mend = f"set double_backward={not declared} in the spec"
    try:
        found = [*values(subject, differentiable=declared)]
    except RuntimeError as error:
        if declared:
            raise
        raise CheckFailure(
            "a term that does not differentiate the critic, as the spec says",
            came=f"one that asks for its gradient ({error})",
            mend=mend,
        ) from error
    if any(step.discriminator.differentiated for _, step, _ in found) != declared:
        raise CheckFailure(
            f"a term that {'differentiates' if declared else 'does not differentiate'} the "
            "critic's gradient, as the spec says",
            came="one that does not" if declared else "one that does",
            mend=mend,
        )


def nothing_that_it_reads_is_changed(subject: Subject) -> None:
    loss = build_loss(subject)
    names = ("real", "inputs", "fake", "codes", "reconstruction", "real_scores", "fake_scores")
    for network in spec_of(subject).trains:
        step = step_for(subject, network)
        versions = {name: getattr(step, name)._version for name in names}
        call(loss, network, step)
        changed = [name for name in names if getattr(step, name)._version != versions[name]]
        if changed:
            raise CheckFailure(
                "a term that leaves as it is what other terms read too",
                came=f"step.{changed[0]} changed in its place",
                mend="use the operation without the underscore",
            )


def backward_is_not_called(subject: Subject) -> None:
    for network, step, _ in values(subject):
        networks = {"generator": step.generator, "discriminator": step.discriminator}
        for name, module in networks.items():
            if any(parameter.grad is not None for parameter in module.parameters()):
                raise CheckFailure(
                    f"gradients left to the engine in the {network}'s loss",
                    came=f"weights of the {name} with a gradient already",
                    mend="return the value, and call no backward()",
                )


def state_lies_in_buffers(subject: Subject) -> None:
    loss = build_loss(subject)
    before = _attributes(loss)
    for seed in range(3):
        for network in spec_of(subject).trains:
            call(loss, network, step_for(subject, network, seed=seed))
    after = _attributes(loss)
    moved = [name for name in after if before.get(name) != after[name]]
    if moved:
        raise CheckFailure(
            "state in buffers, which are moved, saved and resumed",
            came=f"the attribute {moved[0]!r}, which changes with a call",
            mend="make it a tensor with register_buffer(), and change that",
        )
    resumed, again = build_loss(subject), build_loss(subject)
    resumed.load_state_dict(loss.state_dict())
    again.load_state_dict(loss.state_dict())
    for network in spec_of(subject).trains:
        went_on, *found = (
            value_of(it, network, step_for(subject, network, seed=9))
            for it in (loss, resumed, again)
        )
        if went_on is None or found[0] is None or not torch.equal(*cast(list[Tensor], found)):
            continue  # that a step has one value is another check's to say
        if not torch.equal(went_on, found[0]):
            raise CheckFailure(
                f"the same {network}'s loss after its state_dict() was loaded",
                came=f"{went_on.item():g} and {found[0].item():g}",
                mend="keep in buffers, not persistent=False, whatever a call changes",
            )


_MODULE_ATTRIBUTES = frozenset(vars(nn.Module()))


def _attributes(loss: nn.Module) -> dict[str, object]:
    """What a term remembers besides buffers and parameters, in a form that can be compared."""
    return {
        f"{name}.{key}" if name else key: _plain(value)
        for name, module in loss.named_modules()
        for key, value in vars(module).items()
        if key not in _MODULE_ATTRIBUTES
    }


def _plain(value: object) -> object:
    if isinstance(value, Tensor):
        return value.tolist()
    if isinstance(value, dict):
        return {key: _plain(it) for key, it in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(it) for it in value]
    return value if isinstance(value, bool | int | float | complex | str) else type(value)


def same_step_same_value(subject: Subject) -> None:
    for network in spec_of(subject).trains:
        found = [
            value_of(build_loss(subject), network, step_for(subject, network)) for _ in range(2)
        ]
        if (
            found[0] is not None
            and found[1] is not None
            and not torch.equal(*cast(list[Tensor], found))
        ):
            raise CheckFailure(
                f"the same {network}'s loss from the same step under the same seed",
                came=f"{found[0].item():g} and {found[1].item():g}",
                mend="draw from torch's global generator, which the engine seeds for every step",
            )


def tensors_lie_on_the_steps_device(subject: Subject) -> None:
    loss = build_loss(subject)
    for network in spec_of(subject).trains:
        step = step_for(subject, network)
        try:
            # Whatever is made without a device now lies on another one than the step.
            with torch.device("meta"):
                value = value_of(loss, network, step)
            elsewhere = value is not None and value.device.type != "cpu"
            came = "one that lies elsewhere"
        except (RuntimeError, NotImplementedError) as error:
            elsewhere, came = True, f"an error ({error})"
        if elsewhere:
            raise CheckFailure(
                f"a {network}'s loss on the device of the step",
                came=came,
                mend="give every tensor that is made device=step.real.device, or make it a buffer",
            )


def constraint_keeps_the_weights(subject: Subject) -> None:
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
        "trains-the-declared-networks",
        "a term has a loss for the networks in `trains`, and for no other",
        trains_the_declared_networks,
    ),
    _check(
        "labels-reach-the-critic",
        "in a conditional run the critic is given labels",
        labels_reach_the_critic,
    ),
    _check(
        "scores-are-read-as-declared",
        "a term reads scores if, and only if, it says needs_discriminator",
        scores_are_read_as_declared,
    ),
    _check(
        "reconstruction-is-read-as-declared",
        "a term reads reconstructions if, and only if, it says needs_reconstruction",
        reconstruction_is_read_as_declared,
    ),
    _check(
        "double-backward-is-as-declared",
        "a term differentiates the critic's gradient if, and only if, it says double_backward",
        double_backward_as_declared,
    ),
    _check(
        "step-is-left-unchanged",
        "what a step gives is not changed in its place",
        nothing_that_it_reads_is_changed,
    ),
    _check("backward-is-left-to-the-engine", "a term never calls backward", backward_is_not_called),
    _check("state-lies-in-buffers", "what a call changes is a buffer", state_lies_in_buffers),
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
