"""Checks of what a loss term's spec declares: what it trains, reads and differentiates."""

from __future__ import annotations

from torch import Tensor

from ganforge.contracts import Step
from ganforge.errors import listed
from ganforge.plugin.fields import LABEL
from ganforge.plugin.specs import SIDES, LossSpec
from ganforge.testing.fixtures.loss_terms import (
    build_loss,
    call,
    gradients,
    step_for,
    trained,
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

SCORES = frozenset({"real_scores", "fake_scores"})
#: what of every step must be declared where it is read; the rest costs nothing
DECLARED = SCORES | {"reconstruction"}
#: what of a step tells the labels, in one way or another
LABELS = frozenset({"labels", "fake_labels", "conditions", "real_conditions", "fake_conditions"})


def trains_the_declared_sides(subject: Subject[LossSpec]) -> None:
    loss, declared = build_loss(subject), subject.spec.trains
    for side in SIDES:
        step = step_for(subject, side)
        try:
            found = call(loss, side, step)
        except NotImplementedError as error:
            raise CheckFailure(
                f"None for the {side}, which the spec does not name",
                came=str(error),
                mend="derive from ganforge.Loss, whose losses are None where not defined",
            ) from error
        if (found is not None) != (side in declared):
            raise CheckFailure(
                f"a loss for {' and '.join(declared)} alone, as the spec says",
                came=f"{'none' if found is None else 'one'} for the {side}",
                mend="name in `trains` the sides that the term has a loss for",
            )
        if isinstance(found, Tensor) and not gradients(
            found.sum(), [*trained(step, side).parameters()]
        ):
            raise CheckFailure(
                f"a loss that depends on the {side}'s weights",
                came="one without a gradient for any of them",
                mend=f"leave the {side}'s loss None, or do not detach what it is made of",
            )


def own_parameters_are_trained(subject: Subject[LossSpec]) -> None:
    loss, side = build_loss(subject), subject.spec.parameters
    wanting = {name: it for name, it in loss.named_parameters() if it.requires_grad}
    if side is None and not wanting:
        raise NotApplicable("it has no parameters of its own")
    if side is None or not wanting:
        raise CheckFailure(
            "parameters that want a gradient where, and only where, the spec has parameters=",
            came=f"{listed([*wanting][:3]) or 'none'}, and parameters={side!r}",
            mend="name the side that they are trained with, or use requires_grad_(False)",
        )
    value = value_of(loss, side, step_for(subject, side))
    if value is not None and value.requires_grad:
        value.backward()  # type: ignore[no-untyped-call]
    for name, parameter in wanting.items():
        gradient = parameter.grad
        if gradient is None or not gradient.any() or not gradient.isfinite().all():
            raise CheckFailure(
                f"a finite gradient of the {side}'s loss for the term's own {name}",
                came="none" if gradient is None else "one that is zero or not finite",
                mend="use every parameter in the loss of that side",
            )


def reads_are_as_declared(subject: Subject[LossSpec]) -> None:
    spec = subject.spec
    read: set[str] = {name for _, step, _ in values(subject) for name in step.read}
    undeclared = {
        it
        for it in read - {*spec.reads, LABEL}  # where there are no labels, it reads None
        if it in DECLARED or not hasattr(Step, it)
    }
    if undeclared or ("discriminate" in read and not spec.needs_discriminator):
        raise CheckFailure(
            f"reads={spec.reads!r}, as the spec says",
            came=f"a term that reads {listed(sorted(undeclared)) or 'other scores'} too",
            mend="name in `reads` what it reads: a run is told by it what it cannot do without",
        )
    if read & (SCORES | {"discriminate"}):
        read |= SCORES  # where there are some, there are the others
    if read & LABELS:
        read.add("labels")
    unread = [name for name in spec.reads if name not in read]
    if unread:
        raise CheckFailure(
            f"reads={spec.reads!r}, as the spec says",
            came=f"a term that does not read {listed(unread)}",
            mend="leave out of `reads` what it does not read: no run needs to have it",
        )


def double_backward_as_declared(subject: Subject[LossSpec]) -> None:
    declared = {*subject.spec.double_backward}
    found = set()
    try:
        for _, step, _ in values(subject, differentiable="discriminator" in declared):
            found |= {
                side
                for side, network in (
                    ("discriminator", step.discriminator),
                    ("generator", step.generator),
                )
                if network.differentiated
            }
    except RuntimeError as error:
        if "discriminator" in declared:
            raise
        raise CheckFailure(
            "a term that does not differentiate the discriminator, as the spec says",
            came=f"one that asks for its gradient ({error})",
            mend='add "discriminator" to double_backward in the spec',
        ) from error
    if found != declared:
        raise CheckFailure(
            f"a term that differentiates {listed(sorted(declared)) or 'no network'} twice, as "
            "double_backward of the spec says",
            came=f"one that differentiates {listed(sorted(found)) or 'none'}",
            mend=f"set double_backward={tuple(sorted(found))!r} in the spec",
        )


_check = check_of("loss")


CHECKS: tuple[Check, ...] = (
    _check(
        "trains-the-declared-networks",
        "a term has a loss for the sides in `trains`, and for no other",
        trains_the_declared_sides,
    ),
    _check(
        "own-parameters-are-trained",
        "parameters of the term are trained with the side that the spec names",
        own_parameters_are_trained,
    ),
    _check(
        "reads-are-as-declared",
        "a term reads what its spec names in `reads`, and nothing else that a run may lack",
        reads_are_as_declared,
    ),
    _check(
        "double-backward-is-as-declared",
        "a term differentiates twice the networks in `double_backward`, and no other",
        double_backward_as_declared,
    ),
)
