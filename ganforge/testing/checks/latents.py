"""Checks of latents: their moments, and what truncation makes of them."""

from __future__ import annotations

import torch
from torch import Tensor

from ganforge.plugin.specs import SamplerSpec
from ganforge.testing.fixtures.building import same_values
from ganforge.testing.fixtures.draws import draw, fed_with_data, first_built
from ganforge.testing.framework import (
    Check,
    NotApplicable,
    Subject,
    check_of,
)
from ganforge.testing.framework import (
    OldFailure as CheckFailure,
)

NUM_DRAWS = 4096
#: of means in standard deviations and of correlations, whose standard error is 1/64
TOLERANCE = 0.25
THRESHOLD = 0.5


def _latents(subject: Subject[SamplerSpec]) -> Tensor:
    """Many latents `[NUM_DRAWS, Z]`, of several draws."""
    if fed_with_data(subject) or subject.spec.inputs != "latents":
        raise NotApplicable("its inputs are no latents")
    problem, sampler = first_built(subject)
    parts = [
        draw(subject, problem, sampler, NUM_DRAWS // 4, seed=seed).values.flatten(1)
        for seed in range(4)
    ]
    return torch.cat(parts).double()


def latents_vary(subject: Subject[SamplerSpec]) -> None:
    latents = _latents(subject)
    frozen = (latents.std(dim=0) == 0).sum().item()
    if frozen:
        raise CheckFailure(
            "latents each of which varies from input to input",
            came=f"{frozen} that never change",
            mend="draw every one of them anew for every input",
        )


def latents_are_centred(subject: Subject[SamplerSpec]) -> None:
    latents = _latents(subject)
    offset = (latents.mean(dim=0).abs() / latents.std(dim=0).clamp_min(1e-12)).max().item()
    if latents.std(dim=0).any() and offset > TOLERANCE:
        raise CheckFailure(
            f"means within {TOLERANCE} standard deviations of zero",
            came=f"one that lies {offset:.2f} away",
            mend="centre the distribution",
        )


def latents_are_uncorrelated(subject: Subject[SamplerSpec]) -> None:
    latents = _latents(subject)
    varying = latents[:, latents.std(dim=0) > 0]
    if varying.shape[1] < 2:
        raise NotApplicable("there are fewer than two latents that vary")
    correlation = torch.corrcoef(varying.T).fill_diagonal_(0).abs().max().item()
    if correlation > TOLERANCE:
        raise CheckFailure(
            f"latents whose correlations are below {TOLERANCE}",
            came=f"one of {correlation:.2f}",
            mend="draw them independently of each other",
        )


def truncation_bounds_the_inputs(subject: Subject[SamplerSpec]) -> None:
    problem, sampler = first_built(subject)
    before = draw(subject, problem, sampler)
    try:
        truncated = sampler.truncated(THRESHOLD)
    except ValueError:
        raise NotApplicable("it cannot be truncated") from None
    values = draw(subject, problem, truncated, 64).values
    largest = values.abs().max().item()
    if largest > THRESHOLD * (1 + 1e-6):
        raise CheckFailure(
            f"inputs within [-{THRESHOLD}, {THRESHOLD}] from truncated({THRESHOLD})",
            came=f"one of {largest:.3g}",
            mend="return a sampler that draws within the threshold, or raise ValueError",
        )
    if not same_values(before, draw(subject, problem, sampler)):
        raise CheckFailure(
            "truncated() to leave the sampler itself as it is",
            came="other inputs after it",
            mend="return a new sampler",
        )


_check = check_of("sampler")


CHECKS: tuple[Check, ...] = (
    _check("latents-vary", "no latent is constant", latents_vary),
    _check(
        "latents-are-centred",
        "the mean of every latent is near zero, measured in its standard deviation",
        latents_are_centred,
    ),
    _check(
        "latents-are-uncorrelated",
        "latents of one input are not correlated",
        latents_are_uncorrelated,
    ),
    _check(
        "truncation-bounds-the-inputs",
        "truncated(t) gives a sampler within [-t, t], and changes nothing itself",
        truncation_bounds_the_inputs,
    ),
)
