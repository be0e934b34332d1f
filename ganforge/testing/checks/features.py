"""Checks of feature extractors: rows of numbers, each of its own sample, the same every time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor

from ganforge.contracts import Extracted
from ganforge.plugin.fields import LABEL
from ganforge.plugin.specs import FeaturesSpec
from ganforge.problem import Problem
from ganforge.testing.fixtures.building import build, buildable, problems_of, real_batch, seeded
from ganforge.testing.fixtures.conduct import (
    left_unchanged,
    moved,
    near,
    require_same,
    require_the_given_device,
    shown_where_it_fails,
    state,
)
from ganforge.testing.framework import NotApplicable, Subject, check, require

BATCH = 6
LESSON = 48  # samples that one that learns is shown
SOME = 3  # of its tensors
PLAIN = (str, int, float)


@check(
    "features are rows [B, D] of finite float32 numbers, as many whatever the batch, and logits "
    "are there exactly where the spec says so",
    FeaturesSpec,
    fix="return ganforge.Extracted(features, logits), with features.flatten(1), and set logits in "
    "the spec",
)
def features_are_rows(subject: Subject[FeaturesSpec]) -> None:
    for extractor, problem in _ready(subject):
        sizes = set()
        for num in (BATCH, 1):
            found = _look(extractor, _samples(problem, num))
            got = f"{type(found).__name__} for {num} samples"
            require(isinstance(found, Extracted), got)
            require((found.logits is not None) is subject.spec.logits, f"logits {found.logits!r}")
            for values in (found.features, found.logits):
                if values is None:
                    continue
                rows = values.dim() == 2 and len(values) == num and values.dtype == torch.float32
                require(rows, f"{values.dtype} {[*values.shape]} for {num} samples")
                require(bool(values.isfinite().all()), "numbers that are not finite")
            sizes.add(found.features.shape[1])
        require(len(sizes) == 1, f"rows of {sorted(sizes)} numbers")


@check(
    "one that learns scores the data's own classes, in their order",
    FeaturesSpec,
    fix="give logits [B, K] with K = problem.num_classes",
)
def logits_are_of_the_classes(subject: Subject[FeaturesSpec]) -> None:
    if not (subject.spec.needs_labels and subject.spec.logits):
        raise NotApplicable("its logits, if any, are of classes of its own")
    for extractor, problem in _ready(subject):
        logits = _extract(extractor, _samples(problem)).logits
        if logits is not None:
            got = f"{logits.shape[1]} scores, for {problem.num_classes} classes"
            require(logits.shape[1] == problem.num_classes, got)


@check(
    "a sample's features do not depend on the others of its batch",
    FeaturesSpec,
    fix="normalise by nothing that is taken of the batch",
)
def each_sample_by_itself(subject: Subject[FeaturesSpec]) -> None:
    for extractor, problem in _ready(subject):
        samples = _samples(problem)
        together = _extract(extractor, samples)
        alone = Extracted.joined([_extract(extractor, it[None]) for it in samples])
        for one, other in ((together.features, alone.features), (together.logits, alone.logits)):
            if one is not None and other is not None:
                require(near(one, other), "others where each sample is looked at alone")


@check(
    "the same samples have the same features, whatever was looked at before and drawn elsewhere",
    FeaturesSpec,
    fix="draw nothing in extract(), and change nothing there",
)
def same_features_twice(subject: Subject[FeaturesSpec]) -> None:
    for extractor, problem in _ready(subject):
        samples = _samples(problem)
        first = _extract(extractor, samples, seed=1)
        before = state(extractor)
        _extract(extractor, -samples)
        again = _extract(extractor, samples, seed=2)
        require_same([it.features for it in (first, again)])
        changed = moved(before, state(extractor))
        require(changed is None, f"a change of {changed!r}")


@check(
    "another extractor of the same options has the same features and the same fingerprint",
    FeaturesSpec,
    fix="draw first weights from the global generators, which are seeded, or from a seed among the "
    "options, and load whatever else they are",
)
def built_again_it_is_the_same(subject: Subject[FeaturesSpec]) -> None:
    for extractor, problem in _first(subject):
        again = _taught(subject, build(subject, problem), problem)
        samples = _samples(problem)
        require_same(_extract(it, samples).features for it in (extractor, again))
        marks = [it.fingerprint() for it in (extractor, again)]
        require(marks[0] == marks[1], f"{marks[0]!r} and {marks[1]!r}")


@check(
    "other weights are another fingerprint, which is one line of text",
    FeaturesSpec,
    fix="let fingerprint() hold a digest of whatever the features follow from; keep that in "
    "parameters and buffers, and the usual one does",
)
def fingerprint_follows_the_weights(subject: Subject[FeaturesSpec]) -> None:
    for extractor, _ in _ready(subject):
        mark = extractor.fingerprint()
        sound = isinstance(mark, str) and mark.strip() and "\n" not in mark
        require(bool(sound), repr(mark))
        stored = [*extractor.state_dict().items()]
        for name, tensor in stored[:: max(1, len(stored) // SOME)]:
            with torch.no_grad():
                kept = tensor.clone()
                tensor.add_(1)
            other = extractor.fingerprint()
            with torch.no_grad():
                tensor.copy_(kept)
            require(other != mark, f"{mark!r} with another {name!r}")


@check(
    "different samples have different features",
    FeaturesSpec,
    fix="see that what is put in reaches what comes out",
)
def features_follow_the_samples(subject: Subject[FeaturesSpec]) -> None:
    for extractor, problem in _ready(subject):
        features = _extract(extractor, _samples(problem)).features
        spread = (features - features[:1]).abs().amax(1)[1:]
        require(bool((spread > 0).all()), "the same features for different samples")


@check(
    "the samples are not changed in their place",
    FeaturesSpec,
    fix="use operations that make a new tensor",
)
def samples_are_left_unchanged(subject: Subject[FeaturesSpec]) -> None:
    for extractor, problem in _ready(subject):
        samples = _samples(problem)
        with left_unchanged(samples=samples):
            _look(extractor, samples)


@check(
    "what is made is made on the device of the samples",
    FeaturesSpec,
    fix="give every tensor that is made a device=, or register it as a buffer",
)
def tensors_lie_on_the_device_of_the_samples(subject: Subject[FeaturesSpec]) -> None:
    for extractor, problem in _ready(subject):
        samples = _samples(problem)

        def look(it: Any = extractor, samples: Tensor = samples) -> list[Tensor]:
            found = _extract(it, samples)
            return [found.features, *([] if found.logits is None else [found.logits])]

        require_the_given_device(look)


@check(
    "one that learns learns the same from the same samples, draws from the generator that it is "
    "given, and keeps what it learnt in parameters and buffers",
    FeaturesSpec,
    fix="pass generator= to every random function, and register what is learnt",
)
def what_is_learnt_is_kept(subject: Subject[FeaturesSpec]) -> None:
    if not subject.spec.needs_labels:
        raise NotApplicable("it learns nothing from the data")
    for _, problem in _first(subject):
        samples = _samples(problem)
        first, second, third = (build(subject, problem) for _ in range(3))
        second.load_state_dict(first.state_dict())
        for seed, it in ((0, first), (3, second)):
            with seeded(seed):
                _taught(subject, it, problem)
        require_same(
            (_extract(it, samples).features for it in (first, second)),
            "other features, of the same lesson and the same generator",
        )
        third.load_state_dict(first.state_dict())
        third.eval()
        require_same(
            (_extract(it, samples).features for it in (first, third)),
            "other features where its state_dict() was loaded",
        )


@check(
    "facts are plain: texts and numbers by name, and describe() is one line",
    FeaturesSpec,
    fix="turn tensors into numbers with .item()",
)
def facts_are_plain(subject: Subject[FeaturesSpec]) -> None:
    for extractor, _ in _ready(subject):
        facts = extractor.facts
        plain = isinstance(facts, dict) and all(
            isinstance(name, str) and type(it) in PLAIN for name, it in facts.items()
        )
        require(plain, repr(facts))
        said = extractor.describe()
        require(isinstance(said, str) and "\n" not in said, repr(said))


def _ready(subject: Subject[FeaturesSpec]) -> Iterable[tuple[Any, Problem]]:
    """The extractor for each problem, at rest; one that learns after its lesson, given once."""
    if subject.spec.needs_labels:
        return subject.once("taught", lambda: [*_made_ready(subject)])
    return _made_ready(subject)


def _first(subject: Subject[FeaturesSpec]) -> Iterable[tuple[Any, Problem]]:
    """Those of one problem for an extractor that learns, which may take its time; else all."""
    return [*_ready(subject)][:1] if subject.spec.needs_labels else _ready(subject)


def _made_ready(subject: Subject[FeaturesSpec]) -> Iterator[tuple[Any, Problem]]:
    for problem, built in buildable(problems_of(subject), lambda it: build(subject, it)):
        yield _taught(subject, built, problem), problem


def _taught(subject: Subject[FeaturesSpec], extractor: Any, problem: Problem) -> Any:
    if subject.spec.needs_labels:
        lesson = real_batch(problem, LESSON, seed=5)
        samples, labels = lesson.samples, lesson.others[LABEL]
        with shown_where_it_fails("fit()", "", samples=samples, labels=labels):
            extractor.fit(samples, labels, torch.Generator().manual_seed(0))
    extractor.eval()
    return extractor.requires_grad_(False)


def _samples(problem: Problem, num: int = BATCH) -> Tensor:
    return real_batch(problem, num).samples


def _extract(extractor: Any, samples: Tensor, seed: int = 0) -> Extracted:
    """The features. Raises NotApplicable for what one check has for its contract alone."""
    found = _look(extractor, samples.clone(), seed)
    if not isinstance(found, Extracted):
        raise NotApplicable("it gives no ganforge.Extracted")
    return found


def _look(extractor: Any, samples: Tensor, seed: int = 0) -> Any:
    """Ask it as an evaluation does. An error shows the shapes given."""
    with (
        seeded(seed),
        torch.inference_mode(),
        shown_where_it_fails("extract()", "", samples=samples),
    ):
        return extractor.extract(samples)
