"""Checks of formats: pictures, arrays and files of every kind of samples that they declare."""

from __future__ import annotations

import copy
import io
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields, replace
from typing import Any

import numpy
import torch
from torch import Tensor

from ganforge.contracts import Drawn, Format
from ganforge.errors import GanforgeError
from ganforge.pictures.chosen_format import ChosenFormat
from ganforge.plugin.specs import FormatSpec
from ganforge.problem import Problem
from ganforge.testing.fixtures.building import build, real_batch, seeded
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

NUM_SAMPLES = 6
PICTURE = ".png"


def pictures_are_uint8(subject: Subject[FormatSpec]) -> None:
    for chosen, problem in _built(subject):
        for drawn in _given(problem):
            chosen.picture(drawn)
        if chosen.spec.one_file_each == PICTURE:
            list(chosen.encode_each(_samples(problem)))
        chosen.walk([_samples(problem, seed) for seed in range(3)])


def equal_samples_give_equal_pictures(subject: Subject[FormatSpec]) -> None:
    for chosen, problem in _built(subject):
        pictures = []
        for seed in (1, 2):
            with seeded(seed):  # one that draws from a global generator draws something else
                pictures.append(_picture(chosen, _samples(problem)))
        if not torch.equal(*pictures):
            raise CheckFailure(
                "equal pictures of equal samples, so that those of a run can be compared",
                came="another picture the second time",
                mend="draw nothing at random, and keep nothing from one call to the next",
            )


def samples_are_left_unchanged(subject: Subject[FormatSpec]) -> None:
    for chosen, problem in _built(subject):
        for drawn in _given(problem):
            before = copy.deepcopy(drawn)
            for suffix in chosen.spec.suffixes:
                with suppress(GanforgeError):  # which another check is about
                    chosen.encode(drawn, suffix)
            changed = [it.name for it in fields(Drawn) if not _same(before, drawn, it.name)]
            if changed:
                raise CheckFailure(
                    "samples and what belongs to them to be as they were",
                    came=f"a change of Drawn.{changed[0]}",
                    mend="change a copy",
                )


def every_suffix_is_written(subject: Subject[FormatSpec]) -> None:
    for chosen, problem in _built(subject):
        drawn = _samples(problem)
        suffixes = [it for it in chosen.spec.suffixes if it != PICTURE]  # told by the first check
        files = {f"a {it} file": chosen.encode(drawn, it) for it in suffixes}
        if chosen.spec.one_file_each not in (None, PICTURE):
            for number, contents in enumerate(chosen.encode_each(drawn)):
                files[f"file {number} of a folder"] = contents
        for name, contents in files.items():
            if not contents:
                raise CheckFailure(
                    "something in every file", came=f"nothing in {name}", mend="return its bytes"
                )


def arrays_hold_the_samples(subject: Subject[FormatSpec]) -> None:
    for chosen, problem in _built(subject):
        drawn = _samples(problem)
        with numpy.load(io.BytesIO(chosen.encode(drawn, ".npz"))) as file:
            found = {name: file[name] for name in file.files}
        wanted = ["samples", *(["labels"] if drawn.labels is not None else [])]
        for name in wanted:
            if name not in found or len(found[name]) != NUM_SAMPLES:
                length = f"{len(found[name])} entries" if name in found else "none"
                raise CheckFailure(
                    f"an array {name!r} of {NUM_SAMPLES} samples in the .npz",
                    came=length,
                    mend="extend what Format.arrays() gives",
                )


def _built(subject: Subject[FormatSpec]) -> Iterator[tuple[ChosenFormat, Problem]]:
    """The format for each problem that it can be built for."""
    refusal: NotApplicable | None = None
    num_built = 0
    for problem in problems(subject):
        try:
            built = build(subject, problem)
        except NotApplicable as reason:
            refusal = reason
            continue
        if not isinstance(built, Format):
            raise NotApplicable("it builds no ganforge.Format")
        num_built += 1
        yield ChosenFormat(component=subject.component, format=built), problem
    if refusal is not None and not num_built:
        raise refusal


def _picture(chosen: ChosenFormat, drawn: Drawn) -> Tensor:
    """A picture. Raises NotApplicable where there is none, which one check has for its contract."""
    try:
        return chosen.picture(drawn)
    except GanforgeError as error:
        raise NotApplicable(f"it makes no picture: {error}") from error


def _given(problem: Problem) -> Iterator[Drawn]:
    """All that a run and the command line ask for pictures of."""
    drawn = _samples(problem)
    one = _samples(problem, seed=1).samples
    yield drawn
    yield drawn.only(0)
    yield replace(drawn, labels=None, classes=None, columns=2, ordered=True)
    yield replace(drawn, columns=2, ordered=True)
    yield replace(drawn, real=one, labels=None)
    yield replace(drawn, generated=False, labels=None)
    yield replace(drawn, before={"inputs": one}, after={"real": one.flip(0)})


def _samples(problem: Problem, seed: int = 0) -> Drawn:
    batch = real_batch(problem, NUM_SAMPLES, seed)
    names = ("a", "the second", "c")
    return Drawn(
        samples=batch.samples.contiguous(),
        labels=batch.labels,
        classes=None if batch.labels is None else names[: problem.num_classes],
        ordered=False,
    )


def _same(one: Drawn, other: Drawn, name: str) -> bool:
    return _equal(getattr(one, name), getattr(other, name))


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor):
        return isinstance(other, Tensor) and torch.equal(one, other)
    if isinstance(one, dict):
        return list(one) == list(other) and all(_equal(one[key], other[key]) for key in one)
    return bool(one == other)


_check = check_of("format")


CHECKS: tuple[Check, ...] = (
    _check(
        "pictures-are-uint8",
        "whatever a run asks for, a picture is uint8 [H, W, C] with 1, 3 or 4 channels, and those "
        "of a walk are of one size",
        pictures_are_uint8,
    ),
    _check(
        "equal-samples-give-equal-pictures",
        "a picture follows from the samples alone",
        equal_samples_give_equal_pictures,
    ),
    _check(
        "samples-are-left-unchanged",
        "samples and what belongs to them are not changed",
        samples_are_left_unchanged,
    ),
    _check(
        "every-suffix-is-written",
        "each suffix that is declared is that of a file with something in it",
        every_suffix_is_written,
    ),
    _check(
        "arrays-hold-the-samples",
        "the .npz has an array `samples`, and `labels` where there are some",
        arrays_hold_the_samples,
    ),
)
