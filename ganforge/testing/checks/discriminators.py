"""Checks of a discriminator: its scores, and the gradients that pass through it."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from ganforge.contracts import Inputs, input_gradients
from ganforge.plugin.specs import DiscriminatorSpec
from ganforge.problem import Problem
from ganforge.testing.fixtures.building import (
    BATCH_SIZES,
    arguments,
    call,
    first_network,
    forward,
    networks,
    weighted,
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

NUM_SAMPLES = 7
BOUND = 10.0  # scores beyond it on both sides are unbounded
FAR = 1000.0


def check_shape(subject: Subject[DiscriminatorSpec]) -> None:
    several, patches = subject.says("several"), subject.says("patches")
    for problem, network in networks(subject):
        for training, n in ((True, NUM_SAMPLES), *((False, it) for it in BATCH_SIZES)):
            with torch.no_grad():
                found = call(network.train(training), arguments(subject, problem, n))
            if isinstance(found, list) != several:
                raise CheckFailure(
                    f"{'a list of scores' if several else 'one tensor of scores'}, as several = "
                    f"{several} says",
                    came=f"a {type(found).__name__}",
                    mend=f"set several={not several} in the spec",
                )
            for scores in found if several else [found]:
                _expect_scores(scores, n, patches, problem)


def _expect_scores(scores: object, n: int, patches: bool, problem: Problem) -> None:
    """Require scores `[n]`, or of patches where they are declared."""
    shape = tuple(scores.shape) if isinstance(scores, Tensor) else ()
    if shape[:1] != (n,) or (len(shape) > 1 and not patches):
        raise CheckFailure(
            f"scores [{n}]" + (f", or [{n}, ...] of patches" if patches else ""),
            came=f"{list(shape)} for samples {[n, *problem.sample_shape]}",
            mend="end with .squeeze(1) or .flatten(), or say patches=True in the spec; what is no "
            "score belongs into trace()",
        )


def check_dtype(subject: Subject[DiscriminatorSpec]) -> None:
    for problem, network in networks(subject):
        with torch.no_grad():
            scores = forward(network, arguments(subject, problem, NUM_SAMPLES))
        if scores.dtype != torch.float32:
            raise CheckFailure(
                "scores of float32",
                came=f"{scores.dtype} for samples {list(problem.sample_shape)}",
                mend="keep the dtype of the weights to the end",
            )


def check_unbounded(subject: Subject[DiscriminatorSpec]) -> None:
    problem, network = first_network(subject)
    given = arguments(subject, problem, NUM_SAMPLES)
    lowest, highest = float("inf"), float("-inf")
    with torch.no_grad():
        for _ in _far_weights(network.eval()):
            scores = forward(network, given)
            finite = scores[scores.isfinite()]
            if finite.numel():
                lowest = min(lowest, float(finite.min()))
                highest = max(highest, float(finite.max()))
            if lowest < -BOUND and highest > BOUND:
                return
    raise CheckFailure(
        "scores that can be anything",
        came=f"scores from {lowest:.3g} to {highest:.3g}, whatever the weights are",
        mend="end with a linear layer: losses want logits, not probabilities",
    )


def _far_weights(network: nn.Module) -> Iterator[None]:
    """Each parameter in turn, the last first, multiplied or moved far to either side."""
    for parameter in reversed(list(network.parameters())):
        before = parameter.clone()
        for far in (-FAR, FAR):
            # A bias is moved, for it may be zero; so is a weight that is normalised.
            parameter.copy_(before + far if before.dim() < 2 else before * far)
            yield
        parameter.copy_(before)


def check_not_constant(subject: Subject[DiscriminatorSpec]) -> None:
    for problem, network in networks(subject):
        with torch.no_grad():
            scores = forward(network.eval(), arguments(subject, problem, NUM_SAMPLES))
        if torch.equal(scores, scores[:1].expand_as(scores)):
            raise CheckFailure(
                "other scores for other samples",
                came=f"the same one {NUM_SAMPLES} times, for samples {list(problem.sample_shape)}",
                mend="let the samples reach the score",
            )


def check_sample_gradients(subject: Subject[DiscriminatorSpec]) -> None:
    for problem, network in networks(subject):
        gradients = _sample_gradients(subject, problem, network)
        reached = None if gradients is None else gradients.flatten(1).any(1)
        if gradients is None or reached is None or not reached.all():
            missed = NUM_SAMPLES if reached is None else int((~reached).sum())
            raise CheckFailure(
                "a gradient for every sample: the generator learns from nothing else",
                came=f"none for {missed} of {NUM_SAMPLES} samples {list(problem.sample_shape)}",
                mend="detach nothing between samples and scores",
            )
        if not gradients.isfinite().all():
            raise CheckFailure(
                "a finite gradient for every sample",
                came="infinite ones or NaN",
                mend="look for a root, a norm or a logarithm at 0",
            )


def check_frozen(subject: Subject[DiscriminatorSpec]) -> None:
    problem, network = first_network(subject)
    expected = _sample_gradients(subject, problem, network)
    found = _sample_gradients(subject, problem, network.requires_grad_(requires_grad=False))
    if expected is not None and (found is None or not torch.equal(expected, found)):
        raise CheckFailure(
            "the same gradient for the samples where the weights want none",
            came="none" if found is None else "another one",
            mend="do not let forward depend on requires_grad of the weights",
        )


def check_double_backward(subject: Subject[DiscriminatorSpec]) -> None:
    if not subject.spec.double_backward:
        raise NotApplicable("it declares that its gradient cannot be differentiated")
    problem, network = first_network(subject)
    given, scores = _scored(subject, problem, network)
    if not scores.requires_grad:
        return  # another check's finding
    try:
        gradients = input_gradients(scores, given)
        penalty = gradients.square().sum()
        weights = [it for it in network.parameters() if it.dim() > 1]
        found = torch.autograd.grad(penalty, weights, allow_unused=True)
    except RuntimeError as error:
        raise CheckFailure(
            "a gradient of the gradient, which penalties need",
            came=str(error).splitlines()[0],
            mend="declare double_backward=False, or use operations that torch differentiates twice",
        ) from error
    reached = [it for it in found if it is not None and it.any()]
    if not reached or not all(bool(it.isfinite().all()) for it in reached):
        raise CheckFailure(
            "a finite gradient of the squared gradient, somewhere not zero",
            came="none" if not reached else "infinite ones or NaN",
            mend="declare double_backward=False, or use operations that torch differentiates twice",
        )


def check_batch_independence(subject: Subject[DiscriminatorSpec]) -> None:
    if not subject.says("batch_independent"):
        raise NotApplicable("it declares that a score depends on the batch")
    problem, network = first_network(subject)
    given, scores = _scored(subject, problem, network)
    if not scores.requires_grad:
        return  # another check's finding
    # By gradients, not by values: what dropout draws depends on the size of the batch.
    (gradients,) = torch.autograd.grad(scores[0].sum(), given, allow_unused=True)
    if gradients is not None and gradients[1:].any():
        raise CheckFailure(
            "scores in training mode that do not depend on the batch, as the spec declares",
            came="a score with a gradient for another sample",
            mend="declare batch_independent=False, or a function of the options",
        )


def _scored(
    subject: Subject[DiscriminatorSpec], problem: Problem, network: nn.Module
) -> tuple[Tensor, Tensor]:
    """Samples that want a gradient, and their scores."""
    given = arguments(subject, problem, NUM_SAMPLES)
    values = given.values.requires_grad_()
    return values, forward(network, Inputs(values, **given.others))


def _sample_gradients(
    subject: Subject[DiscriminatorSpec], problem: Problem, network: nn.Module
) -> Tensor | None:
    """The gradient of each sample; None where the scores do not depend on samples."""
    given, scores = _scored(subject, problem, network)
    if not scores.requires_grad:
        return None
    (gradients,) = torch.autograd.grad(weighted(scores), given, allow_unused=True)
    return gradients


_check = check_of(DiscriminatorSpec.kind)


CHECKS: tuple[Check, ...] = (
    _check(
        "scores-have-the-declared-shape",
        "there is one score a sample, or what else the spec declares, for any size and batch",
        check_shape,
    ),
    _check("scores-are-float32", "scores are float32", check_dtype),
    _check("scores-are-unbounded", "scores have no bound on either side", check_unbounded),
    _check("scores-are-not-constant", "other samples have other scores", check_not_constant),
    _check(
        "samples-get-a-gradient",
        "every sample gets a finite gradient that is somewhere not zero",
        check_sample_gradients,
    ),
    _check(
        "frozen-weights-pass-the-gradient",
        "samples get the same gradient where the weights want none",
        check_frozen,
    ),
    _check(
        "gradient-can-be-differentiated",
        "the gradient of the scores has a gradient itself, where the spec says so",
        check_double_backward,
    ),
    _check(
        "batch-independent-as-declared",
        "a score does not depend on the batch, where the spec says so",
        check_batch_independence,
    ),
)
