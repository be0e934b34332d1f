"""Rules of a run's data: it is where the configuration says, and what it was."""

from __future__ import annotations

from ganforge.errors import GanforgeError
from ganforge.printable import printable

from .findings import Fact, Findings, Trouble
from .subject import Subject


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
    """The data is what the run was trained on."""
    yield from ()
