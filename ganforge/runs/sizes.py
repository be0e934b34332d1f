"""Sizes of folders."""

from __future__ import annotations

import os
from pathlib import Path


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder; links are not followed."""
    found = 0
    for parent, _, files in os.walk(folder):
        for name in files:
            try:
                found += os.lstat(Path(parent, name)).st_size
            except OSError:
                continue  # gone by now
    return found
