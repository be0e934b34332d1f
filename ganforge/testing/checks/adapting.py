"""Checks of how an augmentation adapts: state, scores, metrics, and a host that does not wait."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ganforge.plugin.specs import AugmentationSpec
from ganforge.testing.fixtures.augmenting import (
    BATCH,
    MIDDLE,
    UPDATES,
    augment,
    built,
    observe,
    samples_of,
)
from ganforge.testing.fixtures.building import build
from ganforge.testing.fixtures.problems import problems
from ganforge.testing.fixtures.waiting import HostNeverWaits
from ganforge.testing.fixtures.watching import global_generators_untouched
from ganforge.testing.framework import Check, Subject, check_of
from ganforge.testing.framework import OldFailure as CheckFailure


def given_generator_alone_is_used(subject: Subject[AugmentationSpec]) -> None:
    for augmentation, samples in built(subject):
        with global_generators_untouched("samples are augmented"):
            augment(augmentation, samples)
            observe(augmentation, UPDATES)


def host_does_not_wait(subject: Subject[AugmentationSpec]) -> None:
    for augmentation, samples in built(subject):
        given, scores = samples.clone(), torch.ones(BATCH)
        generator = torch.Generator().manual_seed(0)
        with HostNeverWaits("samples are augmented"):
            augmentation(given, generator, MIDDLE)
        with HostNeverWaits("an update is observed"):
            observe(augmentation, UPDATES, scores)


def any_scores_can_be_observed(subject: Subject[AugmentationSpec]) -> None:
    for augmentation, samples in built(subject):
        observe(augmentation, UPDATES, torch.full((BATCH, 3, 3), -2.0))
        observe(augmentation, UPDATES, read=False)
        if not augment(augmentation, samples).isfinite().all():
            raise CheckFailure(
                "finite samples after scores of patches, and after updates without scores",
                came="others",
                mend="take the mean over all scores, and leave out an update that has none",
            )


def state_is_in_buffers(subject: Subject[AugmentationSpec]) -> None:
    problem = problems(subject)[0]
    original, resumed = build(subject, problem), build(subject, problem)
    observe(original, UPDATES)
    resumed.load_state_dict(original.state_dict())
    ends: list[tuple[Tensor, Mapping[str, Any]]] = []
    for augmentation in (original, resumed):
        observe(augmentation, UPDATES)
        ends.append((augment(augmentation, samples_of(problem)), augmentation.metrics()))
    (one, metrics), (other, again) = ends
    same = metrics.keys() == again.keys() and all(
        torch.equal(value, again[name]) for name, value in metrics.items()
    )
    if not same or not torch.equal(one, other):
        raise CheckFailure(
            "a resumed augmentation that goes on as the original does",
            came="another",
            mend="keep what observe() changes in buffers (register_buffer), counts too",
        )


def it_has_no_parameters(subject: Subject[AugmentationSpec]) -> None:
    augmentation = build(subject, problems(subject)[0])
    names = [name for name, _ in augmentation.named_parameters()]
    if names:
        raise CheckFailure(
            "no parameters, for nothing trains them",
            came=", ".join(names),
            mend="register what is constant, or adapts, as a buffer",
        )


def metrics_are_scalars(subject: Subject[AugmentationSpec]) -> None:
    for augmentation, _ in built(subject):
        metrics = augmentation.metrics()
        kept = {name: value.clone() for name, value in metrics.items()}
        observe(augmentation, UPDATES, torch.full((BATCH,), -2.0))
        for name, value in metrics.items():
            if not isinstance(name, str) or value.dim() or not value.is_floating_point():
                raise CheckFailure(
                    "scalars of a floating type, by name",
                    came=f"{name!r}: {value.dtype} {list(value.shape)}",
                    mend="give the mean of what has many numbers",
                )
            if not torch.equal(value, kept[name]):
                raise CheckFailure(
                    f"metrics that keep their value; {name!r} waits on the device for the log",
                    came="one that changes with the state",
                    mend="return copies (clone) of buffers",
                )


_check = check_of("augmentation")


CHECKS: tuple[Check, ...] = (
    _check(
        "given-generator-alone-is-used",
        "the global random state plays no part",
        given_generator_alone_is_used,
    ),
    _check(
        "host-does-not-wait",
        "neither forward() nor observe() reads a number from the device",
        host_does_not_wait,
    ),
    _check(
        "any-scores-can-be-observed",
        "observe() takes scores of patches, and updates without scores",
        any_scores_can_be_observed,
    ),
    _check(
        "state-is-in-buffers",
        "all that observe() changes is saved and resumed",
        state_is_in_buffers,
    ),
    _check("it-has-no-parameters", "it has nothing to be trained", it_has_no_parameters),
    _check(
        "metrics-are-scalars",
        "metrics are scalars that keep their value",
        metrics_are_scalars,
    ),
)
