"""Exceptions of plugins where no component is called by name, made a PluginError."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ganforge.errors import PASSED_ON, PluginError
from ganforge.printable import described


@contextmanager
def failing_as(what: str) -> Iterator[None]:
    """Let whatever the body raises be a PluginError that begins with `what`, such as a label and
    `failed`.

    ganforge's own errors pass, and so does a lack of memory, for which there is other advice.
    """
    try:
        yield
    except PASSED_ON:
        raise
    except BaseException as error:
        if type(error).__name__ == "OutOfMemoryError":  # torch's, which is not imported here
            raise
        raise PluginError(f"{what}: {described(error)}") from error
