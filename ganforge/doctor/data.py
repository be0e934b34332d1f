"""Rules of a run's data: it is where the configuration says, and what it was."""

from __future__ import annotations

import warnings

from ganforge.errors import GanforgeError
from ganforge.printable import printable

from .findings import Fact, Findings, Trouble
from .subject import Subject, read_json, why


def data(subject: Subject) -> Findings:
    """The data set is there."""
    config = subject.config
    if isinstance(config, GanforgeError):
        return  # which is a trouble of the configuration
    chosen = config.dataset
    if chosen.spec.handed_over:
        text = "that of a Python program, which this command does not have"
        yield Fact(subject="data", text=text)
        return
    try:
        chosen.check_available()
    except GanforgeError as error:
        option = chosen.spec.path_option or "root"
        moved = (
            f"{subject.resume[:-1]} --set dataset.{option}=PATH` goes on where the data lies now"
        )
        yield Trouble(
            name="data-that-is-not-there",
            text=f"the data of the run is not there: {printable(error, 1000)}",
            remedy=moved if hasattr(chosen.options, option) else "",
        )
        return
    where = getattr(chosen.options, chosen.spec.path_option or "", None)
    text = f"{chosen.component.name}{f' in {printable(where)}' if where else ''}"
    yield Fact(subject="data", text=text)


def same_data(subject: Subject) -> Findings:
    """The data is what the run was trained on, as `data.json` has it.

    The data set is read for that, which takes torch; a run that has no such file is spared it.
    """
    config, path = subject.config, subject.run.data
    if isinstance(config, GanforgeError) or config.dataset.spec.handed_over or not path.exists():
        return
    try:
        read_json(path)
    except (OSError, ValueError) as error:
        yield Trouble(
            name="record-of-data-that-cannot-be-read",
            severity="warning",
            text=f"{printable(path)} cannot be read ({why(error)}), so nothing tells whether the "
            "data is what the run was trained on",
            remedy=f"{subject.resume} writes it again, of the data that is there now",
        )
        return
    try:
        config.dataset.check_available()
    except GanforgeError:
        return  # which is a trouble already
    from ganforge.engine.data_record import compare_data

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of the data set, when it is built
        found = compare_data(subject.run, config)
    if found:
        yield Trouble(
            name="data-that-differs",
            text=f"the data is not what the run was trained on: {'; '.join(found)}",
            remedy="put back what was there; a run that goes on with this is another one",
        )
    elif found is not None:
        yield Fact(subject="same data", text="as when it was trained")
