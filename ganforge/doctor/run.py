"""The examination of a run directory, or of a single file of tensors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ganforge.errors import NewerFormatError, UsageError
from ganforge.plugin.discovery import Discovery
from ganforge.printable import printable, size_in_words
from ganforge.storage.paths import quoted_from_home

from .components import components, of_packages, versions_of
from .configuration import configuration, works_here
from .data import data, same_data
from .findings import Examination, Fact, Findings, Trouble, examination, told
from .records import leftovers, metrics, sessions, status
from .space import space
from .subject import Stored, Subject, stored
from .tensors import best, checkpoints, generator, not_finite

#: the rules in the order in which their findings are told
RULES = (
    *(status, checkpoints, generator, best),
    *(configuration, works_here, components, data, same_data),
    *(metrics, sessions, leftovers, space),
)


def examine_run(path: Path, discovery: Discovery) -> Examination:
    """Everything in a run directory and around it. Raises UsageError where there is no run."""
    subject = Subject(path, discovery)
    return examination(finding for rule in RULES for finding in told(rule, subject))


def examine_file(path: Path, discovery: Discovery) -> Examination:
    """A checkpoint, a generator, or any other file of ganforge's with tensors.

    Raises UsageError where there is no file.
    """
    found = stored(path, None)
    if found is None:
        raise UsageError(f"there is neither a run nor a file {printable(path)}")
    return examination(told(file, found, discovery))


def file(found: Stored, discovery: Discovery) -> Findings:
    """The kind of a file, whether it is sound, and the plugins that it needs."""
    if found.verified is None:
        newer = isinstance(found.error, NewerFormatError)
        yield Trouble(
            name="damaged-file",
            text=str(found.error),
            remedy="`python -m pip install --upgrade ganforge`"
            if newer
            else "another copy of it; `ganforge doctor RUN` says what else of its run is sound",
        )
        return
    verified, document = found.verified, found.verified.document
    yield Fact(
        subject=verified.kind,
        text=f"sound: {verified.num_tensors:,} tensors, {size_in_words(verified.size)}",
    )
    if type(step := document.get("step")) is int:
        yield Fact(subject="step", text=f"{step:,}")
    yield from not_finite(
        verified, quoted_from_home(found.path), "an older checkpoint of its run may be finite"
    )
    records = document.get("components", document)
    if isinstance(records, Mapping):
        yield from of_packages(dict(versions_of(records.values())), discovery)
