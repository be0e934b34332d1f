"""Checks of what a loss term's spec declares: what it trains, reads and differentiates."""

from __future__ import annotations

from ganforge.contracts import Loss, Step
from ganforge.errors import listed
from ganforge.plugin.fields import LABEL
from ganforge.plugin.specs import SIDES, LossSpec
from ganforge.testing.fixtures.loss_terms import Bench, Setting, call
from ganforge.testing.framework import CheckFailure, NotApplicable, Subject, check, require

SCORES = frozenset({"real_scores", "fake_scores"})
#: what of every step must be declared where it is read; the rest costs nothing
DECLARED = SCORES | {"reconstruction"}
#: what of a step tells the labels, in one way or another
LABELS = frozenset({"labels", "fake_labels", "conditions", "real_conditions", "fake_conditions"})


@check(
    "a term has a loss for the sides in `trains`, and for no other; one that names none observes "
    "or constrains",
    LossSpec,
    fix="name in `trains` the sides that the term has a loss for, and do not detach what it is "
    "made of",
)
def trains_the_declared_networks(subject: Subject[LossSpec]) -> None:
    bench = Bench(subject)
    loss, declared = bench.loss(), bench.trains
    for side in SIDES:
        step = bench.step(side)
        try:
            found = call(loss, side, step)
        except NotImplementedError as error:
            raise CheckFailure(f"{error}") from error
        named = f"{'none' if found is None else 'one'} for the {side}, and trains={declared!r}"
        require((found is not None) == (side in declared), named)
        result = bench.find(side, loss=loss)
        moves = result is None or bool(result.gradients())
        require(moves, f"one without a gradient for any weight of the {side}")
    idle = type(loss).observe is Loss.observe
    idle = idle and type(loss).constrain_discriminator is Loss.constrain_discriminator
    require(bool(declared) or not idle, "no loss, no observe() and no constrain_discriminator()")


@check(
    "parameters of the term are trained with the side that the spec names",
    LossSpec,
    fix="name the side that they are trained with and use every one in its loss, or use "
    "requires_grad_(False)",
)
def own_parameters_are_trained(subject: Subject[LossSpec]) -> None:
    bench = Bench(subject)
    loss, side = bench.loss(), subject.spec.parameters
    wanting = {name: it for name, it in loss.named_parameters() if it.requires_grad}
    if side is None and not wanting:
        raise NotApplicable("it has no parameters of its own")
    if side is None or not wanting:
        names = listed([*wanting][:3]) or "none"
        raise CheckFailure(f"{names} that want a gradient, and parameters={side!r}")
    found = bench.find(side, loss=loss)
    for name, parameter in wanting.items():
        slopes = [] if found is None else found.gradients([parameter])
        alive = bool(slopes) and bool(slopes[0].any() and slopes[0].isfinite().all())
        got = f"{'one that is zero or not finite' if slopes else 'none'} for its own {name}"
        require(alive, got, expected=f"a finite gradient of the {side}'s loss")


@check(
    "a term reads what its spec names in `reads`, and nothing else that a run may lack",
    LossSpec,
    fix="name in `reads` what it reads, and no more: a run is told by it what it cannot do without",
)
def reads_are_as_declared(subject: Subject[LossSpec]) -> None:
    bench = Bench(subject)
    spec = subject.spec
    read: set[str] = {name for it in bench.evaluations() for name in it.step.read}
    undeclared = {
        it
        for it in read - {*spec.reads, LABEL}  # where there are no labels, it reads None
        if it in DECLARED or not hasattr(Step, it)
    }
    if "discriminate" in read and not spec.needs_discriminator:
        undeclared.add("other scores")
    declared = f"and reads={spec.reads!r}"
    require(not undeclared, f"a term that reads {listed(sorted(undeclared))}, {declared}")
    if read & (SCORES | {"discriminate"}):
        read |= SCORES  # where there are some, there are the others
    if read & LABELS:
        read |= {"labels", "fake_labels"}
    unread = [name for name in spec.reads if name not in read]
    require(not unread, f"a term that does not read {listed(unread)}, {declared}")


@check(
    "a term differentiates twice the networks in `double_backward`, and no other",
    LossSpec,
    fix="set double_backward in the spec to what it differentiates, with create_graph=True",
)
def double_backward_is_as_declared(subject: Subject[LossSpec]) -> None:
    bench = Bench(subject)
    declared = {*subject.spec.double_backward}
    setting = Setting(differentiable="discriminator" in declared)
    found = {it for one in bench.evaluations(setting) for it in one.step.differentiated}
    got = f"one that differentiates {listed(sorted(found)) or 'none'}"
    require(found == declared, f"{got}, and double_backward={subject.spec.double_backward!r}")
