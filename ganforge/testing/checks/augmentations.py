"""Checks of augmentations: the same shape, each sample by itself, and gradients through it."""

from __future__ import annotations

import torch
from torch import Tensor

from ganforge.plugin.specs import AugmentationSpec
from ganforge.testing.fixtures.augmenting import BATCH, MIDDLE, START, augment, built, changes
from ganforge.testing.fixtures.building import weighted
from ganforge.testing.fixtures.conduct import (
    left_unchanged,
    own_draws,
    require_same,
    require_the_given_device,
)
from ganforge.testing.framework import CheckFailure, NotApplicable, Subject, check, require

CHANGED = 1  # a sample that others must not depend on
NUM_DRAWS = 64  # in which whatever is rare happens to every sample
GREY = 0.01  # what samples are multiplied by to lie far from the ends of their range
SPARED = 0.1  # share of numbers whose gradient may depend on their place in the range


@check(
    "augmented samples have the shape and the dtype of those that are given",
    AugmentationSpec,
    fix="keep the shape, and make random numbers of the type of the samples",
)
def shape_and_dtype_stay(subject: Subject[AugmentationSpec]) -> None:
    for augmentation, samples in built(subject):
        for progress in (START, MIDDLE):
            for some in (samples, samples[:1], samples.double()):
                augmented = augment(augmentation, some, progress)
                require(
                    augmented.shape == some.shape and augmented.dtype == some.dtype,
                    f"{augmented.dtype} {list(augmented.shape)}",
                    expected=f"{some.dtype} {list(some.shape)}, as the samples are",
                )


@check(
    "samples in [-1, 1] stay finite",
    AugmentationSpec,
    fix="divide by nothing that is 0 for a plain sample",
)
def numbers_are_finite(subject: Subject[AugmentationSpec]) -> None:
    for augmentation, samples in built(subject):
        for extreme in (samples, samples.sign(), torch.zeros_like(samples)):
            finite = augment(augmentation, extreme).isfinite().all()
            require(bool(finite), f"some that are not, of samples {list(samples.shape)}")


@check(
    "what is augmented is a function of the samples, the seed and the state",
    AugmentationSpec,
    fix="draw from the generator that is given, and change state in observe() alone",
)
def same_seed_gives_the_same_samples(subject: Subject[AugmentationSpec]) -> None:
    for augmentation, samples in built(subject):
        require_same(augment(augmentation, samples) for _ in range(2))


@check(
    "what is made is made on the device of the samples",
    AugmentationSpec,
    fix="give every tensor that is made a device= or register it as a buffer",
)
def tensors_lie_on_the_device_of_the_samples(subject: Subject[AugmentationSpec]) -> None:
    for augmentation, samples in built(subject):
        generator = torch.Generator().manual_seed(0)
        require_the_given_device(lambda: augmentation(samples, generator, MIDDLE))  # noqa: B023


@check(
    "a sample has no effect on the others of its batch",
    AugmentationSpec,
    fix="mix no samples: a gradient penalty takes the gradient of each by itself",
)
def each_sample_is_augmented_by_itself(subject: Subject[AugmentationSpec]) -> None:
    for (first, samples), (second, changed) in zip(built(subject), built(subject), strict=True):
        changed[CHANGED] = -samples[CHANGED].flip(-1)
        one, other = augment(first, samples), augment(second, changed)
        moved = [i for i in range(BATCH) if not torch.equal(one[i], other[i])]
        require(
            {*moved} <= {CHANGED}, f"{len(moved)} of {BATCH} samples changed with number {CHANGED}"
        )


@check(
    "every sample of a batch is augmented, by draws of its own",
    AugmentationSpec,
    fix="draw random numbers for each sample: [B, ...] of them",
)
def each_sample_has_its_own_draw(subject: Subject[AugmentationSpec]) -> None:
    augmentation, samples = next(built(subject))
    alike = samples[:1].repeat(BATCH, *[1] * (samples.dim() - 1))
    draws = changes(augmentation, alike, NUM_DRAWS)
    require(own_draws(draws), "one draw for all of them")
    altered = torch.stack([it.flatten(1).any(1) for it in draws]).any(0)
    spared = [i for i in range(BATCH) if not altered[i]]
    require(len(spared) in (0, BATCH), f"{len(spared)} of {BATCH} left alone in {NUM_DRAWS} draws")


@check(
    "the samples are not changed in their place",
    AugmentationSpec,
    fix="use operations that make a new tensor",
)
def samples_are_left_unchanged(subject: Subject[AugmentationSpec]) -> None:
    for augmentation, samples in built(subject):
        with left_unchanged(samples=samples):
            augmentation(samples, torch.Generator().manual_seed(0), MIDDLE)


@check(
    "it is differentiable with respect to the samples, through which a generator learns",
    AugmentationSpec,
    fix="use operations that can be differentiated, do not detach, and clamp nothing: what is "
    "clamped has no gradient",
)
def gradient_reaches_the_samples(subject: Subject[AugmentationSpec]) -> None:
    for augmentation, samples in built(subject):

        def gradient_at(points: Tensor) -> Tensor:
            given = points.clone().requires_grad_()
            augmented = augment(augmentation, given)  # noqa: B023
            if not augmented.requires_grad:
                raise CheckFailure("none")
            (gradient,) = torch.autograd.grad(weighted(augmented), given, allow_unused=True)
            alive = gradient is not None and gradient.any() and gradient.isfinite().all()
            require(bool(alive), "none" if gradient is None else "one that is 0 or not finite")
            return gradient

        ends = samples.sign() * (1 - GREY * samples.abs())
        # What a draw cuts away it cuts away of every sample; what is clamped depends on the sample.
        inside, extreme = gradient_at(GREY * samples), gradient_at(ends)
        lost = ((inside != 0) & (extreme == 0)).double().mean().item()
        require(lost <= SPARED, f"none for {lost:.0%} of the numbers of samples near -1 and 1")


@check(
    "a gradient penalty can be taken through it",
    AugmentationSpec,
    fix="use operations with a second derivative, which grid_sample is not, or set "
    "double_backward=False in the spec",
)
def it_can_be_differentiated_twice(subject: Subject[AugmentationSpec]) -> None:
    if not subject.spec.double_backward:
        raise NotApplicable("it declares that it cannot be")
    for augmentation, samples in built(subject):
        given = samples.clone().requires_grad_()
        augmented = augment(augmentation, given)
        # The least that a gradient penalty asks for: a discriminator that is linear.
        weights = torch.ones_like(augmented).requires_grad_()
        try:
            (gradient,) = torch.autograd.grad((weights * augmented).sum(), given, create_graph=True)
            torch.autograd.grad(gradient.square().sum(), weights)
        except RuntimeError as error:
            raise CheckFailure(f"an error ({error})") from error


@check("it has nothing to be trained", AugmentationSpec, fix="register constants as buffers")
def it_has_no_parameters(subject: Subject[AugmentationSpec]) -> None:
    augmentation, _ = next(built(subject))
    names = [name for name, _ in augmentation.named_parameters()]
    require(not names, ", ".join(names))
