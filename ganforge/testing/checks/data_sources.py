"""Checks of where the data of a set comes from: no download, missing data, separate splits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations

from ganforge.contracts import EndlessDataset, MapDataset
from ganforge.errors import DataError
from ganforge.plugin.fields import SAMPLE
from ganforge.plugin.options import describe
from ganforge.plugin.specs import DatasetSpec
from ganforge.printable import described
from ganforge.testing.fixtures.building import seeded
from ganforge.testing.fixtures.problems import problems
from ganforge.testing.fixtures.set_items import built, items
from ganforge.testing.fixtures.watching import elsewhere, no_network
from ganforge.testing.framework import CheckFailure, NotApplicable, Subject, check, require

ABSENT = "absent-6f1d"  # a path that nobody has
MAX_COMPARED = 2_000  # items of a split that are read one by one
#: the share of a split that may be in another one: well-known sets hold a few images twice
ACCIDENTS = 0.01


@check(
    "nothing is fetched from the network unless an option asks for it",
    DatasetSpec,
    fix="download where an option says so, which is off by default",
)
def nothing_is_downloaded_unasked(subject: Subject[DatasetSpec]) -> None:
    failures: list[Exception] = []
    with elsewhere(), no_network() as tried:
        for opened in _doors(subject).values():
            try:
                with seeded():
                    opened()
            except DataError:  # it is not there, and was not asked for
                continue
            except Exception as error:
                failures.append(error)
    require(not tried, f"a connection to {tried and tried[0]}")
    if failures:
        raise NotApplicable(f"it cannot be built in an empty folder ({described(failures[0])})")


@check(
    "data that is not there is a DataError that says what is missing, and names the path",
    DatasetSpec,
    fix="raise ganforge.DataError, naming the path and what would mend it",
)
def missing_data_is_a_clear_error(subject: Subject[DatasetSpec]) -> None:
    spec = subject.spec
    if spec.path_option is None and spec.check_available is None:
        raise NotApplicable("it names no path, and checks nothing before training")
    if spec.path_option is not None:
        subject = replace(subject, given={**subject.given, spec.path_option: ABSENT})
    for door, opened in _doors(subject).items():
        try:
            with elsewhere(), no_network(), seeded():
                opened()
        except DataError as error:
            if str(error).strip() and (spec.path_option is None or ABSENT in str(error)):
                continue
            got = f"a DataError that does not name the path: {error}"
        except Exception as error:
            got = described(error)
        else:
            if spec.path_option is None:
                raise NotApplicable("its data is there, even in an empty folder")
            got = "no error"
        raise CheckFailure(f"{got}, from {door}")


def _doors(subject: Subject[DatasetSpec]) -> dict[str, Callable[[], object]]:
    """The functions of the plugin that look for the data, by what they are called."""
    options, problem = subject.options, problems(subject)[0]
    doors: dict[str, Callable[[], object]] = {}
    available = subject.spec.check_available
    if available is not None:
        doors["check_available"] = lambda: available(options)
    doors["the builder"] = lambda: subject.component.build(problem, options)
    return doors


@check(
    "no sample is in two splits",
    DatasetSpec,
    fix="split the set once, by a rule that does not depend on the option",
)
def splits_share_nothing(subject: Subject[DatasetSpec]) -> None:
    splits = _splits(subject)
    if len(splits) < 2:
        raise NotApplicable("it has no option `split` with choices, or no data for them here")
    for (name, one), (other, two) in combinations(splits.items(), 2):
        shared = len(one & two)
        few = shared <= ACCIDENTS * min(len(one), len(two))
        require(few, f"{shared} samples of {name!r} in {other!r}")


def _splits(subject: Subject[DatasetSpec]) -> dict[str, set[bytes]]:
    """The samples of every split that is here, as bytes."""
    found: dict[str, set[bytes]] = {}
    options = {it.name: it for it in describe(subject.spec.options)}
    for choice in (options["split"].choices or ()) if "split" in options else ():
        try:
            dataset = built(replace(subject, given={**subject.given, "split": choice}))
        except NotApplicable:
            continue
        if isinstance(dataset, EndlessDataset):
            break
        length = len(dataset)
        indices = range(min(length, MAX_COMPARED) if isinstance(dataset, MapDataset) else length)
        samples = (it[SAMPLE] for it in items(dataset, indices))
        found[str(choice)] = {it.contiguous().numpy().tobytes() for it in samples}
    return found
