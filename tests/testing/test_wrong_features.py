"""Feature extractors that are wrong in one way each, and fail the check of that way alone."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from ganforge import Extracted, FeatureExtractor, FeaturesSpec, ImageShapes, VectorShapes
from ganforge.testing.checks import features
from ganforge.testing.finding import subject_of
from ganforge.testing.framework import checks_in, perform_all

CHECKS = [*checks_in(features)]


class Correct(FeatureExtractor):
    """A layer that learns the means of classes, and scores classes by their distances."""

    convention = "one layer"

    def __init__(self, problem: Any, options: Any) -> None:
        super().__init__(problem, options)
        size = torch.Size(problem.sample_shape).numel()
        self.layer = nn.Linear(size, 5)
        self.register_buffer("means", torch.zeros(problem.num_classes, 5))

    def look(self, samples):
        return self.layer(samples.flatten(1))

    def extract(self, samples):
        found = self.look(samples)
        distances = (found[:, None] - self.means).square().sum(2)
        return Extracted(found + self.means.sum(), -distances)

    def fit(self, samples, labels, generator):
        with torch.no_grad():
            self.layer.weight.add_(0.1 * torch.randn(self.layer.weight.shape, generator=generator))
            found = self.look(samples)
            for number in range(len(self.means)):
                chosen = found[labels == number]
                self.means[number] = chosen.mean(0) if len(chosen) else 0
        self.facts = {"samples": len(samples)}


class Maps(Correct):
    def extract(self, samples):
        found = super().extract(samples)
        return Extracted(found.features.unsqueeze(2), found.logits)


class NoLogits(Correct):
    def extract(self, samples):
        return Extracted(super().extract(samples).features)


class Plain(Correct):
    def extract(self, samples):
        return super().extract(samples).features


class OtherClasses(Correct):
    def extract(self, samples):
        found = super().extract(samples)
        return Extracted(found.features, torch.cat([found.logits, found.logits], 1))


class Standardised(Correct):
    def look(self, samples):
        return super().look(samples - samples.mean(0))


class Noisy(Correct):
    """Drawn from the global generator."""

    def extract(self, samples):
        found = super().extract(samples)
        noise = 1e-6 * torch.randn(1, device="cpu").to(samples)
        return Extracted(found.features + noise, found.logits)


class Unseeded(Correct):
    number = 0

    def __init__(self, problem, options):
        super().__init__(problem, options)
        type(self).number += 1
        self.register_buffer("offset", torch.tensor(float(self.number)))

    def look(self, samples):
        return super().look(samples) + self.offset


class Nameless(Correct):
    def fingerprint(self):
        return "one layer"


class TwoLines(Correct):
    def fingerprint(self):
        return super().fingerprint() + "\n"


class Blind(Correct):
    def look(self, samples):
        return super().look(torch.zeros_like(samples))


class Changing(Correct):
    def look(self, samples):
        found = super().look(samples)
        samples.mul_(0.5)
        return found


class Elsewhere(Correct):
    def look(self, samples):
        return super().look(samples) + torch.zeros(5)


class Forgetful(Correct):
    """What it learns is an attribute, which no file holds."""

    scale = 1.0

    def fit(self, samples, labels, generator):
        super().fit(samples, labels, generator)
        self.scale = 2.0 + float(labels.float().mean())

    def look(self, samples):
        return super().look(samples) * self.scale


class Counted(Correct):
    def fit(self, samples, labels, generator):
        super().fit(samples, labels, generator)
        self.facts = {"samples": torch.tensor(len(samples))}


def spec_of(built: type) -> FeaturesSpec:
    return FeaturesSpec(
        name="wrong",
        summary="A feature extractor",
        build=f"{__name__}:{built.__name__}",
        shapes=(ImageShapes(minimum=4), VectorShapes()),
        logits=True,
        needs_labels=True,
    )


WRONG_FEATURES = [
    (Maps, "features-are-rows"),
    (NoLogits, "features-are-rows"),
    (Plain, "features-are-rows"),
    (OtherClasses, "logits-are-of-the-classes"),
    (Standardised, "each-sample-by-itself"),
    (Noisy, "same-features-twice"),
    (Unseeded, "built-again-it-is-the-same"),
    (Nameless, "fingerprint-follows-the-weights"),
    (TwoLines, "fingerprint-follows-the-weights"),
    (Blind, "features-follow-the-samples"),
    (Changing, "samples-are-left-unchanged"),
    (Elsewhere, "tensors-lie-on-the-device-of-the-samples"),
    (Forgetful, "what-is-learnt-is-kept"),
    (Counted, "facts-are-plain"),
]


@pytest.mark.parametrize(
    ("built", "check"),
    WRONG_FEATURES,
    ids=[f"{it.__name__}-{check}" for it, check in WRONG_FEATURES],
)
def test_a_wrong_extractor_fails_its_own_check_and_no_other(built, check):
    results = perform_all(CHECKS, subject_of(spec_of(built)))
    assert [(it.check, it.message) for it in results if it.failed and it.check != check] == []
    assert [it.check for it in results if it.failed] == [check]


def test_a_correct_extractor_fails_none():
    results = perform_all(CHECKS, subject_of(spec_of(Correct)))
    assert [(it.check, it.message) for it in results if it.status != "passed"] == []
    assert len(results) == len(CHECKS)


def test_every_check_of_extractors_has_a_wrong_one():
    assert {check for _, check in WRONG_FEATURES} == {check.name for check in CHECKS}
