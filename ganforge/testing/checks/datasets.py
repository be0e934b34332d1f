"""Checks of data sets: what an item is, and that it is the same whenever it is read."""

from __future__ import annotations

import math
from numbers import Integral
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from ganforge.contracts import EndlessDataset, MapDataset
from ganforge.plugin.fields import GRIDS, LABEL, SAMPLE, Field
from ganforge.plugin.specs import DatasetSpec
from ganforge.printable import described, printable
from ganforge.testing.fixtures import set_items as sets
from ganforge.testing.fixtures.building import build, seeded
from ganforge.testing.fixtures.problems import problems
from ganforge.testing.fixtures.watching import global_generators_untouched, listed_backwards
from ganforge.testing.framework import CheckFailure, NotApplicable, Subject, check, require

SLACK = 1e-5  # of a bound, for rounding
SLIVER = 1 / 32  # of a range: 8 levels of 256; 12 bits in 16 are more


@check(
    "a data set is an InMemoryDataset, a MapDataset or an EndlessDataset",
    DatasetSpec,
    fix="derive from one of the three",
)
def set_is_one_of_three_kinds(subject: Subject[DatasetSpec]) -> None:
    dataset = build(subject, problems(subject)[0])
    require(isinstance(dataset, sets.KINDS), f"a {type(dataset).__name__}")


@check(
    "samples have the shape that the field 'sample' says, also where its two sides differ",
    DatasetSpec,
    fix="build what problem.sample_shape asks for, rows before columns (C, H, W), or let `fields` "
    "of the spec, or of the set where only the data can tell, say what there is",
)
def samples_have_the_declared_shape(subject: Subject[DatasetSpec]) -> None:
    _expect_shape(subject)
    for changed in sets.not_square(subject):
        try:
            _expect_shape(changed)
        except NotApplicable:
            continue  # its data is not there in this size


def _expect_shape(subject: Subject[DatasetSpec]) -> None:
    dataset = sets.built(subject)
    wanted = list(sets.known(subject, dataset)[SAMPLE].known_shape)
    for sample in sets.some_samples(dataset):
        got = list(sample.shape)
        require(got == wanted, f"one of {got}", expected=f"samples {wanted}, as 'sample' says")


@check(
    "samples are of the type that the field 'sample' says; what is drawn may be float32",
    DatasetSpec,
    fix="store images as uint8 in [0, 255], or say dtype='float32' in the field",
)
def samples_have_an_allowed_type(subject: Subject[DatasetSpec]) -> None:
    dataset = sets.built(subject)
    allowed = [f"torch.{sets.known(subject, dataset)[SAMPLE].dtype}"]
    if isinstance(dataset, EndlessDataset):
        allowed.append("torch.float32")
    for sample in sets.some_samples(dataset):
        require(str(sample.dtype) in allowed, f"{sample.dtype} in place of {allowed[0]}")


@check(
    "values are finite, and in the range of their field, which for images is [-1, 1]",
    DatasetSpec,
    fix="scale them, or give the field their range, and leave out what is not a number",
)
def samples_lie_in_range(subject: Subject[DatasetSpec]) -> None:
    for name, field, values in _values(subject):
        low, high = _limits(field, values[0]) or (-math.inf, math.inf)
        for value in values:
            least, most = value.min(), value.max()
            good = value.isfinite().all() and least >= low - SLACK and most <= high + SLACK
            require(bool(good), f"values of {name!r} from {least:g} to {most:g}")


@check(
    "pictures and sounds make use of the range of their field",
    DatasetSpec,
    fix="scale once: bytes to [0, 255], floats to the `range` of the field, or to [-1, 1] for "
    "images without one, where 0 is grey and not black",
)
def values_fill_their_range(subject: Subject[DatasetSpec]) -> None:
    for name, field, values in _values(subject):
        limits = _limits(field, values[0])
        if field.kind not in (*GRIDS, "sequence") or limits is None:
            continue  # what has other units may be anywhere in its range
        low, high = limits
        least = min(it.min().item() for it in values)
        most = max(it.max().item() for it in values)
        got = f"values of {name!r} from {least:g} to {most:g} of [{low:g}, {high:g}]"
        require(not most - least < SLIVER * (high - low), got)
        halved = name == SAMPLE and field.kind in GRIDS and low == -high and least >= 0
        require(not halved, got, expected="pictures in which something is darker than mid-grey")


@check(
    "every item has the other fields that the spec declares, each of its shape",
    DatasetSpec,
    fix="give every field that the spec declares, under its name",
)
def fields_are_as_declared(subject: Subject[DatasetSpec]) -> None:
    dataset = sets.built(subject)
    fields = {name: it for name, it in sets.known(subject, dataset).items() if name not in CHECKED}
    if not fields:
        raise NotApplicable("it declares no fields but sample and label")
    for found in sets.some_items(dataset):
        for name, field in fields.items():
            if name not in found and (field.optional or not field.paired):
                continue  # there may be fewer of it than samples
            value = found.get(name)
            if not field.paired and isinstance(dataset, MapDataset):
                value = dataset.value(name, 0)
            wanted = f"the field {name!r}, a {field.kind} of {field.shown()}, with every sample"
            require(_fits(field, value), _shown(value), expected=wanted)


CHECKED = (SAMPLE, LABEL)  # by checks of their own


@check(
    "not every sample is the same",
    DatasetSpec,
    fix="see that the index, or the generator, has an influence, and that no tensor is given twice",
)
def samples_differ(subject: Subject[DatasetSpec]) -> None:
    first, *others = sets.some_samples(sets.built(subject))
    differ = not others or any(not torch.equal(first, other) for other in others)
    require(differ, f"copies of one, {len(others) + 1} times")


@check(
    "there are as many samples as the length says, at least one",
    DatasetSpec,
    fix="count in __len__() what can be read, and raise DataError for no data",
)
def length_is_that_of_the_data(subject: Subject[DatasetSpec]) -> None:
    dataset = sets.built(subject)
    if isinstance(dataset, EndlessDataset):
        raise NotApplicable("it has no length")
    length = len(dataset)
    require(length > 0, "no sample")
    if not isinstance(dataset, MapDataset):
        num = len(dataset.samples)
        require(length == num, f"{num} samples, of which the length says {length}")
        return
    try:
        dataset[length - 1]
    except (IndexError, KeyError) as error:
        got = f"{described(error)} for the last index, {length - 1}"
        raise CheckFailure(got) from error


@check(
    "classes have names, two of them or more, that differ",
    DatasetSpec,
    fix="give every class its name, and no labels where there is one class alone",
)
def classes_are_names(subject: Subject[DatasetSpec]) -> None:
    classes = sets.built(subject).classes
    if classes is None:
        raise NotApplicable("it has no classes")
    good = isinstance(classes, tuple) and all(isinstance(it, str) and it.strip() for it in classes)
    require(good and len(set(classes)) == len(classes) > 1, repr(classes))


@check(
    "there are the classes that the field 'label' of the spec has, and none without it",
    DatasetSpec,
    fix="declare the field 'label' where there are classes, and with optional=True where only the "
    "data can tell",
)
def set_is_labelled_as_declared(subject: Subject[DatasetSpec]) -> None:
    label, classes = subject.says("fields").get(LABEL), sets.built(subject).classes
    if label is not None and label.optional:
        return
    if label is not None and label.classes is not None:
        require(classes is None or tuple(classes) == label.classes, repr(classes))
    else:
        got = "no classes" if classes is None else f"{len(classes)} classes"
        require((label is not None) == (classes is not None), got)


@check(
    "describe() gives one line of text",
    DatasetSpec,
    fix="return a line such as ganforge.count_line() makes",
)
def set_describes_itself(subject: Subject[DatasetSpec]) -> None:
    line = sets.built(subject).describe()
    good = isinstance(line, str) and line.strip() and printable(line, 10_000) == line
    require(bool(good), repr(line))


@check(
    "an index has one item: in every build, for every seed, in whatever order files are listed "
    "and items are read",
    DatasetSpec,
    fix="sort what a folder lists, keep nothing from one item to the next, draw from a "
    "torch.Generator with a seed of its own, and leave augmentation to the engine",
)
def same_index_gives_the_same_item(subject: Subject[DatasetSpec]) -> None:
    dataset = sets.built(subject)
    if isinstance(dataset, EndlessDataset):
        raise NotApplicable("its samples are drawn, not stored")
    first = sets.some_items(dataset)
    with listed_backwards():
        again = sets.built(subject)
    other = sets.built(subject, seed=1)
    lengths = [len(it) for it in (dataset, again, other)]
    require(len({*lengths}) == 1, f"lengths of {lengths} in three builds")
    indices = sets.some_indices(len(dataset))
    for how, one in (
        ("read again, in another order", dataset),
        ("built again, with its files listed in another order", again),
        ("built for another seed", other),
    ):
        found = [*sets.items(one, indices[::-1])][::-1]
        for index, before, after in zip(indices, first, found, strict=True):
            names = sets.different(before, after)
            require(not names, f"another {names and names[0]} at index {index} when it is {how}")


@check(
    "a set goes to a new process, and gives the same items there",
    DatasetSpec,
    fix="define the class at the top of a module, open files when they are read, and keep "
    "everything that an item depends on in the set itself",
)
def workers_can_be_spawned(subject: Subject[DatasetSpec]) -> None:
    dataset = sets.built(subject)
    if not isinstance(dataset, MapDataset):
        raise NotApplicable("it is not read by worker processes")
    indices = sets.some_indices(len(dataset))[:2][::-1]
    loader: DataLoader[Any] = DataLoader(
        dataset,
        sampler=indices,
        batch_size=None,
        num_workers=1,
        multiprocessing_context="spawn",
        generator=torch.Generator(),
    )
    here, again = ([*sets.items(dataset, indices)] for _ in range(2))
    if any(sets.different(*pair) for pair in zip(here, again, strict=True)):
        raise NotApplicable("its items change from one reading to the next")
    try:
        there = [sets.by_name(it) for it in loader]
    except Exception as error:
        raise CheckFailure(f"{type(error).__name__}: {printable(error, 200)}") from error
    for index, one, other in zip(indices, here, there, strict=True):
        names = sets.different(one, other)
        require(not names, f"another {names and names[0]} at index {index} from the other process")


@check(
    "the global random state plays no part in a sample",
    DatasetSpec,
    fix="pass generator= to every random function",
)
def given_generator_alone_is_used(subject: Subject[DatasetSpec]) -> None:
    dataset = sets.built(subject)
    with seeded(), global_generators_untouched("samples are drawn or read"):
        sets.some_samples(dataset)


def _values(subject: Subject[DatasetSpec]) -> list[tuple[str, Field, list[Tensor]]]:
    """The fields of a data set but categories, with some values of each."""
    dataset = sets.built(subject)
    found = sets.some_items(dataset)
    values = {
        name: [it[name] for it in found if isinstance(it.get(name), Tensor)]
        for name, field in sets.known(subject, dataset).items()
        if field.kind != "category"
    }
    return [(name, sets.known(subject, dataset)[name], it) for name, it in values.items() if it]


def _limits(field: Field, value: Tensor) -> tuple[float, float] | None:
    """The lowest and the highest value that the field allows; None for any."""
    if value.dtype == torch.uint8:
        return 0.0, 255.0
    # What has no range is learnt in its own units, as a distribution in the plane is.
    return field.range or ((-1.0, 1.0) if field.scaled or field.kind == "image" else None)


def _fits(field: Field, value: Any) -> bool:
    if field.kind == "category":
        number = sets.plain(value)
        return isinstance(number, Integral) and 0 <= int(number) < (field.num_classes or math.inf)
    return (
        isinstance(value, Tensor)
        and tuple(value.shape) == field.shape
        and value.dtype in (torch.uint8, torch.float32)
        and bool(value.isfinite().all())
    )


def _shown(value: Any) -> str:
    return f"{value.dtype} {list(value.shape)}" if isinstance(value, Tensor) else repr(value)
