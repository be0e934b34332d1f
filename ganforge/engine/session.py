"""A session of a run: a new one, or one that goes on. What `ganforge train` calls.

torch is imported by `train` alone, after everything that can be wrong without it has been checked.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganforge.config.layers import Layer, from_run
from ganforge.config.resolve import resolve
from ganforge.config.run_config import OPTIMIZER_SECTIONS, KeyPath, RunConfig
from ganforge.errors import (
    Complaint,
    ConfigError,
    GanforgeError,
    NonFiniteError,
    PluginError,
    RunDirectoryError,
    listed,
)
from ganforge.plugin.base_specs import Spec
from ganforge.plugin.options import describe, to_toml
from ganforge.plugin.registry import Component, Registry
from ganforge.plugin.requirements import installation
from ganforge.plugin.schedule import schedule_from
from ganforge.printable import described, printable
from ganforge.storage.run_directory import Lock, RunDirectory, State, next_directory
from ganforge.storage.working_folder import git_state

from .observers import Observer

if TYPE_CHECKING:
    from .assemble import Assembly
    from .trainer import Trainer


#: the kinds that watch a run, and change nothing of it
WATCHING = ("metric", "features", "callback")


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


def resume_config(
    run: RunDirectory, layers: Sequence[Layer], registry: Registry
) -> tuple[RunConfig, dict[str, Any]]:
    """The configuration of a resumed run, and what the layers change of the one it had.

    Raises ConfigError for a change of what cannot change when resuming.
    """
    stored = from_run(run.config)
    try:
        before = resolve([stored], registry)
    except ConfigError as error:
        raise ConfigError([*error.complaints, *_not_installed(run, registry)]) from error
    old = before.values()
    config = resolve([stored, *layers], registry)
    new = config.values()
    changes: dict[str, Any] = {}
    complaints = []
    for kind in WATCHING:
        tables = (before.tables[kind], config.tables[kind])
        names = [[it.config_name for it in chosen] for chosen in tables]
        if names[0] != names[1]:
            changes[kind] = {"from": names[0], "to": names[1]}
    for path in sorted(old.keys() | new.keys()):
        was, now = old.get(path), new.get(path)
        if was == now:
            continue
        key = printable(".".join(path))
        watching = path[0] in WATCHING
        if was is not None and now is not None and (now.mutable or watching):
            changes[key] = {"from": was.value, "to": now.value}
        if watching or key in changes:
            continue
        shown = ["absent" if it is None else printable(it.value, 60) for it in (was, now)]
        what = f"{shown[0]} -> {shown[1]} cannot change when resuming"
        complaints.append(Complaint(where=key, what=what))
    if complaints:
        raise ConfigError(complaints)
    if {"training.steps", "training.epochs"} & changes.keys():
        usual = _usual_of_optimizers(config)
        _warn_of_stretched_schedules(
            {
                path: line.value
                for path, line in new.items()
                if old.get(path) == line and line.value != usual.get(path)
            }
        )
    return config, changes


def _usual_of_optimizers(config: RunConfig) -> dict[KeyPath, object]:
    """The defaults of the optimizers: a schedule that nobody set is that of a run of any length."""
    return {
        (section, field.name): to_toml(field.default)
        for section in OPTIMIZER_SECTIONS
        for field in describe(type(getattr(config, section).options))
    }


def _warn_of_stretched_schedules(kept: Mapping[KeyPath, object]) -> None:
    """Name the schedules, of the values that stay, that a run of another length stretches."""
    keys = [
        printable(".".join(path))
        for path, value in kept.items()
        if isinstance(value, dict) and schedule_from(value).in_shares
    ]
    if keys:
        warnings.warn(
            f"the run is of another length now, and so is the schedule of {listed(keys)}, which is "
            "counted in shares of the run; one that is counted in images stays as it is",
            stacklevel=3,
        )


def _not_installed(run: RunDirectory, registry: Registry) -> Iterator[Complaint]:
    """The packages that the run was made with and that are not here, with what installs them."""
    for qualified_name, version in run.last_plugins().items():
        package = qualified_name.partition("/")[0]
        if package not in registry.packages:
            what = f"was made with {printable(qualified_name)} {printable(version)}"
            command = installation(package, version)
            yield Complaint(where=str(run), what=f"{what}{': ' if command else ''}{command}")


def train(
    config: RunConfig,
    run: RunDirectory,
    *,
    resume: bool = False,
    changes: dict[str, Any] | None = None,
    observers: Sequence[Observer],
    stop_request: Callable[[], State | None],
    command: Sequence[str] = (),
    remedies: Iterable[Component[Spec]] = (),
) -> Result:
    """Train in a run directory, from the start or from where it was left.

    `observers` are told of everything. `changes` is what a resumed run changes of its
    configuration. `stop_request` is asked between steps; what it answers ends the session after a
    checkpoint. A new run that fails before its first step leaves nothing behind. `command` is what
    was typed, for the record. `remedies` are components that may be named where something goes
    wrong.

    Raises the errors of building and of training; `status.json` keeps how it ended.
    """
    began = datetime.now(UTC)
    with Lock(run):
        if not resume:
            # Another process may have come and gone since the directory was found empty.
            run.refuse_another()
        if not resume or changes:
            run.write_config(config.to_toml())
        run.make_folders()
        step = next((step for step, _ in run.list_checkpoints()), 0)
        run.write_status("running", step)
        try:
            trainer = _prepare(config, run, observers, resume, remedies)
        except GanforgeError as error:
            if resume:
                run.write_status("failed", step, printable(error))
            else:
                run.discard()
            raise
        assembly = trainer.assembly
        run.record_session(_environment(assembly, began, command), changes or {})
        run.write_status("running", trainer.step)
        try:
            state = trainer.train(stop_request)
        except GanforgeError as error:
            with suppress(RunDirectoryError):
                run.write_status("failed", trainer.step, printable(error))
            raise _with_last_checkpoint(error, run) from error
        run.write_status(state, trainer.step)
        return Result(
            step=trainer.step,
            num_steps=assembly.training.num_steps,
            images=trainer.images_seen,
            seconds=trainer.speed.seconds,
            state=state,
            next_commands=trainer.reports.next_commands(),
        )


def _prepare(
    config: RunConfig,
    run: RunDirectory,
    observers: Sequence[Observer],
    resume: bool,
    remedies: Iterable[Component[Spec]],
) -> Trainer:
    from .assemble import assemble
    from .state import trained_classes
    from .trainer import Trainer

    try:
        fresh = not resume or not run.list_checkpoints()
        trained = {} if fresh else trained_classes(run, config)
        assembly = assemble(config, fresh=fresh, trained=trained)
        trainer = Trainer(assembly, run, *observers, remedies=remedies)
        if resume:
            trainer.resume()
    except GanforgeError:
        raise
    except Exception as error:
        raise PluginError(
            f"the run could not be set up: {described(error)} (GANFORGE_DEBUG=1 shows where)"
        ) from error
    return trainer


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


def _with_last_checkpoint(error: GanforgeError, run: RunDirectory) -> GanforgeError:
    """A loss that is not finite is answered with the place to go back to."""
    if not isinstance(error, NonFiniteError):
        return error
    last = "there is no checkpoint yet"
    for _, path in run.list_checkpoints()[:1]:
        last = f"the last good checkpoint is {printable(path)}"
    return NonFiniteError(f"{error}; {last}")


def new_run(config: RunConfig, out: Path | None = None, recipe: str | None = None) -> RunDirectory:
    """An empty directory for a run: `out`, or the next number in `runs`.

    It is named after the recipe, or `00001-dcgan-nonsat-digits` after what the run is made of.
    """
    named = [it.component.name for it in config.losses]
    losses = "+".join(name for name in named if name not in config.companions)
    name = "-".join([config.generator.component.name, losses, config.dataset.component.name])
    if recipe is not None:
        name = recipe.rpartition("/")[2]
    return RunDirectory.create(out or next_directory(Path("runs"), name))
