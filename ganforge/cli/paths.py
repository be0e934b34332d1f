"""Arguments that are paths."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Any

import click

from ganforge.errors import UsageError
from ganforge.printable import printable
from ganforge.storage.paths import check_path


class PathArgument(click.ParamType):  # type: ignore[type-arg]
    """A path that a file system could take; `made` where it is of something new.

    An empty one is what is left of a variable of the shell that is not set, and would be the
    working folder.
    """

    name = "path"

    def __init__(self, *, made: bool = False) -> None:
        self._made = made

    def convert(
        self, value: Any, parameter: click.Parameter | None, context: click.Context | None
    ) -> Path:
        place = parameter.opts[-1] if isinstance(parameter, click.Option) else ""
        if not str(value):
            raise UsageError(
                f"{place or 'a path'} is empty, as a variable of the shell is that is not set; "
                "name a file or a folder"
            )
        if self._made and any(unicodedata.category(char) == "Cc" for char in str(value)):
            raise UsageError(
                f"{place or 'a path'}: {printable(value, 60)} has control characters, which belong "
                "in no name"
            )
        check_path(Path(value), place)
        return Path(value)


PATH = PathArgument()
NEW_PATH = PathArgument(made=True)
