"""Checks of how a loss term behaves: what it leaves alone, what belongs together, its state."""

from __future__ import annotations

from dataclasses import replace
from itertools import compress

import torch
from torch import Tensor

from ganforge.contracts import Draw, Loss, Scores
from ganforge.errors import listed
from ganforge.plugin.fields import LABEL
from ganforge.plugin.specs import QUANTITIES, SIDES, LossSpec
from ganforge.testing.checks.loss_declarations import LABELS
from ganforge.testing.fixtures.conduct import (
    left_unchanged,
    moved,
    require_same,
    require_state_in_buffers,
    require_the_given_device,
    state,
    tensors_in,
)
from ganforge.testing.fixtures.loss_terms import Bench, Evaluation, Setting, call, observe
from ganforge.testing.fixtures.playing import rearranged, swapped
from ganforge.testing.framework import CheckFailure, NotApplicable, Subject, check, require

NUM_UPDATES = 3
TOLERANCE = 1e-4
#: what may be changed by a term in its place, all of it read by others too
GIVEN = (
    *("samples", "inputs", "real", "fake", "reconstruction", "real_scores", "fake_scores"),
    *("real_conditions", "fake_conditions"),
)
USUAL = {*QUANTITIES, *LABELS}


@check(
    "in a conditional run both networks are told the conditions",
    LossSpec,
    fix="give step.discriminate() and step.generate() the conditions of their samples, such as "
    "step.real_conditions",
)
def conditions_reach_the_networks(subject: Subject[LossSpec]) -> None:
    bench = Bench(subject)
    for found in bench.evaluations(Setting(labels=True)):
        require(bool(found.value.isfinite()), f"{found.value:g} for the {found.side}")


@check(
    "what the discriminator scores has the conditions of the samples that it was made of",
    LossSpec,
    fix="give step.discriminate() step.real_conditions for what is made of step.real, and "
    "step.fake_conditions for what is made of step.fake, in the order of the batch",
)
def conditions_are_those_of_the_samples(subject: Subject[LossSpec]) -> None:
    bench, told = Bench(subject), Setting(labels=True)
    other = bench.step("discriminator", replace(told, seed=1)).step.draw
    fresh_real = replace(told, arrange=lambda it: Draw(other.batch, it.inputs))
    fresh_fake = replace(told, arrange=lambda it: Draw(it.batch, other.inputs))
    try:
        found = [[*bench.evaluations(it)] for it in (told, fresh_real, fresh_fake)]
    except CheckFailure as failure:
        raise NotApplicable("it fails in a conditional run") from failure
    for runs in zip(*found, strict=True):
        drawn = runs[0].step.step.draw
        sources = [it.others[LABEL] for it in (drawn.batch, drawn.inputs)]
        for first, *others in zip(*(it.step.scored for it in runs), strict=True):
            if LABEL not in first.told or len(first.samples) % len(drawn.batch):
                continue
            scores = [it.scores for it in (first, *others)]
            if all(map(_wants_low, runs, scores)):
                continue  # to be told from what belongs together (Reed et al., 2016)
            labels = first.told[LABEL].view(-1, len(drawn.batch))
            follows = [not torch.equal(it.samples, first.samples) for it in others]
            made_of = [*compress(sources, follows)] or sources
            own = torch.stack([labels == it for it in made_of]).any(0).all()
            real, fake = (it.tolist() for it in sources)
            got = f"the labels {labels.flatten().tolist()} where real samples have {real}"
            require(bool(own), f"{got} and fake ones {fake}")


def _wants_low(found: Evaluation, scores: Scores) -> bool:
    """True where a loss rises with every one of these scores."""
    slopes = found.gradients(tensors_in(scores))
    return bool(slopes) and all(bool((it > 0).all()) for it in slopes)


@check(
    "labels and whatever else belongs to a sample are compared with that sample's own",
    LossSpec,
    fix="keep the order of the batch, and compare what is of `fake` with step.fake_labels",
)
def labels_are_compared_with_their_samples(subject: Subject[LossSpec]) -> None:
    bench = Bench(subject)
    for found in bench.evaluations():
        own = {it for it in bench.spec.reads if "." not in it} - USUAL
        if not own and not found.step.read & {"labels", "fake_labels", "conditions"}:
            continue  # what has no labels may pair samples as it likes
        again = bench.find(found.side, seed=1)
        if again is None or not _close(found, again):
            raise NotApplicable("its value is random")
        # The order of a batch means nothing; where both sides are not paired, that of each.
        one_side = [] if own else [(swapped, torch.clone), (torch.clone, swapped)]
        for orders in [(swapped, swapped), *one_side]:
            turned = Setting(arrange=lambda it, orders=orders: rearranged(it, *orders))  # type: ignore[misc]
            other = bench.find(found.side, turned)
            same = other is not None and _close(found, other)
            require(same, f"another value for the {found.side} of a batch in another order")


def _close(one: Evaluation, other: Evaluation) -> bool:
    return torch.allclose(one.value, other.value, rtol=TOLERANCE, atol=1e-6)


@check(
    "what a step gives is not changed in its place, for other terms read it too",
    LossSpec,
    fix="use the operation without the underscore",
)
def step_is_left_unchanged(subject: Subject[LossSpec]) -> None:
    bench = Bench(subject)
    loss = bench.loss()
    for side in bench.trains:
        step = bench.step(side)
        given = {f"step.{name}": getattr(step, name) for name in GIVEN}
        with left_unchanged(**given):
            call(loss, side, step)


@check("a term never calls backward", LossSpec, fix="return the value, and call no backward()")
def backward_is_left_to_the_engine(subject: Subject[LossSpec]) -> None:
    bench = Bench(subject)
    for found in bench.evaluations():
        for side in found.step.networks:
            clean = all(it.grad is None for it in found.step.parameters(side))
            require(clean, f"weights of the {side} with a gradient from the {found.side}'s loss")


@check(
    "state moves in observe(), not when the loss is computed, for a loss is called once for each "
    "part of a batch",
    LossSpec,
    fix="move it in observe(), which is called once after each update",
)
def state_rests_in_a_call(subject: Subject[LossSpec]) -> None:
    bench = Bench(subject)
    loss = bench.loss()
    before = state(loss)
    for seed in range(NUM_UPDATES):
        for side in bench.trains:
            call(loss, side, bench.step(side, Setting(seed=seed)))
    changed = moved(before, state(loss))
    require(changed is None, f"{changed!r}, which changes with a call")


@check(
    "what observe() changes is a buffer, which is moved, saved and resumed",
    LossSpec,
    fix="make it a tensor with register_buffer(), not persistent=False, and change that",
)
def state_lies_in_buffers(subject: Subject[LossSpec]) -> None:
    bench = Bench(subject)

    def update(loss: Loss) -> None:
        for seed in range(NUM_UPDATES):
            for side in bench.trains or SIDES:
                step = bench.step(side, Setting(seed=seed))
                call(loss, side, step)
                observe(loss, side, seed, noted=step.step.take_notes())

    def outcome(loss: Loss) -> list[Tensor]:
        found = [bench.find(it, loss=loss) for it in bench.trains]
        return [it.value for it in found if it is not None]

    require_state_in_buffers(lambda: bench.loss(), update, outcome)


@check(
    "observe() takes an update in which no scores were read",
    LossSpec,
    fix="leave out what is None: a term that is evaluated lazily reads none",
)
def updates_without_scores_are_observed(subject: Subject[LossSpec]) -> None:
    bench = Bench(subject)
    loss = bench.loss()
    if type(loss).observe is Loss.observe:
        raise NotApplicable("it observes nothing")
    for side in bench.trains or SIDES:
        observe(loss, side)
        observe(loss, side, levels=None)


@check(
    "under one seed, a step has one loss",
    LossSpec,
    fix="draw from torch's global generator, which the engine seeds for every step",
)
def same_step_has_the_same_value(subject: Subject[LossSpec]) -> None:
    bench = Bench(subject)
    draws = [[it.value for it in bench.evaluations()] for _ in range(2)]
    require_same(draws, listed([f"{[it.item() for it in found]}" for found in draws]))


@check(
    "tensors are made on the device of the step",
    LossSpec,
    fix="give every tensor that is made device=step.real.device, or make it a buffer",
)
def value_lies_on_the_steps_device(subject: Subject[LossSpec]) -> None:
    bench = Bench(subject)
    loss = bench.loss()
    for side in bench.trains:
        step = bench.step(side)
        require_the_given_device(lambda: call(loss, side, step))  # noqa: B023


@check(
    "a constraint changes weights in their place, and leaves them finite",
    LossSpec,
    fix="change parameters with in-place operations: the optimizer holds them",
)
def constraint_keeps_the_weights(subject: Subject[LossSpec]) -> None:
    bench = Bench(subject)
    loss = bench.loss()
    if type(loss).constrain_discriminator is Loss.constrain_discriminator:
        raise NotApplicable("it constrains no weights")
    critic = bench.step("discriminator").networks["discriminator"][0]
    before = dict(critic.named_parameters())
    with torch.no_grad():
        loss.constrain_discriminator(critic)
    for name, parameter in critic.named_parameters():
        require(parameter is before[name], f"another {name!r}")
        require(bool(parameter.isfinite().all()), f"{name!r} not finite")
