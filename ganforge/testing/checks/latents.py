"""Checks of latents: their moments, and what truncation makes of them."""

from __future__ import annotations

import torch
from torch import Tensor

from ganforge.plugin.specs import SamplerSpec
from ganforge.testing.checks.samplers import expect_shape
from ganforge.testing.fixtures.conduct import require_same
from ganforge.testing.fixtures.draws import built, draw, fed_with_data
from ganforge.testing.framework import NotApplicable, Subject, check, require

NUM_DRAWS = 4096
#: of means in standard deviations and of correlations, whose standard error is 1/64
TOLERANCE = 0.25
THRESHOLD = 0.5
MATES = 4  # latents in a batch of which the sum is looked at
#: of the variance of a sum to that of independent latents, whose standard error is 1/20 or so
LEAST, LARGEST = 0.6, 1.6


def _latents(subject: Subject[SamplerSpec], n: int = NUM_DRAWS // 4) -> Tensor:
    """Many latents in draws of n, `[NUM_DRAWS / n, n, Z]`."""
    if fed_with_data(subject) or subject.spec.inputs != "latents":
        raise NotApplicable("its inputs are no latents")
    problem, sampler = next(built(subject))
    draws = [
        draw(subject, problem, sampler, n, seed=seed).values.flatten(1)
        for seed in range(NUM_DRAWS // n)
    ]
    return torch.stack(draws).double()


@check("no latent is constant", SamplerSpec, fix="draw every one of them anew for every input")
def latents_vary(subject: Subject[SamplerSpec]) -> None:
    frozen = (_latents(subject).flatten(0, 1).std(dim=0) == 0).sum().item()
    require(not frozen, f"{frozen} that never change")


def _switches(latents: Tensor) -> Tensor:
    """For each latent, true where it is 0 or 1, as in a category with one number a class."""
    return ((latents == 0) | (latents == 1)).all(0)


@check(
    "the mean of every latent is near zero, measured in its standard deviation",
    SamplerSpec,
    fix="centre the distribution",
)
def latents_are_centred(subject: Subject[SamplerSpec]) -> None:
    latents = _latents(subject).flatten(0, 1)
    std = latents.std(dim=0)
    offset = latents.mean(dim=0).abs() / std.clamp_min(1e-12)
    worst = max(offset[(std > 0) & ~_switches(latents)].tolist(), default=0.0)
    require(worst <= TOLERANCE, f"one that lies {worst:.2f} of them away")


@check(
    "latents of one input are not correlated",
    SamplerSpec,
    fix="draw them independently of each other",
)
def latents_are_uncorrelated(subject: Subject[SamplerSpec]) -> None:
    latents = _latents(subject).flatten(0, 1)
    varying = latents[:, latents.std(dim=0) > 0]
    if varying.shape[1] < 2:
        raise NotApplicable("there are fewer than two latents that vary")
    correlations = torch.corrcoef(varying.T).fill_diagonal_(0).abs()
    switches = _switches(varying)
    correlations[switches[:, None] & switches] = 0  # one of several is 1, and the others are 0
    correlation = correlations.max().item()
    require(correlation <= TOLERANCE, f"a correlation of {correlation:.2f}")


@check(
    "each input is drawn by itself, whatever else is in its batch",
    SamplerSpec,
    fix="draw [n, Z] numbers, and take no mean and no deviation over the batch",
)
def inputs_are_independent_of_batch_mates(subject: Subject[SamplerSpec]) -> None:
    latents = _latents(subject, MATES)
    if torch.equal(latents, latents[:1].expand_as(latents)):
        raise NotApplicable("its inputs do not follow the seed")
    # The variance of a sum is the sum of variances; of squares it tells of a common scale.
    for power, what in ((1, "sum"), (2, "sum of squares")):
        values = latents**power
        alone, together = values.flatten(0, 1).var(0).mean(), values.sum(1).var(0).mean() / MATES
        if alone <= 1e-9:
            continue  # the squares of what is either 1 or -1
        ratio = (together / alone).item()
        require(
            LEAST <= ratio <= LARGEST,
            f"a {what} over the batch of {ratio:.2g} times the variance of independent inputs",
        )


@check(
    "truncated(t) gives a sampler of the same inputs within [-t, t], and changes nothing itself",
    SamplerSpec,
    fix="return a new sampler that draws within the threshold, or raise ValueError",
)
def truncation_bounds_the_inputs(subject: Subject[SamplerSpec]) -> None:
    for problem, sampler in built(subject):
        before = draw(subject, problem, sampler)
        try:
            truncated = sampler.truncated(THRESHOLD)
        except ValueError:
            raise NotApplicable("it cannot be truncated") from None
        drawn = draw(subject, problem, truncated, 64)
        expect_shape(drawn.values, 64, problem)
        same = drawn.others.keys() == before.others.keys()
        require(same, f"the conditions {[*drawn.others]}, where it has {[*before.others]} itself")
        largest = drawn.values.abs().max().item()
        require(largest <= THRESHOLD * (1 + 1e-6), f"{largest:.3g}, where t is {THRESHOLD}")
        again = draw(subject, problem, sampler)
        require_same([before, again], "other inputs of the sampler itself after it")
