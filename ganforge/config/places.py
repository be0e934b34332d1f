"""Places of the data of a run: where relative paths of its configuration led when it was trained.

A configuration holds paths as they were typed, so that it can be shared. Absolute ones stand in
`data.json` of the run directory, which is private to the run.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ganforge.plugin.options import paths_of

DATA_FILE = "data.json"


def places_of(section: str, typed: Any, located: Any) -> dict[str, tuple[str, str]]:
    """The keys of a section that are paths: each as it was typed, and as it is meant now."""
    found = {}
    for name in paths_of(type(typed)):
        if isinstance(path := getattr(typed, name), str):
            meant = os.path.expanduser(getattr(located, name))  # noqa: PTH111 - as it was given
            found[f"{section}.{name}"] = (path, os.path.abspath(meant))  # noqa: PTH100 - no links
    return found


def path_exists(path: str) -> bool:
    """True if there is something at a path that may not even be one."""
    try:
        return Path(path).exists()
    except (OSError, ValueError):  # a name too long for a file, or one with a null byte
        return False


def read_places(config_file: Path) -> dict[str, tuple[str, str]]:
    """The places that are kept beside the configuration of a run; none where there are none."""
    file = config_file.with_name(DATA_FILE)
    if not file.is_file():  # reading a FIFO would wait for somebody who writes
        return {}
    try:
        stored = json.loads(file.read_bytes())["places"]
        return {str(name): (str(typed), str(path)) for name, (typed, path) in stored.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
