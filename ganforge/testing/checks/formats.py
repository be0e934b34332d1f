"""Checks of formats: pictures, arrays and files of every kind of samples that they declare."""

from __future__ import annotations

import copy
import io
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import fields, replace
from typing import Any

import numpy
import torch
from torch import Tensor

from ganforge.contracts import Drawn, Format
from ganforge.errors import GanforgeError
from ganforge.pictures.chosen_format import ChosenFormat
from ganforge.pictures.suffixes import ANIMATIONS
from ganforge.plugin.fields import LABEL
from ganforge.plugin.specs import FormatSpec
from ganforge.testing.fixtures.building import seeded
from ganforge.testing.fixtures.cases import Case, builds
from ganforge.testing.framework import CheckFailure, NotApplicable, Subject, check, require

NUM_SAMPLES = 6
PICTURE = ".png"
FAR = 1e6
ROUNDED = 1e-2  # of the range of the data, to which numbers may be rounded


@check(
    "whatever a run asks for, a picture is uint8 [H, W, C] with 1, 3 or 4 channels, and those of "
    "a walk are of one size",
    FormatSpec,
    fix="make a picture of any number of samples, with whatever is beside them in ganforge.Drawn",
)
def pictures_are_uint8(subject: Subject[FormatSpec]) -> None:
    for chosen, case in _chosen(subject):
        for drawn in _given(case):
            with _shown(drawn):
                chosen.picture(drawn)
        with _shown(_samples(case)):
            if chosen.spec.one_file_each == PICTURE:
                list(chosen.encode_each(_samples(case)))
            chosen.walk([_samples(case, seed) for seed in range(3)])


@check(
    "a picture is made of odd samples too, such as a young run has",
    FormatSpec,
    fix="keep a range that is 0 from a division, and replace what is not finite, as "
    "Tensor.nan_to_num() does",
)
def odd_samples_have_a_picture(subject: Subject[FormatSpec]) -> None:
    for chosen, case in _chosen(subject):
        drawn = _samples(case)
        _picture(chosen, drawn)
        for odd, samples in {
            "all 0": torch.zeros_like(drawn.samples),
            "not finite": drawn.samples / 0,
            "NaN": drawn.samples * torch.nan,
            "far out": drawn.samples * FAR,
        }.items():
            with _shown(drawn, odd):
                chosen.picture(replace(drawn, samples=samples))


@check(
    "equal samples give equal pictures, so that those of a run can be compared",
    FormatSpec,
    fix="draw nothing at random, and keep nothing from one call to the next",
)
def equal_samples_give_equal_pictures(subject: Subject[FormatSpec]) -> None:
    for chosen, case in _chosen(subject):
        pictures = []
        for seed in (1, 2):
            with seeded(seed):  # one that draws from a global generator draws something else
                pictures.append(_picture(chosen, _samples(case)))
        require(torch.equal(*pictures), "another picture the second time")


@check(
    "every sample has a part in the picture",
    FormatSpec,
    fix="show all samples that are given, of which there are `num_pictured` at most",
)
def every_sample_is_shown(subject: Subject[FormatSpec]) -> None:
    hidden = [_hidden(chosen, case) for chosen, case in _chosen(subject)]
    # There are samples that all look the same, such as a text of an alphabet of one letter.
    require(not all(hidden), f"the same picture for another {hidden[0]}")


def _hidden(chosen: ChosenFormat, case: Case) -> str:
    """The sample, the first or the last, that a picture does not depend on."""
    drawn = _samples(case)
    if (chosen.num_pictured or NUM_SAMPLES) < NUM_SAMPLES:
        drawn = drawn.only(0)
    before = _picture(chosen, drawn)
    for number in (0, len(drawn.samples) - 1):
        samples = drawn.samples.clone()
        samples[number] = -samples[number]
        if torch.equal(before, _picture(chosen, replace(drawn, samples=samples))):
            return f"sample {number} of {list(samples.shape)}"
    return ""


@check("samples and what belongs to them are not changed", FormatSpec, fix="change a copy")
def samples_are_left_unchanged(subject: Subject[FormatSpec]) -> None:
    for chosen, case in _chosen(subject):
        for drawn in _given(case):
            before = copy.deepcopy(drawn)
            for suffix in chosen.spec.suffixes:
                with suppress(GanforgeError):  # which another check is about
                    chosen.encode(drawn, suffix)
            for it in fields(Drawn):
                same = _equal(getattr(before, it.name), getattr(drawn, it.name))
                require(same, f"a change of Drawn.{it.name}")


@check(
    "each suffix that is declared is that of a file with something in it",
    FormatSpec,
    fix="return the bytes of the file from encode()",
)
def every_suffix_is_written(subject: Subject[FormatSpec]) -> None:
    for chosen, case in _chosen(subject):
        drawn = _samples(case)
        with _shown(drawn):
            # The first check is about pictures, another about films.
            suffixes = [it for it in chosen.spec.suffixes if it not in (PICTURE, *ANIMATIONS)]
            files = {f"a {it} file": chosen.encode(drawn, it) for it in suffixes}
            if chosen.spec.one_file_each not in (None, PICTURE):
                for number, contents in enumerate(chosen.encode_each(drawn)):
                    files[f"file {number} of a folder"] = contents
        for name, contents in files.items():
            require(bool(contents), f"nothing in {name}")


@check(
    "a file of samples that come in parts is that of all of them together",
    FormatSpec,
    fix="have encode_parts() go on where the part before ended, or leave it out; and give arrays() "
    "the samples along the first axis of each array",
)
def parts_make_the_same_file(subject: Subject[FormatSpec]) -> None:
    for chosen, case in _chosen(subject):
        for suffix in chosen.spec.suffixes:
            if suffix in (PICTURE, *ANIMATIONS):
                continue
            drawn, untouched = _samples(case), _samples(case)
            with suppress(GanforgeError):  # of which another check is, as of a change
                whole = chosen.encode(drawn, suffix)
                if all(
                    _equal(getattr(drawn, it.name), getattr(untouched, it.name))
                    for it in fields(Drawn)
                ):
                    _require_same_parts(chosen, untouched, suffix, whole)


def _require_same_parts(chosen: ChosenFormat, drawn: Drawn, suffix: str, whole: bytes) -> None:
    if suffix == ".npz":
        with numpy.load(io.BytesIO(whole)) as file:
            if len(file.get("samples", ())) != NUM_SAMPLES:
                return  # of which another check is
    halves = (_part(drawn, rows) for rows in (slice(0, 2), slice(2, None)))
    try:
        parts = b"".join(chosen.encode_parts(halves, NUM_SAMPLES, suffix))
    except GanforgeError as error:
        raise CheckFailure(f"no {suffix} file of parts: {error}") from error
    same = _same_arrays(whole, parts) if suffix == ".npz" else whole == parts
    require(same, f"another {suffix} file of parts")


def _part(drawn: Drawn, rows: slice) -> Drawn:
    labels = None if drawn.labels is None else drawn.labels[rows]
    return replace(drawn, samples=drawn.samples[rows], labels=labels)


def _same_arrays(one: bytes, other: bytes) -> bool:
    with numpy.load(io.BytesIO(one)) as left, numpy.load(io.BytesIO(other)) as right:
        return left.files == right.files and all(
            numpy.array_equal(left[it], right[it], equal_nan=left[it].dtype.kind == "f")
            for it in left.files
        )


@check(
    "a film moves: it has frames of one size that differ",
    FormatSpec,
    fix="give every frame of the samples from film()",
)
def films_move(subject: Subject[FormatSpec]) -> None:
    suffixes = {*ANIMATIONS} & {*subject.spec.suffixes}
    if not suffixes:
        raise NotApplicable("it writes no moving pictures")
    for chosen, case in _chosen(subject):
        drawn = _samples(case)
        with _shown(drawn):
            for suffix in suffixes:
                chosen.encode(drawn, suffix)
        film = [*chosen.format.film(drawn)]
        moves = any(not torch.equal(film[0], it) for it in film[1:])
        require(moves, f"{len(film)} of one look, for samples {list(drawn.samples.shape)}")


@check(
    "the .npz has an array `samples` in the units of the data, and `labels` where there are some",
    FormatSpec,
    fix="extend what Format.arrays() gives, and use Format.restored()",
)
def arrays_hold_the_samples(subject: Subject[FormatSpec]) -> None:
    for chosen, case in _chosen(subject):
        drawn = _samples(case)
        with _shown(drawn):
            contents = chosen.encode(drawn, ".npz")
        with numpy.load(io.BytesIO(contents)) as file:
            found = {name: file[name] for name in file.files}
        for name in ("samples", *(["labels"] if drawn.labels is not None else [])):
            got = f"{len(found[name])} entries in" if name in found else "no"
            length = len(found.get(name, ()))
            require(length == NUM_SAMPLES, f"{got} {name!r} of {NUM_SAMPLES} samples")
        wanted, samples = chosen.format.restored(drawn.samples), found["samples"]
        if case.problem.sample.range is None or samples.shape != tuple(wanted.shape):
            continue  # what they are is for the format to say
        low, high = case.problem.sample.range
        error = (torch.from_numpy(samples).to(wanted) - wanted).abs().max().item()
        got = f"values from {samples.min():g} to {samples.max():g}"
        require(error <= ROUNDED * (high - low), got, expected=f"samples in [{low:g}, {high:g}]")


def _chosen(subject: Subject[FormatSpec]) -> Iterator[tuple[ChosenFormat, Case]]:
    """The format for each case that it can be built for."""
    for built, case in builds(subject):
        if not isinstance(built, Format):
            raise NotApplicable("it builds no ganforge.Format")
        yield ChosenFormat(component=subject.component, format=built), case


@contextmanager
def _shown(drawn: Drawn, how: str = "") -> Iterator[None]:
    """Raises CheckFailure, with the samples that were given, where the format fails."""
    try:
        yield
    except GanforgeError as error:
        shape = f"{list(drawn.samples.shape)}{how and f' that are {how}'}"
        raise CheckFailure(f"{error}, for samples {shape}") from error


def _picture(chosen: ChosenFormat, drawn: Drawn) -> Tensor:
    """A picture. Raises NotApplicable where there is none, which one check has for its contract."""
    try:
        return chosen.picture(drawn)
    except GanforgeError as error:
        raise NotApplicable(f"it makes no picture: {error}") from error


def _given(case: Case) -> Iterator[Drawn]:
    """All that a run and the command line ask for pictures of."""
    drawn = _samples(case)
    one = _samples(case, seed=1).samples
    yield drawn
    yield drawn.only(0)
    yield replace(drawn, labels=None, classes=None, columns=2, ordered=True)
    yield replace(drawn, columns=2, ordered=True)
    yield replace(drawn, real=one, labels=None)
    yield replace(drawn, generated=False, labels=None)
    yield replace(drawn, before={"inputs": one}, after={"real": one.flip(0)})


def _samples(case: Case, seed: int = 0) -> Drawn:
    batch = case.batch(NUM_SAMPLES, seed)
    label = case.fields.get(LABEL)
    return Drawn(
        samples=batch.samples.contiguous(),
        labels=batch.labels,
        classes=None if label is None or batch.labels is None else label.classes,
        ordered=False,
    )


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor):
        return isinstance(other, Tensor) and torch.equal(one, other)
    if isinstance(one, dict):
        return list(one) == list(other) and all(_equal(one[key], other[key]) for key in one)
    return bool(one == other)
