"""Whether there is a folder or a zip file to read, told without torch."""

from __future__ import annotations

import zipfile
from pathlib import Path

from ganforge import DataError

from .options import ImagesOptions


def check_images(options: ImagesOptions) -> None:
    """Raises DataError where `root` is neither a folder nor a zip file."""
    root = Path(options.root).expanduser()
    try:
        known = root.is_dir() or (root.is_file() and zipfile.is_zipfile(root))
        present = root.exists()
    except (OSError, ValueError) as error:  # a null byte or a name that is too long
        raise DataError(f"dataset.root = {options.root!r} is not a usable path: {error}") from None
    if known:
        return
    if not present:
        raise DataError(
            f"there is no folder or zip file {options.root!r}. Name one with "
            "--set dataset.root=PATH"
        )
    raise DataError(f"{options.root!r} is neither a folder nor a zip file of images")
