"""The folder of the cache, known without torch; `measuring/store.py` has what lies in it."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "GANFORGE_CACHE"


def cache_folder() -> Path:
    """The folder of the cache on this machine, whether it is there or not."""
    if chosen := os.environ.get(VARIABLE):
        return Path(chosen).expanduser()
    caches = os.environ.get("XDG_CACHE_HOME")
    # The specification has relative paths ignored.
    base = Path(caches) if caches and Path(caches).is_absolute() else Path.home() / ".cache"
    return base / "ganforge"
