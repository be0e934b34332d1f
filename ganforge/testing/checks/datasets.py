"""Checks of data sets: what a sample is, how often it is the same, and where it comes from."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from ganforge.config.run_config import fields_of
from ganforge.contracts import EndlessDataset, MapDataset
from ganforge.plugin.fields import LABEL, SAMPLE, Field
from ganforge.plugin.specs import DatasetSpec
from ganforge.printable import described, printable
from ganforge.testing.checks.data_sources import CHECKS as SOURCES
from ganforge.testing.checks.drawn_sets import CHECKS as DRAWN
from ganforge.testing.fixtures.building import build, seeded
from ganforge.testing.fixtures.problems import problems
from ganforge.testing.fixtures.set_items import (
    KINDS,
    built,
    item,
    known,
    one_of,
    sample_of,
    some_indices,
    some_items,
    some_labels,
    some_samples,
)
from ganforge.testing.fixtures.watching import global_generators_untouched
from ganforge.testing.framework import (
    Check,
    NotApplicable,
    Subject,
    check_of,
)
from ganforge.testing.framework import (
    OldFailure as CheckFailure,
)

SLACK = 1e-5  # of a bound, for rounding
CHECKED = (SAMPLE, LABEL)  # by checks of their own


def one_of_three_kinds(subject: Subject[DatasetSpec]) -> None:
    dataset = build(subject, problems(subject)[0])
    if not isinstance(dataset, KINDS):
        raise CheckFailure(
            "an InMemoryDataset, a MapDataset or an EndlessDataset",
            came=type(dataset).__name__,
            mend="derive from one of the three",
        )


def samples_have_the_declared_shape(subject: Subject[DatasetSpec]) -> None:
    dataset = built(subject)
    shape = sample_of(subject, dataset).known_shape
    for sample in some_samples(dataset):
        if tuple(sample.shape) != shape:
            raise CheckFailure(
                f"samples of shape {list(shape)}, as the field 'sample' says",
                came=f"one of {list(sample.shape)}",
                mend="build what problem.sample_shape asks for, or let `fields` of the spec, or of "
                "the set where only the data can tell, say what there is",
            )


def samples_have_an_allowed_type(subject: Subject[DatasetSpec]) -> None:
    dataset = built(subject)
    allowed = [sample_of(subject, dataset).dtype]
    if isinstance(dataset, EndlessDataset):
        allowed.append("float32")  # what is drawn may be as networks see it
    for sample in some_samples(dataset):
        if str(sample.dtype) not in [f"torch.{it}" for it in allowed]:
            raise CheckFailure(
                f"samples of type {' or '.join(dict.fromkeys(allowed))}, as the field 'sample' "
                "says",
                came=f"{sample.dtype}",
                mend="store images as uint8 in [0, 255], or say dtype='float32' in the field",
            )


def samples_lie_in_range(subject: Subject[DatasetSpec]) -> None:
    dataset = built(subject)
    field = sample_of(subject, dataset)
    # What has no range is learnt in its own units, as a distribution in the plane is.
    low, high = (-1.0, 1.0) if field.scaled or field.kind == "image" else (-math.inf, math.inf)
    if field.range is not None:
        low, high = field.range
    for sample in some_samples(dataset):
        if sample.dtype == torch.uint8:
            continue
        if not sample.isfinite().all() or sample.min() < low - SLACK or sample.max() > high + SLACK:
            raise CheckFailure(
                f"finite samples{f' in [{low:g}, {high:g}]' if math.isfinite(low) else ''}",
                came=f"values from {sample.min():g} to {sample.max():g}",
                mend="scale them, or give the field their range, and leave out what is not a "
                "number",
            )


def fields_are_as_declared(subject: Subject[DatasetSpec]) -> None:
    dataset = built(subject)
    fields = {it: field for it, field in known(subject, dataset).items() if it not in CHECKED}
    if not fields:
        raise NotApplicable("it declares no fields but sample and label")
    for found in some_items(dataset):
        for name, field in fields.items():
            if field.optional and name not in found:
                continue
            if not field.paired and isinstance(dataset, MapDataset):
                found = {**found, name: dataset.value(name, 0)}
            if name not in found and not field.paired:
                continue  # there are fewer of it than samples
            _expect_value(name, field, found.get(name))


def _expect_value(name: str, field: Field, value: Any) -> None:
    """Require a value of the field's shape, type and classes."""
    if field.kind == "category":
        number = value.item() if isinstance(value, Tensor) else value
        if isinstance(number, int) and 0 <= number < (field.num_classes or math.inf):
            return
    elif (
        isinstance(value, Tensor)
        and tuple(value.shape) == field.shape
        and value.dtype in (torch.uint8, torch.float32)
        and bool(value.isfinite().all())
    ):
        return
    shown = f"{value.dtype} {list(value.shape)}" if isinstance(value, Tensor) else repr(value)
    raise CheckFailure(
        f"the field {name!r}, a {field.kind} of {field.shown()}, with every sample",
        came=shown,
        mend="give every field that the spec declares, under its name",
    )


def samples_differ(subject: Subject[DatasetSpec]) -> None:
    samples = some_samples(built(subject))
    if len(samples) > 1 and all(torch.equal(samples[0], other) for other in samples[1:]):
        raise CheckFailure(
            f"samples that differ from each other, of {len(samples)} looked at",
            came="copies of one",
            mend="see that the index, or the generator, has an influence",
        )


def length_is_that_of_the_data(subject: Subject[DatasetSpec]) -> None:
    dataset = built(subject)
    if isinstance(dataset, EndlessDataset):
        raise NotApplicable("it has no length")
    length = len(dataset)
    if length < 1:
        raise CheckFailure("a set with samples", came="none", mend="raise DataError for no data")
    try:
        if isinstance(dataset, MapDataset):
            dataset[length - 1]
        elif length != len(dataset.samples):
            raise IndexError(f"{len(dataset.samples)} samples")
    except (IndexError, KeyError) as error:
        raise CheckFailure(
            f"as many samples as the length, {length}, says",
            came=described(error),
            mend="count in __len__() what can be read",
        ) from error


def labels_lie_in_the_classes(subject: Subject[DatasetSpec]) -> None:
    dataset = built(subject)
    classes = dataset.classes
    # In the short form of an item, (sample, label), 0 stands for none.
    absent = (None, 0) if isinstance(dataset, MapDataset) else (None,)
    for label in some_labels(dataset):
        good = (
            label in absent
            if classes is None
            else isinstance(label, int) and 0 <= label < len(classes)
        )
        if not good:
            expected = f"label {absent[-1]}, for there are no classes"
            raise CheckFailure(
                expected if classes is None else f"labels in [0, {len(classes)})",
                came=repr(label),
                mend="let labels be places in `classes`",
            )


def classes_are_names(subject: Subject[DatasetSpec]) -> None:
    classes = built(subject).classes
    if classes is None:
        raise NotApplicable("it has no classes")
    good = isinstance(classes, tuple) and all(isinstance(it, str) and it.strip() for it in classes)
    if not good or len(set(classes)) != len(classes):
        raise CheckFailure(
            "a tuple of names that differ", came=repr(classes), mend="give every class its name"
        )


def labelled_as_declared(subject: Subject[DatasetSpec]) -> None:
    label, classes = fields_of(subject.selection).get(LABEL), built(subject).classes
    if label is not None and label.optional:
        return
    if label is not None and label.classes is not None:
        same = classes is None or tuple(classes) == label.classes
        came = f"{classes!r}"
    else:
        same = (label is not None) == (classes is not None)
        came = "none" if classes is None else f"{len(classes)}"
    if not same:
        raise CheckFailure(
            f"{'no' if label is None else 'the'} classes that the field 'label' of the spec has",
            came=came,
            mend="declare the field 'label' where there are classes, and with optional=True where "
            "only the data can tell",
        )


def described_in_one_line(subject: Subject[DatasetSpec]) -> None:
    line = built(subject).describe()
    if not isinstance(line, str) or not line.strip() or printable(line, 10_000) != line:
        raise CheckFailure(
            "one line of text from describe()",
            came=repr(line),
            mend="return a line such as ganforge.count_line() makes",
        )


def same_index_gives_the_same_item(subject: Subject[DatasetSpec]) -> None:
    dataset = built(subject)
    if isinstance(dataset, EndlessDataset):
        raise NotApplicable("its samples are drawn, not stored")
    again = built(subject)
    one, two, three = some_samples(dataset), some_samples(dataset), some_samples(again)
    labels = (some_labels(dataset), some_labels(dataset), some_labels(again))
    if len(dataset) != len(again) or not (labels[0] == labels[1] == labels[2]):
        raise CheckFailure(
            "the same set whenever it is built",
            came="another length, or other labels",
            mend="sort what a folder lists, and leave augmentation to the networks",
        )
    for index, first, *others in zip(some_indices(len(dataset)), one, two, three, strict=True):
        if any(not torch.equal(first, other) for other in others):
            raise CheckFailure(
                "the same sample whenever an index is asked for",
                came=f"another at index {index}",
                mend="sort what a folder lists, and leave augmentation to the networks",
            )


def workers_can_be_spawned(subject: Subject[DatasetSpec]) -> None:
    dataset = one_of(subject, MapDataset, "it is not read by worker processes")
    indices = some_indices(len(dataset))[:2]
    loader: DataLoader[Any] = DataLoader(
        dataset,
        sampler=indices,
        batch_size=len(indices),
        num_workers=1,
        multiprocessing_context="spawn",
        generator=torch.Generator(),
    )
    try:
        (batch,) = loader
    except Exception as error:
        raise CheckFailure(
            "items from a worker process that was spawned",
            came=f"{type(error).__name__}: {printable(error, 200)}",
            mend="define the class at the top of a module, and open files when they are read",
        ) from error
    here = torch.stack([item(dataset, index)[SAMPLE] for index in indices])
    if not torch.equal(batch[SAMPLE] if isinstance(batch, dict) else batch[0], here):
        raise CheckFailure(
            "the same items from a worker process",
            came="others",
            mend="keep everything that an item depends on in the set itself",
        )


def given_generator_alone_is_used(subject: Subject[DatasetSpec]) -> None:
    dataset = built(subject)
    with seeded(), global_generators_untouched("samples are drawn or read"):
        some_samples(dataset)


_check = check_of("dataset")


CHECKS: tuple[Check, ...] = (
    _check("set-is-one-of-three-kinds", "a data set is of a known kind", one_of_three_kinds),
    _check(
        "samples-have-the-declared-shape",
        "samples have the shape that the spec gives from the options",
        samples_have_the_declared_shape,
    ),
    _check(
        "samples-have-an-allowed-type",
        "samples are of the type that the spec declares; what is drawn may be float32",
        samples_have_an_allowed_type,
    ),
    _check(
        "samples-lie-in-range",
        "samples are finite, and in the range of their field, which for images is [-1, 1]",
        samples_lie_in_range,
    ),
    _check(
        "fields-are-as-declared",
        "every item has the other fields that the spec declares, each of its shape",
        fields_are_as_declared,
    ),
    _check("samples-differ", "not every sample is the same", samples_differ),
    _check(
        "length-is-that-of-the-data",
        "there are as many samples as the length says, at least one",
        length_is_that_of_the_data,
    ),
    _check(
        "labels-lie-in-the-classes",
        "labels are in [0, K); without classes there are none",
        labels_lie_in_the_classes,
    ),
    _check("classes-are-names", "classes have names that differ", classes_are_names),
    _check(
        "set-is-labelled-as-declared",
        "there are classes if, and only if, the spec says so",
        labelled_as_declared,
    ),
    _check("set-describes-itself", "describe() gives one line", described_in_one_line),
    _check(
        "same-index-gives-the-same-item",
        "an index has one item, in every build",
        same_index_gives_the_same_item,
    ),
    _check("workers-can-be-spawned", "a set goes to a new process", workers_can_be_spawned),
    _check(
        "given-generator-alone-is-used",
        "the global random state plays no part in a sample",
        given_generator_alone_is_used,
    ),
    *DRAWN,
    *SOURCES,
)
