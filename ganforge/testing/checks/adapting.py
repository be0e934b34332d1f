"""Checks of how an augmentation adapts: state, scores, metrics, and a host that does not wait."""

from __future__ import annotations

import torch

from ganforge.contracts import Augmentation
from ganforge.plugin.specs import AugmentationSpec
from ganforge.testing.fixtures.augmenting import (
    BATCH,
    MIDDLE,
    UPDATES,
    augment,
    built,
    changes,
    observe,
    samples_of,
)
from ganforge.testing.fixtures.building import build
from ganforge.testing.fixtures.conduct import require_state_in_buffers
from ganforge.testing.fixtures.problems import problems
from ganforge.testing.fixtures.waiting import HostNeverWaits
from ganforge.testing.fixtures.watching import global_generators_untouched
from ganforge.testing.framework import NotApplicable, Subject, check, require

SURE = 2.0  # scores of real samples of a discriminator that tells them from fake ones
NUM_SEEDS = 16
MARGIN = 0.9  # by which the strengths of two states must differ


@check(
    "the global random state plays no part",
    AugmentationSpec,
    fix="pass generator= to every random function",
)
def given_generator_alone_is_used(subject: Subject[AugmentationSpec]) -> None:
    for augmentation, samples in built(subject):
        with global_generators_untouched("samples are augmented"):
            augment(augmentation, samples)
            observe(augmentation, torch.full((BATCH,), SURE))


@check(
    "neither forward() nor observe() reads a number from the device",
    AugmentationSpec,
    fix="decide on the device, with torch.where, and keep numbers in buffers",
)
def host_does_not_wait(subject: Subject[AugmentationSpec]) -> None:
    for augmentation, samples in built(subject):
        scores, generator = torch.ones(BATCH), torch.Generator().manual_seed(0)
        with HostNeverWaits("samples are augmented"):
            augmentation(samples, generator, MIDDLE)
        with HostNeverWaits("an update is observed"):
            observe(augmentation, scores)


@check(
    "observe() takes scores of patches, and updates without scores",
    AugmentationSpec,
    fix="take the mean over all scores, and leave out an update that has none",
)
def any_scores_can_be_observed(subject: Subject[AugmentationSpec]) -> None:
    for augmentation, samples in built(subject):
        observe(augmentation, torch.full((BATCH, 3, 3), -SURE))
        observe(augmentation, None)
        finite = augment(augmentation, samples).isfinite().all()
        require(bool(finite), "samples after it that are not finite")


@check(
    "all that observe() changes is saved and resumed",
    AugmentationSpec,
    fix="keep what observe() changes in buffers (register_buffer), counts too",
)
def state_is_in_buffers(subject: Subject[AugmentationSpec]) -> None:
    problem = problems(subject)[0]
    require_state_in_buffers(
        lambda: build(subject, problem),
        lambda it: observe(it, torch.full((BATCH,), SURE)),
        lambda it: [augment(it, samples_of(problem)), it.metrics()],
    )


@check(
    "what adapts to the discriminator is stronger where scores of real samples are high",
    AugmentationSpec,
    fix="turn the sign: a discriminator that is sure of real samples has learnt them by heart",
)
def strength_rises_with_the_scores(subject: Subject[AugmentationSpec]) -> None:
    if type(build(subject, problems(subject)[0])).observe is Augmentation.observe:
        raise NotApplicable("it observes nothing")
    strengths = []
    for level in (-SURE, SURE):
        augmentation, samples = next(built(subject, level))
        found = changes(augmentation, samples, NUM_SEEDS)
        strengths.append(torch.stack(found).abs().mean().item())
    weak, strong = strengths
    require(
        strong >= MARGIN * weak, f"changes of {strong:.3g} after high and {weak:.3g} after low ones"
    )


@check(
    "metrics are scalars that keep their value, for they wait on the device for the log",
    AugmentationSpec,
    fix="return copies (clone) of buffers, and the mean of what has many numbers",
)
def metrics_are_scalars(subject: Subject[AugmentationSpec]) -> None:
    for augmentation, _ in built(subject):
        metrics = augmentation.metrics()
        kept = {name: value.clone() for name, value in metrics.items()}
        observe(augmentation, torch.full((BATCH,), -SURE), UPDATES)
        for name, value in metrics.items():
            sound = isinstance(name, str) and not value.dim() and value.is_floating_point()
            require(sound, f"{name!r}: {value.dtype} {list(value.shape)}")
            require(torch.equal(value, kept[name]), f"{name!r}, which changes with the state")
