"""Checks of a loss term's value: a scalar, finite, of the right sign, a mean over the batch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import TypeVar

import torch
from torch import Tensor

from ganforge.errors import listed
from ganforge.plugin.options import describe, to_toml
from ganforge.plugin.schedule import Schedule
from ganforge.plugin.specs import LossSpec, Side
from ganforge.printable import described
from ganforge.testing.checks.loss_conduct import CHECKS as CONDUCT
from ganforge.testing.checks.loss_declarations import CHECKS as DECLARATIONS
from ganforge.testing.fixtures.loss_terms import (
    build_loss,
    call,
    gradients,
    step_for,
    trained,
    value_of,
    values,
)
from ganforge.testing.fixtures.reference_step import PATCHES, ReferenceStep
from ganforge.testing.framework import (
    Check,
    NotApplicable,
    Subject,
    check_of,
)
from ganforge.testing.framework import (
    OldFailure as CheckFailure,
)

T = TypeVar("T")

EXTREMES = (-1e4, 0.0, 1e4)
USUAL = (-8.0, 0.0, 8.0)  # where bfloat16 already takes a sigmoid for 1


def _expect_finite(value: Tensor, step: ReferenceStep, side: Side, where: str) -> None:
    of: list[Tensor] = [*trained(step, side).parameters()]
    of += [it for it in (step.real_targets, step.fake_targets) if it is not None]
    for what, tensors in (("loss", [value]), ("gradient", gradients(value, of))):
        for tensor in tensors:
            if not tensor.isfinite().all():
                raise CheckFailure(
                    f"a finite {what} for the {side} {where}",
                    came=f"{tensor[~tensor.isfinite()].flatten()[0].item()}",
                    mend="use the forms that do not overflow, such as softplus on the scores, and "
                    "add a small number below a square root",
                )


def value_is_a_scalar(subject: Subject[LossSpec]) -> None:
    loss = build_loss(subject)
    for side in subject.spec.trains:
        found = call(loss, side, step_for(subject, side))
        if found is not None and not (isinstance(found, Tensor) and found.dim() == 0):
            raise CheckFailure(
                f"a scalar tensor for the {side}",
                came=f"shape {list(found.shape)}" if isinstance(found, Tensor) else repr(found),
                mend="take the mean over the batch",
            )


def finite_at_extreme_scores(subject: Subject[LossSpec]) -> None:
    for scores in product(EXTREMES, EXTREMES):
        for side, step, value in values(subject, scores=scores):
            where = f"at real scores of {scores[0]:g} and fake scores of {scores[1]:g}"
            _expect_finite(value, step, side, where)


def finite_in_bfloat16(subject: Subject[LossSpec]) -> None:
    for level in USUAL:
        with torch.autocast("cpu", torch.bfloat16):
            found = [*values(subject, scores=(level, level), dtype=torch.bfloat16)]
        for side, step, value in found:
            _expect_finite(value, step, side, f"at scores of {level:g} in bfloat16")


def patch_scores_are_accepted(subject: Subject[LossSpec]) -> None:
    for side, step, value in values(subject, patches=PATCHES):
        _expect_finite(value, step, side, f"with patch scores [B, {PATCHES[0]}, {PATCHES[1]}]")


def lists_of_scores_are_accepted(subject: Subject[LossSpec]) -> None:
    try:
        found = [*values(subject, several=True)]
    except (TypeError, AttributeError) as error:
        raise CheckFailure(
            "a value where scores are a list, as a discriminator of several scales gives them",
            came=str(error),
            mend="derive from ganforge.ScoreLoss, or call ganforge.averaged(function, *scores)",
        ) from error
    for side, step, value in found:
        _expect_finite(value, step, side, "with a list of scores")


def vectors_are_accepted(subject: Subject[LossSpec]) -> None:
    for side, step, value in values(subject, sample_shape=(2,)):
        _expect_finite(value, step, side, "for samples that are vectors")


def _sign(subject: Subject[LossSpec], side: Side, which: str, level: float, wanted: int) -> None:
    """The derivative with respect to one kind of score, in steps around a moderate level."""
    spec, loss = subject.spec, build_loss(subject)
    if side not in spec.trains:
        raise NotApplicable(f"it has no loss for the {side}")
    if "generator" not in spec.trains:
        raise NotApplicable("it is a penalty, not an adversarial loss")
    derivatives: list[Tensor] = []
    for factor in (0.2, 1.0, 1.8):
        # The other kind is as far on the other side: a critic that is mistaken.
        scores = (factor * level, -factor * level)[:: 1 if which == "real" else -1]
        step = step_for(subject, side, scores=scores)
        value = value_of(loss, side, step)
        if f"{which}_scores" not in step.read:
            raise NotApplicable(f"it reads no {which} scores")
        targets = step.real_targets if which == "real" else step.fake_targets
        assert targets is not None
        if value is not None:
            derivatives += gradients(value, [targets])
    if spec.double_backward and not derivatives:
        raise NotApplicable(f"its value follows a gradient, not the {which} scores")
    slopes = torch.cat(derivatives) if derivatives else torch.zeros(1)
    if not (slopes * wanted >= 0).all() or not slopes.any():
        raise CheckFailure(
            f"a {side}'s loss that {'rises' if wanted > 0 else 'falls'} when {which} scores "
            f"near {level:g} rise",
            came=f"derivatives from {slopes.min():.3g} to {slopes.max():.3g}",
            mend="turn the sign: the discriminator wants real scores high and fake scores low, the "
            "generator fake scores high",
        )


def discriminator_wants_real_scores_high(subject: Subject[LossSpec]) -> None:
    _sign(subject, "discriminator", "real", -0.5, -1)


def discriminator_wants_fake_scores_low(subject: Subject[LossSpec]) -> None:
    _sign(subject, "discriminator", "fake", 0.5, 1)


def generator_wants_fake_scores_high(subject: Subject[LossSpec]) -> None:
    _sign(subject, "generator", "fake", -0.5, -1)


def mean_over_the_batch(subject: Subject[LossSpec]) -> None:
    loss = build_loss(subject)
    for side in subject.spec.trains:
        # An affine critic has one gradient everywhere: where a penalty looks does not matter.
        once, again, twice = (
            value_of(loss, side, step_for(subject, side, kind="affine", repeats=repeats), seed)
            for repeats, seed in ((1, 0), (1, 1), (2, 0))
        )
        if once is None or again is None or twice is None:
            continue
        if not torch.isclose(once, again, rtol=1e-4, atol=1e-6):
            raise NotApplicable("its value is random, or moves with every call")
        if not torch.isclose(once, twice, rtol=1e-3, atol=1e-5):
            raise CheckFailure(
                f"the same {side}'s loss for a batch and the same batch twice over",
                came=f"{once.item():g} and {twice.item():g}",
                mend="take the mean over the batch, not the sum",
            )


def constant_critic_has_a_constant_penalty(subject: Subject[LossSpec]) -> None:
    if "discriminator" not in subject.spec.double_backward:
        raise NotApplicable("it is no gradient penalty")
    penalties: dict[Side, list[float]] = {}
    for seed in range(3):
        for side, step, value in values(subject, kind="constant", seed=seed):
            _expect_finite(value, step, side, "of a critic whose gradient is zero")
            penalties.setdefault(side, []).append(value.item())
    if "generator" in subject.spec.trains:
        return  # an adversarial loss with a penalty in it follows the scores, too
    for side, found in penalties.items():
        if max(found) - min(found) > 1e-3 * max(1.0, abs(found[0])):
            raise CheckFailure(
                f"one value for the {side}, wherever a critic is constant",
                came=", ".join(f"{value:g}" for value in found),
                mend="make the penalty a function of the critic's gradient alone",
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
    for (side, _, expected), (_, _, found) in zip(
        values(subject), _tried(values(scheduled)), strict=True
    ):
        if not torch.equal(expected, found):
            raise CheckFailure(
                f"the same loss of the {side} where {listed(names)} is given as a schedule",
                came=f"{found.item():g} instead of {expected.item():g}",
                mend=_ASK_PROGRESS,
            )


_ASK_PROGRESS = "read a scheduled option as step.progress.value(option), in each call"


def _tried(found: Iterator[T]) -> Iterator[T]:
    try:
        yield from found
    except Exception as error:
        raise CheckFailure(
            "a loss where a scheduled option is given as a schedule",
            came=described(error),
            mend=_ASK_PROGRESS,
        ) from error


_check = check_of("loss")


CHECKS: tuple[Check, ...] = (
    _check("value-is-a-scalar", "a loss is a scalar tensor", value_is_a_scalar),
    _check(
        "value-is-finite-at-extreme-scores",
        "loss and gradient are finite at scores of -1e4, 0 and 1e4",
        finite_at_extreme_scores,
    ),
    _check(
        "value-is-finite-in-bfloat16",
        "loss and gradient are finite where scores are bfloat16",
        finite_in_bfloat16,
    ),
    _check(
        "patch-scores-are-accepted",
        "scores may be patches, [B, ...]",
        patch_scores_are_accepted,
    ),
    _check("lists-of-scores-are-accepted", "scores may be a list", lists_of_scores_are_accepted),
    _check("vectors-are-accepted", "samples may be vectors", vectors_are_accepted),
    _check(
        "discriminator-wants-real-scores-high",
        "an adversarial loss of the discriminator falls when real scores rise",
        discriminator_wants_real_scores_high,
    ),
    _check(
        "discriminator-wants-fake-scores-low",
        "an adversarial loss of the discriminator rises with fake scores",
        discriminator_wants_fake_scores_low,
    ),
    _check(
        "generator-wants-fake-scores-high",
        "an adversarial loss of the generator falls when fake scores rise",
        generator_wants_fake_scores_high,
    ),
    _check(
        "value-is-a-mean-over-the-batch",
        "a doubled batch has the same loss",
        mean_over_the_batch,
    ),
    _check(
        "constant-critic-has-a-constant-penalty",
        "the penalty of a critic without gradient is finite and the same everywhere",
        constant_critic_has_a_constant_penalty,
    ),
    _check(
        "scheduled-options-take-schedules",
        "an option that is declared scheduled may be a schedule",
        scheduled_options_take_schedules,
    ),
    *DECLARATIONS,
    *CONDUCT,
)
