"""Checks of callbacks: told of whole runs, resumed runs and short ones, they keep to the run."""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from ganforge.plugin.specs import CallbackSpec
from ganforge.testing.fixtures.building import build
from ganforge.testing.fixtures.problems import problems
from ganforge.testing.fixtures.watching import elsewhere, files_under
from ganforge.testing.framework import Subject, check, require

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
VOID = 0.7182818  # a number that only a step has which is void later


@check(
    "a run can be told of from start to end, with pictures of 1 and of 3 channels",
    CallbackSpec,
    fix="let started() make what the other methods need, and take any names of numbers",
)
def whole_run_is_told(subject: Subject[CallbackSpec]) -> None:
    for channels in (1, 3):
        with _place() as folder:
            _tell(_built(subject), folder, 0, "finished", channels)


@check(
    "a new callback can be told how a run goes on, from an earlier step too: what was told of "
    "later ones is void",
    CallbackSpec,
    fix="take in started() what is there already, and cut a file that is appended to at the step",
)
def resumed_run_is_told(subject: Subject[CallbackSpec]) -> None:
    with _place() as folder:
        # The second session goes on from a checkpoint between the lines of the first.
        for first, state, loss in ((0, "interrupted", VOID), (10, "preempted", 0.5)):
            _tell(_built(subject), folder, first, state, loss=loss)
        texts = {path: (folder / path).read_bytes() for path in files_under(folder)}
        _tell(_built(subject), folder, 30, "finished")
    kept = [path for path, text in texts.items() if str(VOID).encode() in text]
    require(not kept, f"a number of step 20 in {kept and kept[0]}, after a run went on from 10")


@check(
    "a run may end, in any state, before there is anything to tell",
    CallbackSpec,
    fix="let ended() do without metrics() and picture()",
)
def short_run_is_told(subject: Subject[CallbackSpec]) -> None:
    for state in STATES:
        with _place() as folder:
            callback = _built(subject)
            callback.started(folder / RUN, 0, dict(CONFIG))
            callback.ended(state)


@check(
    "by default nothing is written outside of the run directory",
    CallbackSpec,
    fix="write below the folder that started() is given, unless an option names another",
)
def files_lie_in_the_run(subject: Subject[CallbackSpec]) -> None:
    with _place() as folder:
        _tell(_built(subject), folder, 0, "finished")
        files = sorted(files_under(folder))
    stray = [file for file in files if not file.startswith(f"{RUN.as_posix()}/")]
    require(not stray, f"a file {stray and stray[0]} beside {RUN}")


@check("nothing is written before a run has started", CallbackSpec, fix="open files in started()")
def nothing_is_written_when_built(subject: Subject[CallbackSpec]) -> None:
    with elsewhere() as folder:
        _built(subject)
        written = sorted(files_under(folder))
    require(not written, f"a file {written and written[0]}")


@check(
    "configuration, metrics and pictures are not changed, for other callbacks are told the same",
    CallbackSpec,
    fix="change a copy",
)
def what_is_told_is_left_unchanged(subject: Subject[CallbackSpec]) -> None:
    told = {"the configuration": copy.deepcopy(CONFIG), "the line of metrics": _values(10)}
    picture = torch.full((8, 12, 3), 128, dtype=torch.uint8)
    before = copy.deepcopy(told)
    with _place() as folder:
        callback = _built(subject)
        callback.started(folder / RUN, 0, told["the configuration"])
        callback.metrics(10, told["the line of metrics"])
        callback.picture(10, picture)
        callback.ended("finished")
    for name, value in told.items():
        require(value == before[name], f"a change of {name}")
    require(bool((picture == 128).all()), "a change of the picture")


@check(
    "no thread goes on after the end of a session",
    CallbackSpec,
    fix="end in ended() what started() has started",
)
def nothing_goes_on_after_the_end(subject: Subject[CallbackSpec]) -> None:
    before = {*threading.enumerate()}
    with _place() as folder:
        _tell(_built(subject), folder, 0, "finished")
        left = [it.name for it in threading.enumerate() if it not in before]
    require(not left, f"a thread {left and left[0]!r} that runs")


def _built(subject: Subject[CallbackSpec]) -> Any:
    return build(subject, problems(subject)[0])


@contextmanager
def _place() -> Iterator[Path]:
    """A folder with a run directory in it, which ends with the check."""
    with elsewhere() as folder:
        (folder / RUN / "checkpoints").mkdir(parents=True)
        yield folder


def _values(step: int, loss: float = 0.5) -> dict[str, float]:
    """A line of metrics, in which later steps have names that earlier ones have not."""
    values = {"step": step, "images": 16 * step, "loss/generator": loss, "score/real": -1.5}
    return values | ({"metric/example": 0.25} if step > 10 else {})


def _tell(
    callback: Any, folder: Path, first: int, state: str, channels: int = 3, loss: float = 0.5
) -> None:
    """One session of two lines, from step `first` on, whose last one has the loss."""
    checkpoint = folder / RUN / "checkpoints" / "step.safetensors"
    checkpoint.touch()
    callback.started(folder / RUN, first, dict(CONFIG))
    for step, value in ((first + 10, 0.5), (first + 20, loss)):
        callback.metrics(step, _values(step, value))
        callback.picture(step, torch.full((8, 12, channels), 128, dtype=torch.uint8))
        callback.saved(step, checkpoint)
    callback.found(first + 20, "collapse", "the samples are alike")
    callback.ended(state)
    command = callback.next_command()
    require(
        command is None or (isinstance(command, str) and bool(command.strip())),
        f"next_command() gave {command!r}",
        fix="give the command that shows what was written as a string, or None",
    )
