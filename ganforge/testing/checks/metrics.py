"""Checks of metrics: finite numbers by name, the same each time, whatever the generator gives."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

from ganforge.errors import DataError, GanforgeError, listed
from ganforge.plugin.specs import MetricSpec
from ganforge.printable import described
from ganforge.testing.fixtures.building import build, seeded
from ganforge.testing.fixtures.cases import Case, builds
from ganforge.testing.fixtures.evaluations import NUM_SAMPLES, STATES, ReferenceEvaluation, State
from ganforge.testing.fixtures.watching import global_generators_untouched
from ganforge.testing.framework import CheckFailure, NotApplicable, Subject, check, require

NUM_ORDERS = 6
KEY_PATTERN = re.compile(r"[\w.-]+")
#: what of an evaluation tells the labels
LABELS = frozenset({"labels", "fake_labels", "label"})
#: what every evaluation has; what else is read must be declared
USUAL = LABELS | {"real", "fake", "dataset", "classes", "fields", "fit"}
GENERATED = frozenset({"fake", "reconstruction"})
NOBODY = nullcontext()  # watches
SAME = 1e-4  # of sums that are made in another order


@check(
    "a metric gives plain numbers by name, such as {'mean': 0.5}",
    MetricSpec,
    fix="return a dictionary whose keys are words without blanks and slashes, and turn tensors "
    "into numbers with .item()",
)
def numbers_have_names(subject: Subject[MetricSpec]) -> None:
    for metric, case in _metrics(subject):
        found = _measure(metric, _evaluation(subject, case))
        named = isinstance(found, Mapping) and bool(found)
        good = named and all(
            isinstance(name, str) and KEY_PATTERN.fullmatch(name) and type(it) in (int, float)
            for name, it in found.items()
        )
        require(good, repr(found))


@check(
    "numbers are finite for a generator that is learning, perfect or collapsed",
    MetricSpec,
    fix="keep small numbers away from divisions and logarithms; a log holds no NaN",
)
def numbers_are_finite(subject: Subject[MetricSpec]) -> None:
    for metric, case in _metrics(subject):
        for state in STATES:
            numbers = _numbers(metric, _evaluation(subject, case, state))
            _expect_finite(numbers, f"where the generator is {state}")


@check(
    "there may be fewer real samples than generated ones",
    MetricSpec,
    fix="take the number of each from its tensor, and do not pair them",
)
def fewer_real_samples_are_accepted(subject: Subject[MetricSpec]) -> None:
    if "reconstruction" in subject.spec.reads:
        raise NotApplicable("it compares real samples one by one with what is made of them")
    num_real = NUM_SAMPLES * 2 // 3
    for metric, case in _metrics(subject):
        evaluation = _evaluation(subject, case, num_real=num_real)
        _expect_finite(_numbers(metric, evaluation), f"for {num_real} real samples")


@check(
    "the same samples give the same numbers, whatever was drawn or measured before, and the global "
    "random states stay as they were",
    MetricSpec,
    fix="draw from a torch.Generator with a seed of its own, and keep from one call to the next "
    "only what was computed of real samples",
)
def same_numbers_twice(subject: Subject[MetricSpec]) -> None:
    for metric, case in _metrics(subject):
        first = _measure(metric, _evaluation(subject, case))
        _measure(metric, _evaluation(subject, case, "collapsed"))
        again = _measure(metric, _evaluation(subject, case), seed=1)
        require(first == again, f"{first} and {again}, with another generator between them")
        new = _measure(build(subject, case.problem), _evaluation(subject, case, "collapsed"))
        watch = global_generators_untouched("a metric measures")
        later = _measure(metric, _evaluation(subject, case, "collapsed"), watch=watch)
        require(new == later, f"{later} after another generator, and {new} at first")


@check(
    "the order of the generated samples does not count",
    MetricSpec,
    fix="compare distributions: sample i of the generator does not belong to real sample i",
)
def order_of_samples_does_not_count(subject: Subject[MetricSpec]) -> None:
    if "reconstruction" in subject.spec.reads:
        raise NotApplicable("it compares real samples one by one with what is made of them")
    for metric, case in _metrics(subject):
        before = _numbers(metric, _evaluation(subject, case, "perfect"))
        evaluations = [_evaluation(subject, case, "perfect") for _ in range(NUM_ORDERS)]
        for seed, evaluation in enumerate(evaluations):
            evaluation.reorder(seed)
        others = [_numbers(metric, it) for it in evaluations]
        for name, number in before.items():
            values = [it[name] for it in others if name in it]
            # A score of some of the samples is as likely to be anywhere among them.
            width = 2 * (max(values) - min(values)) + SAME * (1 + abs(number))
            got = f"{name} = {number:g}, and {min(values):g} to {max(values):g} in other orders"
            require(min(values) - width <= number <= max(values) + width, got)


@check(
    "samples are not changed in their place, for other metrics see them too",
    MetricSpec,
    fix="use operations that make a new tensor",
)
def samples_are_left_unchanged(subject: Subject[MetricSpec]) -> None:
    for metric, case in _metrics(subject):
        evaluation = _evaluation(subject, case)
        tensors = {name: it for name, it in vars(evaluation.values).items() if torch.is_tensor(it)}
        before = copy.deepcopy(tensors)
        _measure(metric, evaluation)
        for name, values in tensors.items():
            require(torch.equal(before[name], values), f"a change of evaluation.{name}")


@check(
    "a metric reads what was generated, what its spec names in `reads`, and nothing else that a "
    "run may lack",
    MetricSpec,
    fix="name in `reads` exactly what it reads: a run is told by it what it cannot do without",
)
def reads_are_as_declared(subject: Subject[MetricSpec]) -> None:
    declared = subject.spec.reads
    for metric, case in _metrics(subject):
        evaluation = _evaluation(subject, case)
        _measure(metric, evaluation)
        read = evaluation.read | ({"labels"} if evaluation.read & LABELS else set())
        if "logits" in read and "class_logits" in declared:
            read = (read - {"logits"}) | {"class_logits"}
        undeclared = sorted(read - USUAL - {*declared})
        unread = [name for name in declared if name not in read]
        says = f"reads={declared!r}"
        require(not undeclared, f"{says}, and a metric that reads {listed(undeclared)} too")
        require(not unread, f"{says}, and a metric that does not read {listed(unread)}")
        require(bool(read & GENERATED), "a metric that looks at nothing that was generated")


def _metrics(subject: Subject[MetricSpec]) -> Iterator[tuple[Any, Case]]:
    """The metric for each case that it can be built for; modes are those of vectors alone."""
    for metric, case in builds(subject):
        modes = case.dataset is None and "mixture" in subject.spec.reads
        if not modes or case.problem.sample.kind == "vector":
            yield metric, case


def _evaluation(
    subject: Subject[MetricSpec],
    case: Case,
    state: State = "learning",
    *,
    num_real: int = NUM_SAMPLES,
) -> ReferenceEvaluation:
    return ReferenceEvaluation(case, subject.spec.reads, state, num_real)


def _measure(
    metric: Any,
    evaluation: ReferenceEvaluation,
    seed: int = 0,
    watch: AbstractContextManager[None] = NOBODY,
) -> Any:
    """The numbers, taken as a run takes them. An error shows the shapes that were given."""
    try:
        with torch.inference_mode(), seeded(seed), watch:
            return metric.measure(evaluation)
    except DataError as error:
        raise NotApplicable(f"it does without {NUM_SAMPLES} samples ({error})") from error
    except (CheckFailure, GanforgeError):
        raise
    except Exception as error:
        real, fake = (list(it.shape) for it in (evaluation.values.real, evaluation.values.fake))
        raise CheckFailure(
            f"it raised {described(error)}, for {real} real and {fake} generated samples"
        ) from error


def _numbers(metric: Any, evaluation: ReferenceEvaluation) -> dict[str, float]:
    """The numbers, where they are some: one check has that for its contract."""
    found = _measure(metric, evaluation)
    return {name: float(it) for name, it in found.items()} if isinstance(found, Mapping) else {}


def _expect_finite(numbers: Mapping[str, float], where: str) -> None:
    for name, number in numbers.items():
        require(bool(torch.tensor(number).isfinite()), f"{name} = {number} {where}")
