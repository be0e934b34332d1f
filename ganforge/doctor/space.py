"""Rules of the disk of a run: room for what is written next, and leave to write it."""

from __future__ import annotations

import os
import shutil

from ganforge.printable import size_in_words
from ganforge.storage.paths import quoted_from_home

from .findings import Fact, Findings, Trouble
from .subject import Subject


def space(subject: Subject) -> Findings:
    """Room for the next checkpoint and generator, which are written beside those before them."""
    run = subject.run
    sizes = [it.verified.size for it in (subject.newest, subject.generator) if it and it.verified]
    free, needed = shutil.disk_usage(run.path).free, sum(sizes)
    yield Fact(
        subject="space",
        text=f"{size_in_words(free)} free; {size_in_words(needed)} for the next checkpoint"
        if needed
        else f"{size_in_words(free)} free",
    )
    if free < needed:
        yield Trouble(
            name="disk-that-is-full",
            text=f"{size_in_words(free)} are free in {run}, and the next checkpoint, which is "
            f"written beside those before it, takes {size_in_words(needed)}",
            remedy="remove what is no longer needed (`ganforge runs` shows the sizes of runs), or "
            "move the run to another disk",
        )
    if not os.access(run.path, os.W_OK | os.X_OK):
        yield Trouble(
            name="run-that-cannot-be-written",
            severity="warning",
            text=f"{run} cannot be written by this user, so that it cannot be resumed here",
            remedy=f"`chmod -R u+w {quoted_from_home(run.path)}`, or a copy of it",
        )
