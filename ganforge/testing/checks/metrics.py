"""Checks of metrics: finite numbers by name, the same each time, whatever the generator gives."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal, cast

import torch
from torch import Tensor

from ganforge.contracts import Dataset, Mixture
from ganforge.errors import DataError
from ganforge.plugin.specs import MetricSpec
from ganforge.testing.fixtures.building import build, problems, seeded
from ganforge.testing.framework import Check, CheckFailure, NotApplicable, Subject, check_of

NUM_SAMPLES = 64
NUM_MODES = 4
KEY_PATTERN = re.compile(r"[\w.-]+")

State = Literal["learning", "perfect", "collapsed"]
STATES: tuple[State, ...] = ("learning", "perfect", "collapsed")


class ReferenceEvaluation(Dataset):
    """What a metric sees, and the data set of it, with notes of what was read.

    The generator is in one of three states: its samples are like the real ones, the same, or copies
    of one. Real samples of one or two dimensions are those of a mixture of Gaussians.
    """

    def __init__(
        self, sample_shape: tuple[int, ...], state: State = "learning", *, num_real: int
    ) -> None:
        drawn = torch.Generator().manual_seed(0)
        self._mixture: Mixture | None = None
        shape = (num_real, *sample_shape)
        if len(sample_shape) == 1:
            means = torch.rand(NUM_MODES, *sample_shape, generator=drawn) * 2 - 1
            stds = torch.full((NUM_MODES,), 0.1)
            weights = torch.full((NUM_MODES,), 1 / NUM_MODES)
            self._mixture = Mixture(weights=weights, means=means, stds=stds)
            modes = torch.arange(num_real) % NUM_MODES
            self.real = means[modes] + 0.1 * torch.randn(shape, generator=drawn)
        else:
            self.real = torch.rand(shape, generator=drawn) * 2 - 1
        noise = 0.1 * torch.randn(NUM_SAMPLES, *sample_shape, generator=drawn)
        whole = self.real[torch.arange(NUM_SAMPLES) % num_real]
        self.fake = (whole + noise).clamp(-1, 1)
        if state == "perfect":
            self.fake = whole.clone()
        elif state == "collapsed":
            self.fake = whole[:1].repeat(NUM_SAMPLES, *[1] * len(sample_shape))
        self._reconstruction = self.fake[:num_real].clone()
        self.labels = self.fake_labels = None
        self.dataset = self
        self.reconstruction_was_read = self.mixture_was_read = False

    @property
    def reconstruction(self) -> Tensor:
        self.reconstruction_was_read = True
        return self._reconstruction

    @property
    def mixture(self) -> Mixture | None:  # type: ignore[override]
        self.mixture_was_read = True
        return self._mixture


def _spec(subject: Subject) -> MetricSpec:
    return cast(MetricSpec, subject.spec)


def _evaluations(
    subject: Subject, state: State = "learning", num_real: int = NUM_SAMPLES
) -> Iterator[tuple[Any, ReferenceEvaluation]]:
    """A metric and what it is to measure, for every sample shape."""
    for problem in problems(subject):
        if len(problem.sample_shape) == 1 or not _spec(subject).needs_mixture:
            evaluation = ReferenceEvaluation(problem.sample_shape, state, num_real=num_real)
            yield build(subject, problem), evaluation


def _measure(metric: Any, evaluation: ReferenceEvaluation, seed: int = 0) -> Any:
    """The numbers, taken as a run takes them."""
    try:
        with torch.inference_mode(), seeded(seed):
            return metric.measure(evaluation)
    except DataError as error:
        raise NotApplicable(f"it does without {NUM_SAMPLES} samples ({error})") from error


def numbers_have_names(subject: Subject) -> None:
    for metric, evaluation in _evaluations(subject):
        found = _measure(metric, evaluation)
        named = isinstance(found, Mapping) and bool(found)
        if not named or not all(isinstance(it, str) and KEY_PATTERN.fullmatch(it) for it in found):
            raise CheckFailure(
                "numbers by name, such as {'mean': 0.5}",
                came=repr(found),
                mend="return a dictionary whose keys are words without blanks and slashes",
            )
        wrong = {name: it for name, it in found.items() if type(it) not in (int, float)}
        if wrong:
            raise CheckFailure(
                "plain numbers",
                came=repr(wrong),
                mend="turn tensors into numbers with .item()",
            )


def numbers_are_finite(subject: Subject) -> None:
    for state in STATES:
        for metric, evaluation in _evaluations(subject, state):
            _expect_finite(_measure(metric, evaluation), f"where the generator is {state}")


def _expect_finite(found: Any, where: str) -> None:
    for name, number in found.items() if isinstance(found, Mapping) else ():
        if not torch.as_tensor(number).isfinite().all():
            raise CheckFailure(
                f"finite numbers {where}",
                came=f"{name} = {number}",
                mend="keep small numbers away from divisions and logarithms; a log holds no NaN",
            )


def fewer_real_samples_are_accepted(subject: Subject) -> None:
    if _spec(subject).needs_reconstruction:
        raise NotApplicable("it compares real samples one by one with what is made of them")
    for metric, evaluation in _evaluations(subject, num_real=NUM_SAMPLES * 2 // 3):
        _expect_finite(_measure(metric, evaluation), "with fewer real samples than generated ones")


def same_numbers_twice(subject: Subject) -> None:
    for metric, evaluation in _evaluations(subject):
        first, second = (_measure(metric, evaluation, seed) for seed in (0, 1))
        if first != second:
            raise CheckFailure(
                "the same numbers of the same samples, whatever was drawn before",
                came=f"{first} and {second}",
                mend="draw from a torch.Generator with a seed of its own, and keep no state",
            )


def samples_are_left_unchanged(subject: Subject) -> None:
    for metric, evaluation in _evaluations(subject):
        names = ("real", "fake", "_reconstruction")
        before = {name: getattr(evaluation, name).clone() for name in names}
        _measure(metric, evaluation)
        for name, samples in before.items():
            if not torch.equal(samples, getattr(evaluation, name)):
                raise CheckFailure(
                    "samples that are as they were, for other metrics see them too",
                    came=f"a change of evaluation.{name.strip('_')}",
                    mend="use operations that make a new tensor",
                )


def reconstruction_is_read_as_declared(subject: Subject) -> None:
    declared = _spec(subject).needs_reconstruction
    for metric, evaluation in _evaluations(subject):
        _measure(metric, evaluation)
        if evaluation.reconstruction_was_read != declared:
            raise _undeclared("evaluation.reconstruction", "needs_reconstruction", declared)


def modes_are_read_as_declared(subject: Subject) -> None:
    declared = _spec(subject).needs_mixture
    for metric, evaluation in _evaluations(subject):
        _measure(metric, evaluation)
        if evaluation.mixture_was_read != declared:
            raise _undeclared("evaluation.dataset.mixture", "needs_mixture", declared)


def _undeclared(what: str, option: str, declared: bool) -> CheckFailure:
    return CheckFailure(
        f"{what} {'to be read' if declared else 'not to be read'}, as {option} = {declared} says",
        came="none of it" if declared else "it was",
        mend=f"set {option}={not declared} in the spec",
    )


_check = check_of("metric")


CHECKS: tuple[Check, ...] = (
    _check("numbers-have-names", "a metric gives plain numbers by name", numbers_have_names),
    _check(
        "numbers-are-finite",
        "numbers are finite for a generator that is learning, perfect or collapsed",
        numbers_are_finite,
    ),
    _check(
        "fewer-real-samples-are-accepted",
        "there may be fewer real samples than generated ones",
        fewer_real_samples_are_accepted,
    ),
    _check("same-numbers-twice", "the same samples give the same numbers", same_numbers_twice),
    _check(
        "samples-are-left-unchanged",
        "samples are not changed in their place",
        samples_are_left_unchanged,
    ),
    _check(
        "reconstruction-is-read-as-declared",
        "a metric reads reconstructions if, and only if, it says needs_reconstruction",
        reconstruction_is_read_as_declared,
    ),
    _check(
        "modes-are-read-as-declared",
        "a metric reads the modes of a mixture if, and only if, it says needs_mixture",
        modes_are_read_as_declared,
    ),
)
