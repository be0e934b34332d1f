"""Suffixes of moving pictures, and whether they can be written here; known without torch."""

from __future__ import annotations

import importlib.util

from ganforge.errors import UsageError

ANIMATIONS = {".gif": "GIF", ".apng": "PNG"}  # by Pillow, with its name for them
MOVIE = ".mp4"  # by PyAV, which is an extra
MOVING = (*ANIMATIONS, MOVIE)


def check_movie() -> None:
    """Raise UsageError where the package that writes .mp4 is not installed."""
    if importlib.util.find_spec("av") is None:
        raise UsageError(
            "an .mp4 is written by PyAV, which is not installed: pip install 'ganforge[video]' "
            "(.gif and .apng need nothing more)"
        )
