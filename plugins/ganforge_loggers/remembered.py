"""Names that trackers have for a run, kept in its directory so that a resumed run goes on there."""

from __future__ import annotations

import json
from pathlib import Path

FILE = "trackers.json"


def recall(run_directory: Path, tracker: str) -> str | None:
    """The name or number under which a tracker knows the run; None where it does not."""
    found = _read(run_directory / FILE).get(tracker)
    return found if isinstance(found, str) else None


def remember(run_directory: Path, tracker: str, name: str) -> None:
    """Keep the name or number under which a tracker knows the run."""
    path = run_directory / FILE
    temporary = path.with_name(f".tmp-{path.name}")
    temporary.write_text(json.dumps({**_read(path), tracker: name}) + "\n", encoding="utf-8")
    temporary.replace(path)


def _read(path: Path) -> dict[str, object]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
