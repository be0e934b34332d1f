"""Checks of where the data of a set comes from: no download, missing data, separate splits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from torch import Tensor

from ganforge.contracts import EndlessDataset, InMemoryDataset, MapDataset
from ganforge.errors import DataError
from ganforge.plugin.fields import SAMPLE
from ganforge.plugin.options import describe
from ganforge.plugin.specs import DatasetSpec
from ganforge.printable import described
from ganforge.problem import Problem
from ganforge.testing.fixtures.building import build, seeded
from ganforge.testing.fixtures.problems import problems
from ganforge.testing.fixtures.set_items import item
from ganforge.testing.fixtures.watching import elsewhere, no_network
from ganforge.testing.framework import (
    Check,
    NotApplicable,
    Subject,
    check_of,
)
from ganforge.testing.framework import (
    OldFailure as CheckFailure,
)

ABSENT = "absent-6f1d"  # a path that nobody has
MAX_COMPARED = 2_000  # items of a split that are read one by one
#: the share of a split that may be in another one: well-known sets hold a few images twice
ACCIDENTS = 0.01


def nothing_is_downloaded(subject: Subject[DatasetSpec]) -> None:
    options, problem = subject.options, problems(subject)[0]
    failures: list[Exception] = []
    with elsewhere(), no_network() as tried:
        for opened in (_checked, _built):
            try:
                with seeded():
                    opened(subject, options, problem)
            except DataError:  # it is not there, and was not asked for
                continue
            except Exception as error:
                failures.append(error)
    if tried:
        raise CheckFailure(
            "no connection, for no option asks for a download",
            came=f"one to {tried[0]}",
            mend="download where an option says so, which is off by default",
        )
    if failures:
        raise NotApplicable(f"it cannot be built in an empty folder ({described(failures[0])})")


def missing_data_is_a_clear_error(subject: Subject[DatasetSpec]) -> None:
    spec = subject.spec
    if spec.path_option is None and spec.check_available is None:
        raise NotApplicable("it names no path, and checks nothing before training")
    if spec.path_option is not None:
        subject = replace(subject, given={**subject.given, spec.path_option: ABSENT})
    options, problem = subject.options, problems(subject)[0]
    for door, opened in (("check_available", _checked), ("the builder", _built)):
        if door == "check_available" and spec.check_available is None:
            continue
        try:
            with elsewhere(), no_network(), seeded():
                opened(subject, options, problem)
        except DataError as error:
            if str(error).strip() and (spec.path_option is None or ABSENT in str(error)):
                continue
            came = f"a DataError that does not name the path: {error}"
        except Exception as error:
            came = described(error)
        else:
            if spec.path_option is None:
                raise NotApplicable("its data is there, even in an empty folder")
            came = "no error"
        raise CheckFailure(
            f"a DataError that says what is missing, from {door}",
            came=came,
            mend="raise ganforge.DataError, naming the path and what would mend it",
        )


def splits_share_nothing(subject: Subject[DatasetSpec]) -> None:
    splits = dict(_splits(subject))
    if len(splits) < 2:
        raise NotApplicable("it has no option `split` with choices, or no data for them here")
    names = list(splits)
    for place, name in enumerate(names):
        for other in names[place + 1 :]:
            shared = len(splits[name] & splits[other])
            if shared > ACCIDENTS * min(len(splits[name]), len(splits[other])):
                raise CheckFailure(
                    f"no sample of {name!r} in {other!r}",
                    came=f"{shared} that are in both",
                    mend="split the set once, by a rule that does not depend on the option",
                )


def _checked(subject: Subject[DatasetSpec], options: Any, problem: Problem) -> None:
    check = subject.spec.check_available
    if check is not None:
        check(options)


def _built(subject: Subject[DatasetSpec], options: Any, problem: Problem) -> None:
    subject.component.build(problem, options)


def _splits(subject: Subject[DatasetSpec]) -> Iterator[tuple[str, set[bytes]]]:
    """The samples of every split that is here, as bytes."""
    for field in describe(subject.spec.options):
        if field.name == "split":
            for choice in field.choices or ():
                chosen = replace(subject, given={**subject.given, "split": choice})
                try:
                    dataset = build(chosen, problems(chosen)[0])
                except (DataError, NotApplicable):
                    continue
                if isinstance(dataset, EndlessDataset):
                    return
                yield str(choice), {_bytes(sample) for sample in _all(dataset)}


def _all(dataset: InMemoryDataset | MapDataset) -> Iterator[Tensor]:
    if isinstance(dataset, InMemoryDataset):
        yield from dataset.samples
        return
    for index in range(min(len(dataset), MAX_COMPARED)):
        yield item(dataset, index)[SAMPLE]


def _bytes(sample: Tensor) -> bytes:
    return sample.contiguous().numpy().tobytes()


_check = check_of("dataset")


CHECKS: tuple[Check, ...] = (
    _check(
        "nothing-is-downloaded-unasked",
        "nothing is fetched from the network by default",
        nothing_is_downloaded,
    ),
    _check(
        "missing-data-is-a-clear-error",
        "data that is not there is a DataError that says so",
        missing_data_is_a_clear_error,
    ),
    _check("splits-share-nothing", "no sample is in two splits", splits_share_nothing),
)
