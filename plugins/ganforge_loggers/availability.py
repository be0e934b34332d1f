"""Check that an optional package is installed, without importing it."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from ganforge import DataError


def needs(package: str) -> Callable[[Any], None]:
    """The check that raises DataError where `package`, which writes what is logged, is missing."""

    def check(options: Any) -> None:
        if find_spec(package) is None:
            raise DataError(
                f"the callback {package!r} needs the package of that name: "
                f'pip install "ganforge[{package}]"'
            )

    return check
