"""Checks of a loss term's value: a scalar, finite, of the right sign, a mean over the batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import torch
from torch import Tensor

from ganforge.contracts import Loss, Progress
from ganforge.errors import listed
from ganforge.plugin.options import describe, to_toml
from ganforge.plugin.schedule import Schedule
from ganforge.plugin.specs import LossSpec, Side
from ganforge.testing.checks.loss_declarations import SCORES
from ganforge.testing.fixtures.loss_terms import (
    VECTORS,
    Bench,
    Evaluation,
    Setting,
    call,
    observe,
)
from ganforge.testing.fixtures.partners import NoPartner
from ganforge.testing.fixtures.playing import rearranged
from ganforge.testing.framework import CheckFailure, NotApplicable, Subject, check, require

PATCHES = (2, 3)
EXTREMES = (-1e4, 0.0, 1e4)
USUAL = (-8.0, 0.0, 8.0)  # where bfloat16 already takes a sigmoid for 1
MODERATE, FAR = (0.1, 0.5, 0.9), 50.0  # distances of scores from 0
LEAST = 0.01  # of a slope far away to one near 0
TOLERANCE = 1e-3
#: means of real and fake scores in updates that a term is told of, besides none at all
OBSERVED = ((0.0, 0.0), (2.0, -2.0), (-2.0, 2.0), (-2.0, -2.0), (2.0, 2.0))
#: a step that is a multiple of nothing, and the next one
LATER = [Progress(step=it, num_steps=100, images=64 * it) for it in (37, 38)]


def _expect_finite(found: Evaluation, where: str) -> None:
    leaves = [*found.step.targets["real"], *found.step.targets["fake"]]
    wanted = [*found.step.parameters(found.side), *(it for it in leaves if it.requires_grad)]
    for what, tensors in (("loss", [found.value]), ("gradient", found.gradients(wanted))):
        for tensor in tensors:
            if not tensor.isfinite().all():
                first = tensor[~tensor.isfinite()].flatten()[0].item()
                raise CheckFailure(f"a {what} of {first} for the {found.side} {where}")


@check("a loss is a scalar tensor", LossSpec, fix="take the mean over the batch")
def value_is_a_scalar(subject: Subject[LossSpec]) -> None:
    bench = Bench(subject)
    try:
        loss = bench.loss()
        for side in bench.trains:
            found = call(loss, side, bench.step(side))
            shown = list(found.shape) if isinstance(found, Tensor) else repr(found)
            require(found is None or shown == [], f"{shown} for the {side}")
    except NoPartner as refusal:
        raise CheckFailure(
            f"{refusal}",
            expected="components of its plugin that give what it reads, and work together",
            fix="let them take the same samples, and have options that need not be given",
        ) from refusal


@check(
    "loss and gradient are finite at scores of -1e4, 0 and 1e4",
    LossSpec,
    fix="use the forms that do not overflow, such as softplus on the scores, and add a small "
    "number below a square root",
)
def value_is_finite_at_extreme_scores(subject: Subject[LossSpec]) -> None:
    bench = Bench(subject)
    for scores in product(EXTREMES, EXTREMES):
        for found in bench.evaluations(Setting(scores=scores)):
            _expect_finite(found, f"at real scores of {scores[0]:g}, fake scores of {scores[1]:g}")


@check(
    "loss and gradient are finite where scores are bfloat16",
    LossSpec,
    fix="compute in float32 what overflows or is rounded away",
)
def value_is_finite_in_bfloat16(subject: Subject[LossSpec]) -> None:
    bench = Bench(subject)
    for level in USUAL:
        with torch.autocast("cpu", torch.bfloat16):
            found = [*bench.evaluations(Setting(scores=(level, level), dtype=torch.bfloat16))]
        for it in found:
            _expect_finite(it, f"at scores of {level:g}")


@check(
    "scores may be patches, [B, ...], and count as their mean",
    LossSpec,
    fix="take the mean over everything: .mean() does",
)
def patch_scores_are_accepted(subject: Subject[LossSpec]) -> None:
    _expect_means(subject, Setting(patches=PATCHES))


@check(
    "scores may be a list, as a discriminator of several scales gives them, and count as the mean",
    LossSpec,
    fix="derive from ganforge.ScoreLoss, or call ganforge.averaged(function, *scores)",
)
def lists_of_scores_are_accepted(subject: Subject[LossSpec]) -> None:
    _expect_means(subject, Setting(several=True))


def _expect_means(subject: Subject[LossSpec], setting: Setting) -> None:
    """Require a finite value; of scores that are all the same, that of one of them."""
    bench = Bench(subject)
    for found in bench.evaluations(setting):
        _expect_finite(found, "of such scores")
    settings = [replace(it, scores=(0.4, -0.3)) for it in (Setting(), Setting(), setting)]
    for one, again, several in zip(*map(bench.evaluations, settings), strict=True):
        if one.step.read <= SCORES and not one.step.differentiated and one.value == again.value:
            close = torch.isclose(one.value, several.value, rtol=TOLERANCE)
            got = f"{several.value:g} for the {one.side} where they are all alike"
            require(bool(close), f"{got}, and {one.value:g} of one of them")


@check("samples may be vectors", LossSpec, fix="flatten(1) samples of any shape")
def vectors_are_accepted(subject: Subject[LossSpec]) -> None:
    bench = Bench(subject)
    for found in bench.evaluations(Setting(sample=VECTORS)):
        _expect_finite(found, "for samples that are vectors")


def _slopes(
    subject: Subject[LossSpec], side: Side, which: str, levels: Sequence[float]
) -> list[Tensor]:
    """The derivatives by one kind of score at these levels, in any state the term may be in.

    The other kind of score is as far on the other side: a critic that is mistaken.
    """
    bench = Bench(subject)
    if side not in bench.trains:
        raise NotApplicable(f"it has no loss for the {side}")
    if "generator" not in bench.trains:
        raise NotApplicable("it is a penalty, not an adversarial loss")
    observes = type(bench.loss()).observe is not Loss.observe
    slopes: list[Tensor] = []
    for state in (None, *(OBSERVED if observes else ())):
        loss = bench.loss()
        for number in range(3 if state is not None else 0):
            for updated in bench.trains:
                observe(loss, updated, number, levels=state)
        for level in levels:
            scores = (level, -level)[:: 1 if which == "real" else -1]
            found = bench.find(side, Setting(scores=(scores[0], scores[1])), loss=loss)
            if found is not None and f"{which}_scores" not in found.step.read:
                raise NotApplicable(f"it reads no {which} scores")
            slopes += [] if found is None else found.gradients(found.step.targets[which])
    if bench.spec.double_backward and not slopes:
        raise NotApplicable(f"its value follows a gradient, not the {which} scores")
    return slopes or [torch.zeros(1)]


def _expect_sign(subject: Subject[LossSpec], side: Side, which: str, level: int, sign: int) -> None:
    slopes = torch.cat(_slopes(subject, side, which, [level * it for it in MODERATE]))
    sound = bool((slopes * sign >= 0).all() and slopes.any())
    near = f"where {which} scores are near {level / 2:g}"
    require(sound, f"derivatives from {slopes.min():.3g} to {slopes.max():.3g} {near}")


@check(
    "an adversarial loss of the discriminator falls when real scores rise",
    LossSpec,
    fix="turn the sign: the discriminator wants real scores high",
)
def discriminator_wants_real_scores_high(subject: Subject[LossSpec]) -> None:
    _expect_sign(subject, "discriminator", "real", -1, -1)


@check(
    "an adversarial loss of the discriminator rises with fake scores",
    LossSpec,
    fix="turn the sign: the discriminator wants fake scores low",
)
def discriminator_wants_fake_scores_low(subject: Subject[LossSpec]) -> None:
    _expect_sign(subject, "discriminator", "fake", 1, 1)


@check(
    "an adversarial loss of the generator falls when fake scores rise",
    LossSpec,
    fix="turn the sign: the generator wants fake scores high",
)
def generator_wants_fake_scores_high(subject: Subject[LossSpec]) -> None:
    _expect_sign(subject, "generator", "fake", -1, -1)


@check(
    "a discriminator that is sure and mistaken learns: its loss does not level off",
    LossSpec,
    fix="take the loss of scores as they are (binary_cross_entropy_with_logits, softplus), and of "
    "no sigmoid of them",
)
def mistaken_discriminator_learns(subject: Subject[LossSpec]) -> None:
    for which, level in (("real", -1.0), ("fake", 1.0)):
        near, far = (
            (torch.cat(_slopes(subject, "discriminator", which, [level * it])) * level).max().item()
            for it in (MODERATE[1], FAR)
        )
        got = f"a derivative of {far:.2g} at {which} scores of {level * FAR:g}"
        require(far >= LEAST * near, f"{got}, and of {near:.2g} at {level * MODERATE[1]:g}")


@check("a doubled batch has the same loss", LossSpec, fix="take the mean over the batch, not a sum")
def value_is_a_mean_over_the_batch(subject: Subject[LossSpec]) -> None:
    bench = Bench(subject)
    # An affine critic has one gradient everywhere: where a penalty looks does not matter.
    once = Setting(norm=10.0)
    twice = replace(once, arrange=lambda draw: rearranged(draw, lambda rows: rows.repeat(2)))
    for side in bench.trains:
        first, again = (bench.value(side, once, seed) for seed in (0, 1))
        doubled = bench.value(side, twice)
        if abs(first - again) > 1e-4 * abs(first):
            raise NotApplicable("its value is random, or moves with every call")
        same = abs(first - doubled) <= TOLERANCE * abs(first)
        require(same, f"{first:g} for the {side}, and {doubled:g} of the batch twice over")


@check(
    "a term counts in every step: when it rests is the engine's to say",
    LossSpec,
    fix="leave out steps by `every` of the spec, and begin late by loss.NAME.start",
)
def value_does_not_rest(subject: Subject[LossSpec]) -> None:
    bench = Bench(subject)
    for first in bench.evaluations():
        later = [bench.find(first.side, Setting(progress=it)) for it in LATER]
        moving = [it is not None and any(g.any() for g in it.gradients()) for it in later]
        moves = any(gradient.any() for gradient in first.gradients())
        got = f"no gradient for the {first.side} at steps {listed([str(it.step) for it in LATER])}"
        require(all(moving) or not moves, f"{got}, and one at step 0")


@check(
    "an option that is declared scheduled may be a schedule",
    LossSpec,
    fix="read a scheduled option as step.progress.value(option), in each call",
)
def scheduled_options_take_schedules(subject: Subject[LossSpec]) -> None:
    names = [it.name for it in describe(subject.spec.options) if it.scheduled]
    if not names:
        raise NotApplicable("none of its options is scheduled")
    usual = {name: getattr(subject.options, name) for name in names}
    # A schedule between two equal values is that value, whenever it is asked for.
    constant = {
        name: to_toml(it if isinstance(it, Schedule) else Schedule(from_=it, to=it))
        for name, it in usual.items()
    }
    scheduled = replace(subject, given={**subject.given, **constant})
    benches = (Bench(subject), Bench(scheduled))
    for one, other in zip(*(it.evaluations() for it in benches), strict=True):
        got = f"{other.value.item():g} where {listed(names)} is a schedule, else {one.value:g}"
        require(torch.equal(one.value, other.value), got)
