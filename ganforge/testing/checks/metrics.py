"""Checks of metrics: finite numbers by name, the same each time, whatever the generator gives."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import torch
from torch import Tensor

from ganforge.contracts import Dataset, Mixture
from ganforge.errors import DataError, listed
from ganforge.plugin.fields import LABEL
from ganforge.plugin.specs import MetricSpec
from ganforge.problem import Problem
from ganforge.testing.fixtures.building import build, seeded, values_of
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

NUM_SAMPLES = 64
NUM_MODES = 4
KEY_PATTERN = re.compile(r"[\w.-]+")

State = Literal["learning", "perfect", "collapsed"]
STATES: tuple[State, ...] = ("learning", "perfect", "collapsed")


#: what of an evaluation tells the labels
LABELS = frozenset({"labels", "fake_labels", "conditions", "fake_conditions"})
#: what every evaluation has; what else is read must be declared
USUAL = LABELS | {"real", "fake", "dataset", "classes", "fields", "fit"}


class ReferenceEvaluation(Dataset):
    """Evaluation that a metric sees, and its data set in one; `read` notes what was read.

    The generator is in one of three states: its samples are like the real ones, the same, or copies
    of one. Real vectors are those of a mixture of Gaussians. What a metric reads of other games and
    data sets is like the samples.
    """

    def __init__(self, problem: Problem, state: State = "learning", *, num_real: int) -> None:
        drawn = torch.Generator().manual_seed(0)
        self.read: set[str] = set()
        self.mixture: Mixture | None = None
        sample_shape = problem.sample_shape
        shape = (num_real, *sample_shape)
        if problem.sample.kind == "vector":
            means = torch.rand(NUM_MODES, *sample_shape, generator=drawn) * 2 - 1
            stds = torch.full((NUM_MODES,), 0.1)
            weights = torch.full((NUM_MODES,), 1 / NUM_MODES)
            self.mixture = Mixture(weights=weights, means=means, stds=stds)
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
        self.reconstruction = self.fake[:num_real].clone()
        self.conditions, self.fake_conditions = (
            {name: values_of(field, num) for name, field in problem.conditions.items()}
            for num in (num_real, NUM_SAMPLES)
        )
        self.labels, self.fake_labels = (
            it.get(LABEL) for it in (self.conditions, self.fake_conditions)
        )
        self.dataset = self

    def __getattribute__(self, name: str) -> Any:
        if not name.startswith("_") and name != "read":
            self.read.add(name)
        return super().__getattribute__(name)

    def __getattr__(self, name: str) -> Tensor:
        if name.startswith("_") or name == "read":
            raise AttributeError(name)
        return self.reconstruction


def _evaluations(
    subject: Subject[MetricSpec], state: State = "learning", num_real: int = NUM_SAMPLES
) -> Iterator[tuple[Any, ReferenceEvaluation]]:
    """A metric and what it is to measure, for every sample shape."""
    for problem in problems(subject):
        if problem.sample.kind == "vector" or "mixture" not in subject.spec.reads:
            yield build(subject, problem), ReferenceEvaluation(problem, state, num_real=num_real)


def _measure(metric: Any, evaluation: ReferenceEvaluation, seed: int = 0) -> Any:
    """The numbers, taken as a run takes them."""
    try:
        with torch.inference_mode(), seeded(seed):
            return metric.measure(evaluation)
    except DataError as error:
        raise NotApplicable(f"it does without {NUM_SAMPLES} samples ({error})") from error


def numbers_have_names(subject: Subject[MetricSpec]) -> None:
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


def numbers_are_finite(subject: Subject[MetricSpec]) -> None:
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


def fewer_real_samples_are_accepted(subject: Subject[MetricSpec]) -> None:
    if "reconstruction" in subject.spec.reads:
        raise NotApplicable("it compares real samples one by one with what is made of them")
    for metric, evaluation in _evaluations(subject, num_real=NUM_SAMPLES * 2 // 3):
        _expect_finite(_measure(metric, evaluation), "with fewer real samples than generated ones")


def same_numbers_twice(subject: Subject[MetricSpec]) -> None:
    for metric, evaluation in _evaluations(subject):
        first, second = (_measure(metric, evaluation, seed) for seed in (0, 1))
        if first != second:
            raise CheckFailure(
                "the same numbers of the same samples, whatever was drawn before",
                came=f"{first} and {second}",
                mend="draw from a torch.Generator with a seed of its own, and keep no state",
            )


def samples_are_left_unchanged(subject: Subject[MetricSpec]) -> None:
    for metric, evaluation in _evaluations(subject):
        names = ("real", "fake", "reconstruction")
        before = {name: getattr(evaluation, name).clone() for name in names}
        _measure(metric, evaluation)
        for name, samples in before.items():
            if not torch.equal(samples, getattr(evaluation, name)):
                raise CheckFailure(
                    "samples that are as they were, for other metrics see them too",
                    came=f"a change of evaluation.{name}",
                    mend="use operations that make a new tensor",
                )


def reads_are_as_declared(subject: Subject[MetricSpec]) -> None:
    declared = subject.spec.reads
    for metric, evaluation in _evaluations(subject):
        evaluation.read.clear()
        _measure(metric, evaluation)
        read = evaluation.read | ({"labels"} if evaluation.read & LABELS else set())
        undeclared = sorted(read - USUAL - {*declared})
        unread = [name for name in declared if name not in read]
        if undeclared or unread:
            raise CheckFailure(
                f"reads={declared!r}, as the spec says",
                came=f"a metric that reads {listed(undeclared)} too"
                if undeclared
                else f"a metric that does not read {listed(unread)}",
                mend="name in `reads` exactly what it reads: a run is told by it what it cannot "
                "do without",
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
        "reads-are-as-declared",
        "a metric reads what its spec names in `reads`, and nothing else that a run may lack",
        reads_are_as_declared,
    ),
)
