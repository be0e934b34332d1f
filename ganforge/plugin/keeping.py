"""The process as plugins must leave it: restored around all that they run outside of a step."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from ganforge.errors import listed

from .library_state import LIBRARIES
from .process_state import kept
from .python_state import PYTHON

PARTS = (*PYTHON, *LIBRARIES)
SETTINGS = tuple(it for it in PARTS if not it.drawn)
#: A generator that is read within a call, as samples are, may be between two steps of its own mode.
LASTING = tuple(it for it in SETTINGS if it.name != "the gradient mode")
GENERATORS = tuple(it for it in PARTS if it.drawn)


class ChangedProcess(UserWarning):
    """Warning that a plugin has changed what every run shares; it was set back."""

    def __init__(self, who: str, changes: list[str]) -> None:
        super().__init__(
            f"{who} changed {listed(changes)}, which every run shares; it was set back"
        )
        self.changes = changes


@contextmanager
def settings_kept(who: str) -> Iterator[None]:
    """Set back what the body changes of the process, with a warning that names `who` it was.

    It may draw from the global random generators, as builders do.
    """
    changes: list[str] = []
    try:
        with kept(LASTING) as changes:
            yield
    finally:
        if changes:
            warnings.warn(ChangedProcess(who, changes), stacklevel=3)
