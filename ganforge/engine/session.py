"""A session of a run: a new one, or one that goes on. What `ganforge train` calls.

torch is imported by `train` alone, after everything that can be wrong without it has been checked.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganforge.config.run_config import RunConfig
from ganforge.errors import PASSED_ON, Cut, GanforgeError, NonFiniteError, RunDirectoryError
from ganforge.plugin.base_specs import Spec
from ganforge.plugin.registry import Component
from ganforge.printable import printable
from ganforge.runs.removal import clear
from ganforge.storage.run_directory import Lock, RunDirectory, State, next_directory
from ganforge.storage.working_folder import git_state

from .circumstances import other_circumstances
from .observers import Observer
from .resuming import trained_with
from .signals import Stopped, StopRequest
from .watchdog import Stalled

if TYPE_CHECKING:
    from .assemble import Assembly
    from .data_record import DataRecord
    from .trainer import Trainer


SMALLER = (
    "Smaller networks (`ganforge show NAME` lists their options), smaller samples, or data that is "
    "not kept in memory need less"
)


@dataclass(frozen=True, kw_only=True)
class Result:
    """Outcome of a session; `state` is `finished`, or what the request to stop called for.

    `next_commands` show what the callbacks of the run have written.
    """

    step: int
    num_steps: int
    images: int
    seconds: float
    state: State
    next_commands: tuple[str, ...] = ()


def train(
    config: RunConfig,
    run: RunDirectory,
    *,
    resume: bool = False,
    overwrite: bool = False,
    changes: dict[str, Any] | None = None,
    allow: Collection[str] = (),
    observers: Sequence[Observer],
    stop: StopRequest,
    command: Sequence[str] = (),
    remedies: Iterable[Component[Spec]] = (),
) -> Result:
    """Train in a run directory, from the start or from where it was left.

    `observers` are told of everything. `changes` is what a resumed run changes of its
    configuration, and `allow` what it goes on in spite of. A request to `stop` ends the session
    after a checkpoint. A new run that fails before its first step leaves nothing behind, and what
    it was to `overwrite` as it was. `command` is what was typed, for the record. `remedies` are
    components that may be named where something goes wrong.

    Raises the errors of building and of training; `status.json` keeps how it ended.
    """
    began = datetime.now(UTC)
    with Lock(run):
        if not resume and not overwrite:
            # Another process may have come and gone since the directory was found empty.
            run.refuse_another()
            _begin(config, run)
        try:
            trainer, data = _prepare(config, run, observers, resume, remedies, changes or {}, allow)
        except (GanforgeError, Cut):
            if not resume and not overwrite:
                run.discard()
            raise
        if overwrite:
            clear(run)
            _begin(config, run)
        from .data_record import keep_data

        keep_data(run, config, data)
        environment = _environment(trainer.assembly, began, command) | {"data": data.summary()}
        if resume:
            _go_on(trainer, environment)
        if allow:
            environment["allowed"] = sorted(allow)
        run.record_session(environment, changes or {})
        run.write_status("running", trainer.step)
        try:
            with _noting_a_cut(run):
                state = trainer.train(stop)
        except GanforgeError as error:
            with suppress(RunDirectoryError):
                run.write_status("failed", trainer.step, printable(error))
            raise _with_last_checkpoint(error, trainer) from error
        run.write_status(state, trainer.step)
        return Result(
            step=trainer.step,
            num_steps=trainer.assembly.training.num_steps,
            images=trainer.images_seen,
            seconds=trainer.speed.seconds,
            state=state,
            next_commands=trainer.reports.next_commands(),
        )


def _begin(config: RunConfig, run: RunDirectory) -> None:
    """Make an empty directory that of a new run."""
    run.write_config(config.to_toml())
    run.make_folders()
    run.write_status("running", 0)


def _go_on(trainer: Trainer, environment: dict[str, Any]) -> None:
    """Keep what is new of a run that goes on, and say what is otherwise around it."""
    run = trainer.run
    for difference in other_circumstances(run.sessions(), environment):
        warnings.warn(difference, stacklevel=2)
    absent = not run.config.is_file()
    if absent and (trained := trained_with(run)) is not None:
        # As it was, until a checkpoint has what this session changes.
        run.write_config(trained.text)
    trainer.keep_changes()
    if absent:
        warnings.warn(
            f"{printable(run.config)} was not there, and is written as the checkpoint has it",
            stacklevel=2,
        )
    if trainer.changes or absent:
        run.write_config(trainer.assembly.config.to_toml())


@contextmanager
def _noting_a_cut(run: RunDirectory) -> Iterator[None]:
    """Keep in the status what has ended the session at once, with nothing saved."""
    try:
        yield
    except Stalled as stalled:
        with suppress(RunDirectoryError):
            run.write_status("failed", run.saved_step, str(stalled))
        raise
    except Stopped as stopped:
        with suppress(RunDirectoryError):
            run.write_status(stopped.state, run.saved_step)
        raise


def _prepare(
    config: RunConfig,
    run: RunDirectory,
    observers: Sequence[Observer],
    resume: bool,
    remedies: Iterable[Component[Spec]],
    changes: dict[str, Any],
    allow: Collection[str],
) -> tuple[Trainer, DataRecord]:
    from ganforge.device.memory import memory_explained

    from .assemble import assemble
    from .culprit import failure
    from .data_record import record_data
    from .state import trained_classes
    from .trainer import Trainer

    for observer in observers:
        observer.preparing("the building of the run")
    try:
        with memory_explained(lambda: "while the run was built", lambda: SMALLER):
            fresh = not resume or not run.list_checkpoints()
            trained = {} if fresh else trained_classes(run, config)
            assembly = assemble(config, fresh=fresh, trained=trained)
            data = record_data(run, assembly, compare=not fresh)
            trainer = Trainer(assembly, run, *observers, remedies=remedies, changes=changes)
            if resume:
                run.make_folders()
                trainer.resume(allow)
    except PASSED_ON:
        raise
    except BaseException as error:
        raise failure("the setting up of the run", error, config, None) from error
    return trainer, data


def _environment(assembly: Assembly, began: datetime, command: Sequence[str]) -> dict[str, Any]:
    from ganforge.storage import provenance

    components = [selection.component for selection in assembly.config.selections]
    found: dict[str, Any] = {"started": began.isoformat(timespec="seconds")}
    if command:
        found["command"] = list(command)
    if (git := git_state(Path())) is not None:
        found["git"] = git
    found |= provenance.environment(components, assembly.execution.describe())
    if assembly.starts:
        found["init"] = {side: start.record() for side, start in assembly.starts.items()}
    return found


def _with_last_checkpoint(error: GanforgeError, trainer: Trainer) -> GanforgeError:
    """A loss that is not finite is answered with the place to go back to."""
    if not isinstance(error, NonFiniteError):
        return error
    good = trainer.values.last_good()
    if good is None:
        return NonFiniteError(f"{error}; there is no checkpoint yet that is finite")
    return NonFiniteError(
        f"{error}; the last good checkpoint is {printable(good)}, from which `ganforge train "
        f"--resume {trainer.run}` goes on, with --learning-rate or --override as you like"
    )


def new_run(
    config: RunConfig,
    out: Path | None = None,
    recipe: str | None = None,
    *,
    overwrite: bool = False,
) -> RunDirectory:
    """A directory for a new run: `out`, or the next number in `runs`.

    It is empty, unless it holds a run to `overwrite`. It is named after the recipe, or
    `00001-dcgan-nonsat-digits` after what the run is made of.
    """
    named = [it.component.name for it in config.losses]
    losses = "+".join(name for name in named if name not in config.companions)
    name = "-".join([config.generator.component.name, losses, config.dataset.component.name])
    if recipe is not None:
        name = recipe.rpartition("/")[2]
    return RunDirectory.create(out or next_directory(Path("runs"), name), overwrite=overwrite)
