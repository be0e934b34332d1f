"""Checks of gradient penalties: functions of the critic's gradient at each sample alone."""

from __future__ import annotations

from dataclasses import replace

import torch

from ganforge.errors import listed
from ganforge.plugin.specs import LossSpec, Side
from ganforge.testing.fixtures.conduct import own_draws
from ganforge.testing.fixtures.loss_terms import IMAGES, Bench, Setting
from ganforge.testing.fixtures.playing import rearranged
from ganforge.testing.framework import NotApplicable, Subject, check, require

SIDE: Side = "discriminator"
SMALL = 8  # rows and columns, and half of the larger images
NORM = 10.0  # far above any target
SEEDS = (0, 1, 2)
TOLERANCE = 1e-3


def _bench(subject: Subject[LossSpec]) -> Bench:
    bench = Bench(subject)
    if SIDE not in bench.spec.double_backward or SIDE not in bench.trains:
        raise NotApplicable("it is no gradient penalty")
    return bench


def _penalties(bench: Bench, *settings: Setting) -> list[float]:
    """The values in these settings. Raises NotApplicable where they are random."""
    found, again = (bench.value(SIDE, settings[0], seed) for seed in (0, 1))
    if abs(found - again) > 1e-4 * abs(found):
        raise NotApplicable("its value is random, also where the critic's gradient is the same")
    return [found, *(bench.value(SIDE, it) for it in settings[1:])]


@check(
    "the penalty of a critic without gradient is finite and the same everywhere",
    LossSpec,
    fix="make the penalty a function of the critic's gradient alone, and add a small number below "
    "a square root",
)
def constant_critic_has_a_constant_penalty(subject: Subject[LossSpec]) -> None:
    bench = _bench(subject)
    penalties = []
    for seed in SEEDS:
        for found in bench.evaluations(Setting(kind="constant", seed=seed)):
            finite = all(bool(it.isfinite().all()) for it in [found.value, *found.gradients()])
            require(finite, f"{found.value:g}, or its gradient, for the {found.side}")
            penalties += [found.value.item()] if found.side == SIDE else []
    if "generator" in bench.trains:
        return  # an adversarial loss with a penalty in it follows the scores, too
    spread, size = max(penalties) - min(penalties), max(1.0, abs(penalties[0]))
    require(spread <= TOLERANCE * size, listed([f"{it:g}" for it in penalties]))


@check(
    "the penalty follows the norm of the gradient over all numbers of a sample, and not its size",
    LossSpec,
    fix="sum the squares of gradients.flatten(1) over axis 1; a mean over pixels is weaker the "
    "larger the images are",
)
def penalty_does_not_follow_the_resolution(subject: Subject[LossSpec]) -> None:
    # Both critics look at the same pixels; in the larger image there are others, of gradient 0.
    larger = Setting(scores=(0.0, 0.0), norm=NORM, corner=SMALL)
    smaller = replace(larger, sample=(IMAGES[0], SMALL, SMALL))
    small, large = _penalties(_bench(subject), smaller, larger)
    same = abs(small - large) <= TOLERANCE * abs(small)
    got = f"{small:g} for images {SMALL} x {SMALL}, and {large:g} for {IMAGES[1]} x {IMAGES[2]}"
    require(same, f"{got}, with one gradient")


@check(
    "a penalty does not fall when the gradient grows beyond any target",
    LossSpec,
    fix="turn the sign",
)
def penalty_rises_with_the_gradient(subject: Subject[LossSpec]) -> None:
    bench = _bench(subject)
    if "generator" in bench.trains:
        raise NotApplicable("it is an adversarial loss, too")
    settings = [Setting(norm=it, scores=(0.0, 0.0)) for it in (NORM, 2 * NORM)]
    one, other = _penalties(bench, *settings)
    got = f"{one:g} for a gradient of norm {NORM:g}, and {other:g} for one of {2 * NORM:g}"
    require(other >= one - 1e-6 * abs(one), got)


@check(
    "what is drawn to find the points of a penalty is drawn for each sample",
    LossSpec,
    fix="draw len(samples) weights, of shape [B, 1, ...]",
)
def each_point_has_its_own_draw(subject: Subject[LossSpec]) -> None:
    bench = _bench(subject)
    alike = Setting(arrange=lambda draw: rearranged(draw, torch.zeros_like))
    drawn = [
        [it.samples for it in found.step.scored]
        for seed in SEEDS
        for found in bench.evaluations(alike, seed=seed)
        if found.side == SIDE
    ]
    if not drawn[0]:
        raise NotApplicable("it looks at real and fake samples as they are")
    for points in zip(*drawn, strict=True):
        require(own_draws(points), "one draw for the whole batch")
