"""Checks of augmentations: the same shape, each sample by itself, and gradients through it."""

from __future__ import annotations

import torch

from ganforge.plugin.specs import AugmentationSpec
from ganforge.testing.checks.adapting import CHECKS as ADAPTING
from ganforge.testing.fixtures.augmenting import (
    BATCH,
    MIDDLE,
    START,
    adapted,
    augment,
    built,
    samples_of,
)
from ganforge.testing.fixtures.problems import problems
from ganforge.testing.framework import (
    Check,
    NotApplicable,
    Subject,
    check_of,
)
from ganforge.testing.framework import (
    OldFailure as CheckFailure,
)

CHANGED = 1  # a sample that others must not depend on


def shape_and_dtype_stay(subject: Subject[AugmentationSpec]) -> None:
    for augmentation, samples in built(subject):
        for progress in (START, MIDDLE):
            for some in (samples, samples[:1], samples.double()):
                augmented = augment(augmentation, some, progress=progress)
                if augmented.shape == some.shape and augmented.dtype == some.dtype:
                    continue
                raise CheckFailure(
                    f"{some.dtype} {list(some.shape)}, as the samples are",
                    came=f"{augmented.dtype} {list(augmented.shape)}",
                    mend="keep the shape, and make random numbers of the type of the samples",
                )


def numbers_are_finite(subject: Subject[AugmentationSpec]) -> None:
    for augmentation, samples in built(subject):
        for extreme in (samples, samples.sign(), torch.zeros_like(samples)):
            if not augment(augmentation, extreme).isfinite().all():
                raise CheckFailure(
                    "finite numbers of samples in [-1, 1]",
                    came="some that are not",
                    mend="divide by nothing that is 0 for a plain sample",
                )


def same_seed_gives_the_same(subject: Subject[AugmentationSpec]) -> None:
    for augmentation, samples in built(subject):
        first, again = (augment(augmentation, samples) for _ in range(2))
        if not torch.equal(first, again):
            raise CheckFailure(
                "the same samples under the same seed, whatever was augmented before",
                came="others",
                mend="draw from the generator that is given, and change state in observe() alone",
            )


def tensors_lie_on_the_device_of_the_samples(subject: Subject[AugmentationSpec]) -> None:
    for augmentation, samples in built(subject):
        generator = torch.Generator().manual_seed(0)
        try:
            # Whatever is made without a device now lies on another one than the samples.
            with torch.device("meta"):
                where = augmentation(samples.clone(), generator, MIDDLE).device.type
            came = f"some that lie on {where}"
        except (RuntimeError, NotImplementedError, ValueError) as error:
            where, came = "", f"an error ({error})"
        if where != "cpu":
            raise CheckFailure(
                "tensors on the device of the samples",
                came=came,
                mend="give every tensor that is made a device= or register it as a buffer",
            )


def each_sample_is_augmented_by_itself(subject: Subject[AugmentationSpec]) -> None:
    for problem in problems(subject):
        samples = samples_of(problem)
        changed = samples.clone()
        changed[CHANGED] = -samples[CHANGED].flip(-1)
        one, other = (augment(adapted(subject, problem), it) for it in (samples, changed))
        moved = [i for i in range(BATCH) if not torch.equal(one[i], other[i])]
        if any(i != CHANGED for i in moved):
            raise CheckFailure(
                f"sample {CHANGED} to have an effect on none but itself",
                came=f"{len(moved)} of {BATCH} samples changed with it",
                mend="mix no samples: a gradient penalty takes the gradient of each by itself",
            )


def samples_are_left_unchanged(subject: Subject[AugmentationSpec]) -> None:
    for augmentation, samples in built(subject):
        given = samples.clone()
        augmentation(given, torch.Generator().manual_seed(0), MIDDLE)
        if not torch.equal(given, samples):
            raise CheckFailure(
                "samples that are as they were, for penalties read them too",
                came="others",
                mend="use operations that make a new tensor",
            )


def gradient_reaches_the_samples(subject: Subject[AugmentationSpec]) -> None:
    for augmentation, samples in built(subject):
        given = samples.clone().requires_grad_()
        augmented = augment(augmentation, given)
        gradient = None
        if augmented.requires_grad:
            (gradient,) = torch.autograd.grad(augmented.sum(), given, allow_unused=True)
        if gradient is None or not gradient.any() or not gradient.isfinite().all():
            raise CheckFailure(
                "a finite gradient with respect to the samples, through which a generator learns",
                came="none" if gradient is None else "one that is 0 or not finite",
                mend="use operations that can be differentiated, and do not detach",
            )


def it_can_be_differentiated_twice(subject: Subject[AugmentationSpec]) -> None:
    if not subject.spec.double_backward:
        raise NotApplicable("it declares that it cannot be")
    for augmentation, samples in built(subject):
        given = samples.clone().requires_grad_()
        augmented = augment(augmentation, given)
        # The least that a gradient penalty asks for: a discriminator that is linear.
        weights = torch.ones_like(augmented).requires_grad_()
        score = (weights * augmented).sum()
        try:
            (gradient,) = torch.autograd.grad(score, given, create_graph=True)
            torch.autograd.grad(gradient.square().sum(), weights)
        except RuntimeError as error:
            raise CheckFailure(
                "a gradient that can be differentiated again, as gradient penalties do",
                came=f"an error ({error})",
                mend="use operations with a second derivative, which grid_sample is not, or set "
                "double_backward=False in the spec",
            ) from error


_check = check_of("augmentation")


CHECKS: tuple[Check, ...] = (
    _check(
        "shape-and-dtype-stay",
        "augmented samples have the shape and the dtype of those that are given",
        shape_and_dtype_stay,
    ),
    _check("numbers-are-finite", "samples in [-1, 1] stay finite", numbers_are_finite),
    _check(
        "same-seed-gives-the-same-samples",
        "what is augmented is a function of the samples, the seed and the state",
        same_seed_gives_the_same,
    ),
    _check(
        "tensors-lie-on-the-device-of-the-samples",
        "what is made is made on the device of the samples",
        tensors_lie_on_the_device_of_the_samples,
    ),
    _check(
        "each-sample-is-augmented-by-itself",
        "a sample has no effect on the others of its batch",
        each_sample_is_augmented_by_itself,
    ),
    _check(
        "samples-are-left-unchanged",
        "the samples are not changed in their place",
        samples_are_left_unchanged,
    ),
    _check(
        "gradient-reaches-the-samples",
        "it is differentiable with respect to the samples",
        gradient_reaches_the_samples,
    ),
    _check(
        "it-can-be-differentiated-twice",
        "a gradient penalty can be taken through it",
        it_can_be_differentiated_twice,
    ),
    *ADAPTING,
)
