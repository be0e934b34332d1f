"""Check that an optional package is installed, without importing it."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from ganforge import DataError


def check_tensorboard(options: Any) -> None:
    """Raises DataError where the package `tensorboard`, which writes the events, is missing."""
    if find_spec("tensorboard") is None:
        raise DataError(
            "the callback 'tensorboard' needs the package of that name: "
            'pip install "ganforge[tensorboard]"'
        )
