"""Check that there are folders or zip files to read, without torch."""

from __future__ import annotations

import zipfile
from pathlib import Path

from ganforge import DataError

from .options import ImagesOptions, PairsOptions


def check_images(options: ImagesOptions) -> None:
    """Raises DataError where `root` is neither a folder nor a zip file."""
    _check("root", options.root)


def check_pairs(options: PairsOptions) -> None:
    """Raises DataError where `root` or `source` is neither a folder nor a zip file."""
    _check("root", options.root)
    if options.source is not None:
        _check("source", options.source)


def _check(name: str, value: str) -> None:
    path = Path(value).expanduser()
    try:
        known = path.is_dir() or (path.is_file() and zipfile.is_zipfile(path))
        present = path.exists()
    except (OSError, ValueError) as error:  # a null byte or a name that is too long
        raise DataError(f"dataset.{name} = {value!r} is not a usable path: {error}") from None
    if known:
        return
    if not present:
        hint = f"Name one with --set dataset.{name}=PATH"
        if not value.isprintable():
            hint = (
                "It has a character in it that is not printed, a tab or a line break, as \\t and "
                "\\n mean in a text in double quotes: write a Windows path in single quotes"
            )
        raise DataError(f"there is no folder or zip file {value!r}. {hint}")
    raise DataError(f"{value!r} is neither a folder nor a zip file of images")
