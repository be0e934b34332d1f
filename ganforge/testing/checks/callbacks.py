"""Checks of callbacks: told of whole runs, resumed runs and short ones, they keep to the run."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import torch

from ganforge.plugin.specs import CallbackSpec
from ganforge.testing.fixtures.building import build
from ganforge.testing.fixtures.problems import problems
from ganforge.testing.fixtures.watching import elsewhere, files_under
from ganforge.testing.framework import Check, Subject, check_of
from ganforge.testing.framework import OldFailure as CheckFailure

RUN = Path("runs") / "run"
STATES = ("finished", "interrupted", "terminated", "preempted", "failed")
CONFIG: dict[str, Any] = {
    "generator.name": "example",
    "generator.width": 64,
    "training.steps": None,
    "training.conditional": False,
    "dataset.background": [255, 255, 255],
    "loss.example.weight": 0.5,
    "loss.example.gamma": {"from": 2.0, "to": 0.2},
}


def _built(subject: Subject[CallbackSpec]) -> Any:
    return build(subject, problems(subject)[0])


def _values(step: int) -> dict[str, float]:
    """A line of metrics, in which later steps have names that earlier ones have not."""
    values = {"step": step, "images": 16 * step, "loss/generator": 0.7, "score/real": -1.5}
    return values | ({"metric/example": 0.25} if step > 10 else {})


def _tell(callback: Any, folder: Path, first: int, state: str, channels: int) -> None:
    """One session of two lines, from step `first` on."""
    checkpoint = folder / RUN / "checkpoints" / "step.safetensors"
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    checkpoint.touch()
    callback.started(folder / RUN, first, dict(CONFIG))
    for step in (first + 10, first + 20):
        callback.metrics(step, _values(step))
        callback.picture(step, torch.full((8, 12, channels), 128, dtype=torch.uint8))
        callback.saved(step, checkpoint)
    callback.ended(state)


def whole_run_is_told(subject: Subject[CallbackSpec]) -> None:
    for channels in (1, 3):
        with elsewhere() as folder:
            _tell(_built(subject), folder, 0, "finished", channels)


def resumed_run_is_told(subject: Subject[CallbackSpec]) -> None:
    with elsewhere() as folder:
        # The second session goes on from a checkpoint between the lines of the first.
        for first, state in ((0, "interrupted"), (10, "preempted"), (30, "finished")):
            _tell(_built(subject), folder, first, state, 3)


def short_run_is_told(subject: Subject[CallbackSpec]) -> None:
    for state in STATES:
        with elsewhere() as folder:
            (folder / RUN).mkdir(parents=True)
            callback = _built(subject)
            callback.started(folder / RUN, 0, dict(CONFIG))
            callback.ended(state)


def files_lie_in_the_run(subject: Subject[CallbackSpec]) -> None:
    with elsewhere() as folder:
        _tell(_built(subject), folder, 0, "finished", 3)
        stray = sorted(
            file for file in files_under(folder) if not file.startswith(f"{RUN.as_posix()}/")
        )
    if stray:
        raise CheckFailure(
            "files in the run directory alone",
            came=stray[0],
            mend="write below the folder that started() is given, unless an option names another",
        )


def nothing_is_written_when_built(subject: Subject[CallbackSpec]) -> None:
    with elsewhere() as folder:
        _built(subject)
        written = sorted(files_under(folder))
    if written:
        raise CheckFailure(
            "no file before a run has started",
            came=written[0],
            mend="open files in started()",
        )


def what_is_told_is_left_unchanged(subject: Subject[CallbackSpec]) -> None:
    with elsewhere() as folder:
        (folder / RUN).mkdir(parents=True)
        callback = _built(subject)
        config, values = copy.deepcopy(CONFIG), _values(10)
        picture = torch.full((8, 12, 3), 128, dtype=torch.uint8)
        callback.started(folder / RUN, 0, config)
        callback.metrics(10, values)
        callback.picture(10, picture)
        callback.ended("finished")
    for name, same in (
        ("the configuration", config == CONFIG),
        ("the line of metrics", values == _values(10)),
        ("the picture", bool((picture == 128).all())),
    ):
        if not same:
            raise CheckFailure(
                "what it is told to be as it was, for other callbacks are told the same",
                came=f"a change of {name}",
                mend="change a copy",
            )


_check = check_of("callback")


CHECKS: tuple[Check, ...] = (
    _check("whole-run-is-told", "a run can be told of from start to end", whole_run_is_told),
    _check(
        "resumed-run-is-told",
        "a new callback can be told how a run goes on, from an earlier step too",
        resumed_run_is_told,
    ),
    _check(
        "short-run-is-told",
        "a run may end, in any state, before there is anything to tell",
        short_run_is_told,
    ),
    _check(
        "files-lie-in-the-run",
        "by default nothing is written outside of the run directory",
        files_lie_in_the_run,
    ),
    _check(
        "nothing-is-written-when-built",
        "nothing is written before a run has started",
        nothing_is_written_when_built,
    ),
    _check(
        "what-is-told-is-left-unchanged",
        "configuration, metrics and pictures are not changed",
        what_is_told_is_left_unchanged,
    ),
)
