"""The version of the code that lies in the working folder, where git knows it."""

from __future__ import annotations

import subprocess
from pathlib import Path

_PATIENCE = 5.0  # seconds; a record of a run is worth no more


def git_state(folder: Path) -> dict[str, object] | None:
    """The commit that is checked out, and whether files that git tracks were changed since.

    None outside a repository, in one without commits, and where git is not installed.
    """
    commit = _git(folder, "rev-parse", "--verify", "HEAD")
    if commit is None or commit.returncode != 0:
        return None
    changed = _git(folder, "diff", "--quiet", "--no-ext-diff", "HEAD", "--")
    found: dict[str, object] = {"commit": commit.stdout.strip()}
    if changed is not None and changed.returncode in (0, 1):
        found["changed"] = changed.returncode == 1
    return found


def _git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str] | None:
    # Nothing that the repository's own configuration names is run, and no lock is taken.
    command = ["git", "--no-optional-locks", "-c", "core.fsmonitor=false", *arguments]
    try:
        return subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
