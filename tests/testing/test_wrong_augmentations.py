"""Augmentations that are wrong in one way each, and fail the check of that way alone."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch
from torch import nn

from ganforge import Augmentation, AugmentationSpec, ImageShapes, VectorShapes
from ganforge.testing.checks import adapting, augmentations
from ganforge.testing.finding import subject_of
from ganforge.testing.fixtures.waiting import HostNeverWaits
from ganforge.testing.framework import CheckFailure, checks_in, perform_all

CHECKS = [*checks_in(augmentations), *checks_in(adapting)]


class Correct(Augmentation):
    """Noise, whose strength rises while real scores are positive."""

    def __init__(self, problem: Any, options: Any) -> None:
        super().__init__(problem, options)
        self.register_buffer("std", torch.tensor(0.1))

    def forward(self, samples, generator, progress):
        noise = torch.randn(samples.shape, generator=generator, device=samples.device)
        return samples + self.std.to(samples.dtype) * noise.to(samples.dtype)

    def observe(self, observed):
        if observed.real_scores is not None:
            self.std += 0.01 * observed.real_scores.sign().mean()

    def metrics(self):
        return {"std": self.std.clone()}


class Cropping(Correct):
    def forward(self, samples, generator, progress):
        return super().forward(samples, generator, progress)[..., 1:]


class Float32(Correct):
    def forward(self, samples, generator, progress):
        return super().forward(samples, generator, progress).float()


class Standardising(Correct):
    def forward(self, samples, generator, progress):
        axes = tuple(range(1, samples.dim()))
        samples = samples / samples.std(axes, keepdim=True)
        return super().forward(samples, generator, progress)


class Counting(Correct):
    number = 0

    def forward(self, samples, generator, progress):
        self.number += 1
        return super().forward(samples, generator, progress) * self.number


class Global(Correct):
    def forward(self, samples, generator, progress):
        torch.randn(1, device="cpu")
        return super().forward(samples, generator, progress)


class Elsewhere(Correct):
    def forward(self, samples, generator, progress):
        return super().forward(samples, generator, progress) + torch.zeros(1)


class Mixing(Correct):
    def forward(self, samples, generator, progress):
        return super().forward(samples.lerp(samples.roll(1, 0), 0.1), generator, progress)


class OneDraw(Correct):
    def forward(self, samples, generator, progress):
        noise = torch.randn(samples.shape[1:], generator=generator, device=samples.device)
        return samples + self.std.to(samples.dtype) * noise.to(samples.dtype)


class FirstHalf(Correct):
    """Real samples, where both are scored in one batch."""

    def forward(self, samples, generator, progress):
        half = len(samples) // 2
        return torch.cat([super().forward(samples[:half], generator, progress), samples[half:]])


class UpsideDown(Correct):
    """It turns the batch, and not the image."""

    def forward(self, samples, generator, progress):
        return super().forward(samples.flip(0), generator, progress)


class Darkening(Correct):
    def forward(self, samples, generator, progress):
        augmented = super().forward(samples, generator, progress)
        with torch.no_grad():
            samples.mul_(0.5)
        return augmented


class Detached(Correct):
    def forward(self, samples, generator, progress):
        # As if rounded to what a file holds: the second derivative is there, and the first is 0.
        return super().forward(samples.detach() + 0 * samples, generator, progress)


class Clamping(Correct):
    """Where a generator's sample is at the end of the range, half of its gradient is gone."""

    def forward(self, samples, generator, progress):
        return super().forward(samples, generator, progress).clamp(-1, 1)


class Once(Correct):
    def forward(self, samples, generator, progress):
        return Identity.apply(super().forward(samples, generator, progress))


class Identity(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, samples: torch.Tensor) -> torch.Tensor:
        return samples.clone()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
        return gradient


class Asking(Correct):
    def forward(self, samples, generator, progress):
        if self.std > 100:
            return samples
        return super().forward(samples, generator, progress)


class AskingWhenObserving(Correct):
    def observe(self, observed):
        super().observe(observed)
        if self.std.isnan():
            self.std.fill_(0)


class OneScore(Correct):
    def observe(self, observed):
        self.std += 0.01 * observed.real_scores.sign().mean()


class Backwards(Correct):
    """It goes easy on a discriminator that has learnt the samples by heart."""

    def observe(self, observed):
        if observed.real_scores is not None:
            self.std -= 0.008 * observed.real_scores.sign().mean()


class Remembering(Correct):
    number = 0

    def observe(self, observed):
        super().observe(observed)
        self.number += 1
        self.std += 1e-3 * self.number


class Learning(Correct):
    def __init__(self, problem, options):
        super().__init__(problem, options)
        self.scale = nn.Parameter(torch.tensor(1.0))

    def forward(self, samples, generator, progress):
        return super().forward(samples, generator, progress) * self.scale.detach().to(samples)


class Alias(Correct):
    def metrics(self):
        return {"std": self.std}


class Vector(Correct):
    def metrics(self):
        return {"std": self.std.repeat(3)}


def augmentation(built: type) -> AugmentationSpec:
    target = f"{__name__}:{built.__name__}"
    return AugmentationSpec(
        name="wrong",
        summary="An augmentation",
        build=target,
        shapes=(ImageShapes(minimum=4), VectorShapes()),
    )


WRONG_AUGMENTATIONS = [
    (Cropping, "shape-and-dtype-stay"),
    (Float32, "shape-and-dtype-stay"),
    (Standardising, "numbers-are-finite"),
    (Counting, "same-seed-gives-the-same-samples"),
    (Global, "given-generator-alone-is-used"),
    (Elsewhere, "tensors-lie-on-the-device-of-the-samples"),
    (Mixing, "each-sample-is-augmented-by-itself"),
    (UpsideDown, "each-sample-is-augmented-by-itself"),
    (OneDraw, "each-sample-has-its-own-draw"),
    (FirstHalf, "each-sample-has-its-own-draw"),
    (Darkening, "samples-are-left-unchanged"),
    (Detached, "gradient-reaches-the-samples"),
    (Clamping, "gradient-reaches-the-samples"),
    (Once, "it-can-be-differentiated-twice"),
    (Asking, "host-does-not-wait"),
    (AskingWhenObserving, "host-does-not-wait"),
    (OneScore, "any-scores-can-be-observed"),
    (Backwards, "strength-rises-with-the-scores"),
    (Remembering, "state-is-in-buffers"),
    (Learning, "it-has-no-parameters"),
    (Alias, "metrics-are-scalars"),
    (Vector, "metrics-are-scalars"),
]


@pytest.mark.parametrize(
    ("built", "check"),
    WRONG_AUGMENTATIONS,
    ids=[f"{it.__name__}-{check}" for it, check in WRONG_AUGMENTATIONS],
)
def test_a_wrong_augmentation_fails_its_own_check_and_no_other(built, check):
    results = perform_all(CHECKS, subject_of(augmentation(built)))
    assert [(it.check, it.message) for it in results if it.failed and it.check != check] == []
    assert [it.check for it in results if it.failed] == [check]


def test_a_correct_augmentation_fails_none():
    results = perform_all(CHECKS, subject_of(augmentation(Correct)))
    assert [(it.check, it.message) for it in results if it.status != "passed"] == []
    assert len(results) == len(CHECKS)


class Stubborn(Correct):
    def forward(self, samples, generator, progress):
        return super().forward(samples.view(-1, 7, 1), generator, progress)


def test_an_error_of_an_augmentation_shows_what_it_was_given():
    first = perform_all(CHECKS, subject_of(augmentation(Stubborn)))[0]
    assert (first.check, first.status) == ("shape-and-dtype-stay", "failed")
    assert "it raised RuntimeError: shape '[-1, 7, 1]' is invalid" in first.message
    assert "for samples [5, 3, 11, 11]" in first.message


def test_one_that_says_so_need_not_be_differentiated_twice():
    spec = dataclasses.replace(augmentation(Once), double_backward=False)
    results = perform_all(CHECKS, subject_of(spec))
    skipped = [(it.check, it.message) for it in results if it.status != "passed"]
    assert skipped == [("it-can-be-differentiated-twice", "it declares that it cannot be")]


def test_every_check_of_augmentations_has_a_wrong_one():
    wrong = {check for _, check in WRONG_AUGMENTATIONS}
    assert wrong == {check.name for check in CHECKS}


@pytest.mark.parametrize(
    ("waiting", "came"),
    [
        (lambda it: it.sum().item(), "a number is read"),
        (lambda it: bool(it.any()), "a number is read"),
        (lambda it: it[it > 0], "entries are selected by a mask"),
        (lambda it: it + torch.tensor([1.0]), "numbers are copied from Python"),
        (lambda it: torch.equal(it, it), "two tensors are compared"),
        (lambda it: it.nonzero(), "which entries are not 0"),
    ],
)
def test_the_watch_sees_what_the_host_waits_for(waiting, came):
    with HostNeverWaits("it is tested"), pytest.raises(CheckFailure, match=came):
        waiting(torch.arange(3.0))


def test_the_watch_lets_the_rest_pass():
    numbers = torch.arange(3.0)
    with HostNeverWaits("it is tested"):
        answer = torch.where(numbers > 1, numbers.index_select(0, 2 - numbers.long()), 5.0)
    assert answer.tolist() == [5, 5, 0]
