"""Sizes of folders, and of anything that is counted in bytes."""

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


def size_in_words(num_bytes: float) -> str:
    """`12.3 MB`, in three digits."""
    for unit in ("B", "kB", "MB", "GB"):
        if num_bytes < 1000:
            return f"{num_bytes:.3g} {unit}"
        num_bytes /= 1000
    return f"{num_bytes:.3g} TB"
