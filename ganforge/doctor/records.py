"""Rules of a run's records: its status, its metrics, its sessions, and what was left over."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ganforge.errors import listed
from ganforge.printable import printable
from ganforge.storage.files import TEMPORARY_PREFIX, open_regular

from .findings import Fact, Findings, Trouble
from .subject import Subject, why

LONGEST_LINE = 1_000_000  # bytes
NAMED = 3  # lines that are named

#: states in which a run leaves a checkpoint of the step that it names
_SAVED = ("finished", "interrupted", "terminated", "preempted")


def status(subject: Subject) -> Findings:
    """The status that the run states, beside who is in it and what it has saved."""
    run = subject.run
    try:
        said = subject.status
    except (OSError, ValueError) as error:
        yield Trouble(
            name="status-that-cannot-be-read",
            severity="warning",
            text=f"{printable(run.status)} cannot be read: {why(error)}",
            remedy=f"{subject.resume} writes it again",
        )
        return
    state, step = printable(said.get("state"), 40), said["step"]
    yield Fact(subject="state", text=f"{state}, step {step:,}")
    if subject.in_use:
        who = f"process {printable(said.get('pid'), 20)} on {printable(said.get('host'), 60)}"
        yield Fact(subject="in use", text=f"it is being trained, by {who}")
        return
    newest = subject.checkpoints[0].step if subject.checkpoints else 0
    if state == "running" and said.get("host") == socket.gethostname():
        yield Trouble(
            name="process-that-is-gone",
            severity="warning",
            text=f"{printable(run.status)} says that it is running, and no process is in it: it "
            "was killed, or its machine went down",
            remedy=f"{subject.resume} goes on from step {newest:,}",
        )
    if state in _SAVED and step != newest:
        since = f"step {newest:,}" if newest else "the start"
        yield Trouble(
            name="checkpoint-that-is-missing",
            text=f"the run is {state} at step {step:,}, and its newest checkpoint is "
            + (f"that of step {newest:,}" if newest else "not there"),
            remedy=f"{subject.resume} trains again from {since}",
        )


def leftovers(subject: Subject) -> Findings:
    """Files that a killed process did not finish, and checkpoints that were set aside."""
    if subject.in_use:
        return
    folders = (subject.run.path, subject.run.checkpoints, subject.run.samples)
    unfinished = [*_entries(folders, lambda name: name.startswith(TEMPORARY_PREFIX))]
    if unfinished:
        yield Trouble(
            name="unfinished-files",
            severity="warning",
            text=f"a process that was killed left unfinished files: {_few(unfinished)}",
            remedy=f"{subject.resume} removes them, and so does {_remove(subject, unfinished)}",
        )
    aside = [*_entries((subject.run.checkpoints,), lambda name: name.endswith(".damaged"))]
    if aside:
        yield Trouble(
            name="damaged-files-set-aside",
            severity="warning",
            text=f"damaged checkpoints were set aside: {_few(aside)}",
            remedy=_remove(subject, aside),
        )


def _entries(folders: tuple[Path, ...], wanted: Callable[[str], bool]) -> Iterator[Path]:
    for folder in folders:
        if folder.is_dir():
            yield from (it for it in sorted(folder.iterdir()) if wanted(it.name))


def _few(paths: list[Path]) -> str:
    return listed([printable(it) for it in paths], NAMED)


def _remove(subject: Subject, paths: list[Path]) -> str:
    return subject.command("rm", *paths[:20])


def metrics(subject: Subject) -> Findings:
    """Lines of metrics and evaluations can be read, to the last one."""
    for path, subject_of in ((subject.run.metrics, "metrics"), (subject.run.evaluations, "scores")):
        if not path.exists():
            continue
        try:
            count, damaged, cut = _lines(path)
        except OSError as error:
            yield Trouble(
                name="metrics-that-cannot-be-read",
                text=f"{printable(path)} cannot be read: {why(error)}",
            )
            continue
        yield Fact(subject=subject_of, text=f"{count:,} line{'s' if count != 1 else ''}")
        if cut and not subject.in_use:
            yield Trouble(
                name="metrics-that-are-cut",
                severity="warning",
                text=f"the last line of {printable(path)} is cut off, and is left out wherever "
                "the file is read",
            )
        if damaged:
            shown = listed([str(it) for it in damaged[:NAMED]])
            more = f" and {len(damaged) - NAMED} more" if len(damaged) > NAMED else ""
            yield Trouble(
                name="damaged-metrics",
                severity="warning",
                text=f"{printable(path)} has lines that cannot be read, and are left out: "
                f"{shown}{more}",
            )


def _lines(path: Path) -> tuple[int, list[int], bool]:
    """The number of sound lines, the numbers of the others, and whether the last is cut.

    Raises OSError for what is no file of lines.
    """
    sound, number, damaged, cut = 0, 0, [], False
    with open_regular(path) as file:
        while line := file.readline(LONGEST_LINE):
            number += 1
            if len(line) == LONGEST_LINE:
                raise OSError(f"its line {number} is longer than any that ganforge writes")
            try:
                is_sound = isinstance(json.loads(line), dict)
            except (ValueError, RecursionError):
                is_sound = False
            ends = line.endswith(b"\n")
            if is_sound and ends:
                sound += 1
            elif ends:
                damaged.append(number)
            else:
                cut = True
    return sound, damaged, cut


def sessions(subject: Subject) -> Findings:
    """The software and the threads of each session, which the last bits depend on."""
    run = subject.run
    if not run.environment.exists() and subject.newest is None:
        return  # it has not begun
    try:
        found = subject.sessions
    except (OSError, ValueError) as error:
        yield Trouble(
            name="sessions-that-cannot-be-read",
            severity="warning",
            text=f"{printable(run.environment)} cannot be read: {why(error)}; nothing "
            "depends on it but the report of the run",
        )
        return
    yield Fact(subject="sessions", text=str(len(found)))
    for key, noun in (
        ("torch", "versions of torch"),
        ("threads", "numbers of threads"),
        ("device", "devices"),
    ):
        values = [*dict.fromkeys(printable(it[key], 80) for it in found if key in it)]
        if len(values) > 1:
            yield Trouble(
                name="sessions-that-differ",
                severity="warning",
                text=f"the sessions had different {noun} ({', '.join(values)}), so that the last "
                "bits of the weights are not those of a run that was never stopped",
            )
    here = _installed_torch()
    last = str(found[-1].get("torch", here)) if found else here
    if here and last.partition("+")[0] != here.partition("+")[0]:
        yield Trouble(
            name="another-torch",
            severity="warning",
            text=f"its last session had torch {printable(last, 40)}, and {here} is installed: "
            "going on gives other last bits",
            remedy=f"`python -m pip install 'torch=={last.partition('+')[0]}'` for the same bits"
            if last[:1].isdigit() and " " not in last
            else "",
        )


def _installed_torch() -> str:
    try:
        return version("torch")
    except PackageNotFoundError:
        return ""
