"""Samplers that are wrong in one way each, and fail the check of that way alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch

from ganforge import Field, Inputs, LatentSampler, Sampler, SamplerSpec
from ganforge.testing import check_component
from ganforge.testing.checks import latents, samplers
from ganforge.testing.finding import subject_of
from ganforge.testing.framework import checks_in, perform_all

CHECKS = [*checks_in(samplers), *checks_in(latents)]
LATENTS = 6


def failed(results):
    return [(it.check, it.message) for it in results if it.failed]


class Correct(LatentSampler):
    """Standard normal latents."""

    def latents(self, n: int, generator: torch.Generator):
        return torch.randn(n, LATENTS, generator=generator, device=generator.device)


class Categorical(Correct):
    """Correct: noise and a category, with one number a class (Chen et al., 2016)."""

    def latents(self, n, generator):
        noise = super().latents(n, generator)[:, :3]
        classes = torch.randint(3, (n,), generator=generator, device=generator.device)
        return torch.cat([noise, torch.nn.functional.one_hot(classes, 3).float()], 1)


class TooLong(Correct):
    def latents(self, n, generator):
        return torch.randn(n, LATENTS + 1, generator=generator, device=generator.device)


class NeverNone(Correct):
    def latents(self, n, generator):
        return super().latents(n, generator).flatten().reshape(n, -1)


class ShortLabels(Correct):
    def sample(self, n, *, generator, real=None):
        drawn = super().sample(n, generator=generator, real=real)
        return Inputs(drawn.values, **{name: it.int() for name, it in drawn.others.items()})


class Global(Correct):
    def latents(self, n, generator):
        return super().latents(n, generator) + 0.01 * torch.randn(1, 1, device=generator.device)


class Counting(Correct):
    number = 0

    def latents(self, n, generator):
        self.number += 1
        return super().latents(n, generator) * self.number


class Frozen(Correct):
    def latents(self, n, generator):
        return torch.randn(n, LATENTS, generator=torch.Generator().manual_seed(0), device="cpu")


class DrawnHere(Correct):
    def latents(self, n, generator):
        return super().latents(n, generator) + torch.zeros(LATENTS)


class Idle(Correct):
    def latents(self, n, generator):
        return torch.nn.functional.pad(super().latents(n, generator)[:, 1:], (1, 0))


class Positive(Correct):
    def latents(self, n, generator):
        return torch.rand(n, LATENTS, generator=generator, device=generator.device)


class Doubled(Correct):
    def latents(self, n, generator):
        half = super().latents(n, generator)[:, : LATENTS // 2]
        return torch.cat([half, half], dim=1)


class Centred(Correct):
    """A batch whose mean is 0, so that a batch of one is nothing but 0."""

    def latents(self, n, generator):
        latents = super().latents(n, generator)
        return latents - latents.mean(0) if n else latents


class Standardised(Correct):
    def latents(self, n, generator):
        latents = super().latents(n, generator)
        return latents / latents.square().mean(0, keepdim=True).sqrt()


class Repeated(Correct):
    """One input for four samples each, for want of a loop."""

    def latents(self, n, generator):
        return super().latents(-(-n // 4), generator).repeat_interleave(4, 0)[:n]


class FirstClassNever(Correct):
    def sample(self, n, *, generator, real=None):
        drawn = super().sample(n, generator=generator, real=real)
        return Inputs(drawn.values, **{name: it.clamp(min=1) for name, it in drawn.others.items()})


class AnothersLabel(Correct):
    def sample(self, n, *, generator, real=None):
        drawn = super().sample(n, generator=generator, real=real)
        return Inputs(drawn.values, **{name: it.roll(1, 0) for name, it in drawn.others.items()})


class ByAnothersLabel(Correct):
    """Latents about the mean of a class, which is not the class that they come with."""

    def sample(self, n, *, generator, real=None):
        drawn = super().sample(n, generator=generator, real=real)
        if real is None or real.labels is None:
            return drawn
        return Inputs(drawn.values + real.labels.roll(1, 0)[:, None], **drawn.others)


class TruncatedOtherwise(Correct):
    def truncated(self, threshold):
        return Within(self.problem, threshold)


class Within(Correct):
    def sample(self, n, *, generator, real=None):
        return Inputs(self.latents(n, generator).clamp(-self.options, self.options))


class Peeking(Correct):
    def sample(self, n, *, generator, real=None):
        drawn = super().sample(n, generator=generator, real=real)
        shift = 0.0 if real is None else real.samples.mean()
        return Inputs(drawn.values + shift, **drawn.others)


class Untruncated(Correct):
    def truncated(self, threshold):
        return self


class Paired(Sampler):
    """Real images, with their labels."""

    def sample(self, n, *, generator, real=None):
        assert real is not None
        return Inputs(self.altered(real.samples), self.renamed(real.labels))

    def altered(self, images):
        return images

    def renamed(self, chosen):
        return chosen


class Brighter(Paired):
    def altered(self, images):
        return images * 1.5


class Reversed(Paired):
    def altered(self, images):
        return images.flip(0)


class Mislabelled(Paired):
    def renamed(self, chosen):
        return None if chosen is None else chosen.flip(0).roll(1)


class Darkening(Paired):
    def altered(self, images):
        return images.mul_(0.5)


class Everything(Paired):
    """It tells the generator fields that it is not told."""

    def sample(self, n, *, generator, real=None):
        return Inputs(real.samples, **{"mask": real.samples, **real.others})


class Other(Sampler):
    """Correct: another field of the data set."""

    def sample(self, n, *, generator, real=None):
        return Inputs(real.others["source"], real.labels)


class Both(Other):
    def sample(self, n, *, generator, real=None):
        return Inputs(real.others["source"] / 2 + real.samples / 2, real.labels)


def latent_shape(options: Any, fields: Mapping[str, Field]) -> tuple[int, ...]:
    return (LATENTS,)


def same_shape(options: Any, fields: Mapping[str, Field]) -> tuple[int, ...]:
    return fields["sample"].known_shape


def source_shape(options: Any, fields: Mapping[str, Field]) -> tuple[int, ...]:
    return fields["source"].known_shape


def sampler(built: type, **said: Any) -> SamplerSpec:
    if issubclass(built, Paired):
        said = {"inputs": "sample", "reads": ("samples",), "input_shape": same_shape, **said}
    if issubclass(built, Other):
        reads = {"inputs": lambda options, fields: fields["source"].kind, "reads": ("source",)}
        said = {**reads, "input_shape": source_shape, **said}
    given = {"input_shape": latent_shape, **said}
    target = f"{__name__}:{built.__name__}"
    return SamplerSpec(name="wrong", summary="A sampler", build=target, **given)


WRONG_SAMPLERS = [
    (TooLong, {}, "inputs-have-the-declared-shape"),
    (NeverNone, {}, "none-and-one-can-be-drawn"),
    (ShortLabels, {}, "labels-come-with-classes"),
    (Global, {}, "given-generator-alone-is-used"),
    (Counting, {}, "same-seed-gives-the-same-draw"),
    (Frozen, {}, "another-seed-gives-another-draw"),
    (DrawnHere, {}, "inputs-lie-on-the-generators-device"),
    (Idle, {}, "latents-vary"),
    (Positive, {}, "latents-are-centred"),
    (Doubled, {}, "latents-are-uncorrelated"),
    (Centred, {}, "inputs-are-independent-of-batch-mates"),
    (Standardised, {}, "inputs-are-independent-of-batch-mates"),
    (Repeated, {}, "inputs-are-independent-of-batch-mates"),
    (FirstClassNever, {}, "labels-come-with-classes"),
    (Everything, {}, "labels-come-with-classes"),
    (AnothersLabel, {}, "conditions-keep-their-order"),
    (ByAnothersLabel, {}, "data-is-read-as-declared"),
    (TruncatedOtherwise, {}, "truncation-bounds-the-inputs"),
    (Brighter, {}, "image-inputs-lie-in-range"),
    (Peeking, {}, "data-is-read-as-declared"),
    (Reversed, {}, "data-is-read-as-declared"),
    (Both, {}, "data-is-read-as-declared"),
    (Other, {"reads": ("source", "samples")}, "data-is-read-as-declared"),
    (Correct, {"parts": lambda options: {"noise": 4, "code": 1}}, "parts-make-up-the-inputs"),
    (Mislabelled, {}, "paired-labels-are-those-of-the-real-samples"),
    (Darkening, {}, "real-batch-is-left-unchanged"),
    (Untruncated, {}, "truncation-bounds-the-inputs"),
]


@pytest.mark.parametrize(
    ("built", "said", "check"),
    WRONG_SAMPLERS,
    ids=[f"{it.__name__}-{check}" for it, _, check in WRONG_SAMPLERS],
)
def test_a_wrong_sampler_fails_its_own_check_and_no_other(built, said, check):
    results = perform_all(CHECKS, subject_of(sampler(built, **said)))
    assert [it for it in failed(results) if it[0] != check] == []
    assert [it.check for it in results if it.failed] == [check]


@pytest.mark.parametrize(
    ("built", "said"),
    [
        (Correct, {}),
        (Correct, {"parts": lambda options: {"noise": 4, "code": 2}}),
        (Categorical, {"parts": lambda options: {"noise": 3, "category": 3}}),
        (Paired, {}),
        (Other, {}),
    ],
)
def test_a_correct_sampler_fails_none(built, said):
    results = check_component(sampler(built, **said))
    assert failed(results) == []
    assert {it.check for it in results} > {check.name for check in CHECKS}
    assert [it.status for it in results if it.check == "resumes-to-the-bit"] == ["passed"]


class Stubborn(Correct):
    def latents(self, n, generator):
        return super().latents(n, generator).view(-1, 7)


def test_an_error_of_a_sampler_shows_what_it_was_given():
    first = perform_all(CHECKS, subject_of(sampler(Stubborn)))[0]
    assert (first.check, first.status) == ("inputs-have-the-declared-shape", "failed")
    assert "it raised RuntimeError: shape '[-1, 7]' is invalid" in first.message
    assert "for n 5" in first.message


def test_every_check_of_samplers_has_a_wrong_one():
    assert {check for _, _, check in WRONG_SAMPLERS} == {check.name for check in CHECKS}
