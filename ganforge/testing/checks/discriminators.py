"""Checks of a discriminator: its scores, and the gradients that pass through it."""

from __future__ import annotations

import torch
from torch import Tensor

from ganforge.contracts import Inputs, input_gradients
from ganforge.plugin.specs import DiscriminatorSpec
from ganforge.testing.fixtures.building import BATCH_SIZES, weighted
from ganforge.testing.fixtures.built_networks import NUM_SAMPLES, Built, networks
from ganforge.testing.fixtures.conduct import near
from ganforge.testing.framework import CheckFailure, NotApplicable, Subject, check, require

BOUND = 10.0  # scores beyond it on both sides are unbounded


@check(
    "there is one score a sample, or what else the spec declares, for any size and batch",
    DiscriminatorSpec,
    fix="end with .squeeze(1) or .flatten(), or say patches or several in the spec; what is no "
    "score belongs into trace()",
)
def scores_have_the_declared_shape(subject: Subject[DiscriminatorSpec]) -> None:
    several, patches = subject.says("several"), subject.says("patches")
    for built in networks(subject):
        for training, n in ((True, NUM_SAMPLES), *((False, it) for it in BATCH_SIZES)):
            built.network.train(training)
            given = built.given(n)
            with torch.no_grad():
                found = built.call(given)
            declared = isinstance(found, list) == several
            require(declared, f"a {type(found).__name__}, though several={several}")
            for scores in found if several else [found]:
                shape = list(scores.shape) if isinstance(scores, Tensor) else []
                sound = shape[:1] == [n] and (len(shape) == 1 or patches)
                got = f"{shape} for samples {list(given.values.shape)}"
                wanted = f"scores [{n}]" + (f", or [{n}, ...] of patches" if patches else "")
                require(sound, got, expected=wanted)


@check("scores are float32", DiscriminatorSpec, fix="keep the dtype of the weights to the end")
def scores_are_float32(subject: Subject[DiscriminatorSpec]) -> None:
    for built in networks(subject):
        dtype = built.evaluated().dtype
        require(dtype == torch.float32, f"{dtype} for {built.shown}")


@check(
    "scores can be anything, unless the spec says that they have bounds",
    DiscriminatorSpec,
    fix="end with a linear layer: losses want logits, not probabilities; where a paper bounds its "
    "scores, say bounded=True in the spec",
)
def scores_are_unbounded(subject: Subject[DiscriminatorSpec]) -> None:
    built = next(networks(subject))
    built.network.eval()
    lowest, highest = float("inf"), float("-inf")
    for _ in built.with_far_weights():
        scores = built.evaluated()
        for score in scores[scores.isfinite()].flatten().tolist():
            lowest, highest = min(lowest, score), max(highest, score)
        if lowest < -BOUND and highest > BOUND:
            break
    unbounded = lowest < -BOUND and highest > BOUND
    got = f"scores from {lowest:.3g} to {highest:.3g}"
    if subject.says("bounded"):
        wish = "scores with a bound, as the spec says"
        require(not unbounded, got, expected=wish, fix="leave bounded out of the spec")
    else:
        require(unbounded, f"{got}, whatever the weights are")


@check("other samples have other scores", DiscriminatorSpec, fix="let samples reach the score")
def scores_are_not_constant(subject: Subject[DiscriminatorSpec]) -> None:
    for built in networks(subject):
        scores = built.disturbed().evaluated()
        constant = torch.equal(scores, scores[:1].expand_as(scores))
        require(not constant, f"the same one {NUM_SAMPLES} times, for {built.shown}")


@check(
    "every sample gets a finite gradient that is somewhere not zero",
    DiscriminatorSpec,
    fix="detach nothing between samples and scores, for the generator learns from nothing else; "
    "where it is not finite, look for a root, a norm or a logarithm at 0",
)
def samples_get_a_gradient(subject: Subject[DiscriminatorSpec]) -> None:
    for built in networks(subject):
        gradients = _gradients(built.disturbed())
        missed = NUM_SAMPLES - int(gradients.flatten(1).any(1).sum())
        require(not missed, f"none for {missed} of {NUM_SAMPLES}, for {built.shown}")
        require(bool(gradients.isfinite().all()), f"infinite ones or NaN, for {built.shown}")


@check(
    "samples get the same gradient where the weights want none",
    DiscriminatorSpec,
    fix="do not let forward depend on requires_grad of the weights",
)
def frozen_weights_pass_the_gradient(subject: Subject[DiscriminatorSpec]) -> None:
    for built in networks(subject, few=True):
        # In evaluation: in training a normalisation may move between two passes.
        built.disturbed().network.eval()
        expected = _gradients(built)
        built.network.requires_grad_(requires_grad=False)
        found = _gradients(built)
        require(torch.equal(expected, found), "another one" if found.any() else "none")


@check(
    "the gradient of the scores has a finite gradient itself, where the spec says so",
    DiscriminatorSpec,
    fix="declare double_backward=False, or use operations that torch differentiates twice",
)
def gradient_can_be_differentiated(subject: Subject[DiscriminatorSpec]) -> None:
    if not subject.spec.double_backward:
        raise NotApplicable("it declares that its gradient cannot be differentiated")
    for built in networks(subject, few=True):
        samples, scores = _scored(built.disturbed())
        if not scores.requires_grad:
            continue  # another check's finding
        try:
            penalty = input_gradients(scores, samples).square().sum()
            weights = [it for it in built.network.parameters() if it.dim() > 1]
            found = torch.autograd.grad(penalty, weights, allow_unused=True)
        except RuntimeError as error:
            raise CheckFailure(str(error).splitlines()[0]) from error
        reached = [it for it in found if it is not None and it.any()]
        require(bool(reached), "none")
        require(all(bool(it.isfinite().all()) for it in reached), "infinite ones or NaN")


@check(
    "the score of a sample does not depend on the batch, where the spec says so",
    DiscriminatorSpec,
    fix="declare batch_independent=False, or a function of the options",
)
def batch_independent_as_declared(subject: Subject[DiscriminatorSpec]) -> None:
    if not subject.says("batch_independent"):
        raise NotApplicable("it declares that a score depends on the batch")
    for built in networks(subject, few=True):
        given, others = built.disturbed().given(), built.given(seed=1)
        mixed = Inputs(torch.cat([given.values[:1], others.values[1:]]), **given.others)
        for training in (True, False):
            built.network.train(training)
            # Of as many samples: what dropout draws depends on their number.
            passes = zip((given, mixed), built.from_one_state(2), strict=True)
            one, other = (built.output(it)[0].detach() for it, _ in passes)
            apart = float((one - other).abs().max())
            mode = "training" if training else "evaluation"
            got = f"one that is {apart:.3g} apart among other samples, in {mode}"
            require(near(one, other), got)


def _scored(built: Built) -> tuple[Tensor, Tensor]:
    """Samples that want a gradient, and their scores."""
    given = built.given()
    samples = given.values.requires_grad_()
    return samples, built.output(Inputs(samples, **given.others))


def _gradients(built: Built) -> Tensor:
    """The gradient of each sample, zero where the scores do not depend on it."""
    samples, scores = _scored(built)
    if not scores.requires_grad:
        return torch.zeros_like(samples)
    (found,) = torch.autograd.grad(weighted(scores), samples, allow_unused=True)
    return torch.zeros_like(samples) if found is None else found
