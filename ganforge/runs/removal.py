"""Removes runs: what a run has written, and nothing that somebody else has put beside it."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from ganforge.errors import RunDirectoryError, UsageError
from ganforge.printable import printable
from ganforge.runs.run import Run
from ganforge.storage.files import TEMPORARY_PREFIX
from ganforge.storage.run_directory import Lock, RunDirectory

#: what training and the commands that are given a run write there, by the path in its directory
_WRITTEN = (
    r"(config\.toml|environment\.json|data\.json|status\.json)",
    r"(metrics|evaluations|diagnosis)\.jsonl?",
    r"(metrics|samples)\.(png|csv|npz|gif|apng|mp4)",
    r"(generator|best)\.safetensors",
    r"(report\.html|trackers\.json)",
    r"samples/(\d{8,}|real)\.png",
    r"checkpoints/[a-z]+(-\d{8,})?\.safetensors(\.damaged)?",
    r"tensorboard/events\.out\.tfevents\.[^/]*",
    rf"([a-z]+/)?{re.escape(TEMPORARY_PREFIX)}[^/]*",
)
_FOLDERS = ("samples", "checkpoints", "tensorboard")
_PATTERN = re.compile("|".join(f"(?:{it})" for it in _WRITTEN))


def check_removable(paths: Sequence[Path]) -> list[Run]:
    """The runs at these paths. Raises UsageError where one is none, is a link, or is running."""
    runs: list[Run] = []
    for path in paths:
        if path.is_symlink():
            raise UsageError(f"{printable(path)} is a link; name the folder that it leads to")
        run = Run(path)
        if run.status.state == "running":
            raise UsageError(
                f"{run.directory} is running and is left alone; stop it first (Ctrl-C), or, if its "
                "machine is gone, remove its status.json"
            )
        if not any(it.path.resolve() == path.resolve() for it in runs):
            runs.append(run)
    return runs


def remove(run: Run) -> list[str]:
    """Remove a run, and its folder where nothing else is in it; the names of what is left.

    Nothing can be trained in it meanwhile, and one that is interrupted leaves a run that can be
    removed again. Raises RunDirectoryError.
    """
    with Lock(run.directory):
        clear(run.directory)
        with contextlib.suppress(OSError):  # it is not empty
            run.path.absolute().rmdir()
    if not run.path.exists():
        return []
    return sorted(printable(path.relative_to(run.path)) for path in _files(run.path))


def clear(run: RunDirectory) -> None:
    """Remove what a run has written in its directory, which the caller has locked.

    Raises RunDirectoryError.
    """
    try:
        # The configuration comes last: without it, this would be no run.
        for path in sorted(_files(run.path), key=lambda it: it == run.config):
            if _PATTERN.fullmatch(path.relative_to(run.path).as_posix()):
                path.unlink(missing_ok=True)
        for folder in _FOLDERS:
            with contextlib.suppress(OSError):  # one that is not empty, or a link
                (run.path.absolute() / folder).rmdir()
    except OSError as error:
        raise RunDirectoryError(f"{run} cannot be removed: {error.strerror or error}") from error


def _files(folder: Path) -> Iterator[Path]:
    """Every file below a folder, and every link to a folder, which is not followed."""
    for parent, folders, files in os.walk(folder):
        linked = [name for name in folders if Path(parent, name).is_symlink()]
        yield from (Path(parent, name) for name in (*files, *linked))
