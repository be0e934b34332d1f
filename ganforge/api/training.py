"""`train`: what `ganforge train` does, as a function."""

from __future__ import annotations

import signal
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack

from ganforge.config.arguments import Settings, from_arguments
from ganforge.config.data_path import path_layer
from ganforge.config.layers import Entry, Layer, from_file
from ganforge.config.recipes import recipe_layer
from ganforge.config.resolve import resolve
from ganforge.engine import session
from ganforge.engine.observers import Observer
from ganforge.engine.resuming import open_to_resume, resume_config
from ganforge.engine.signals import Stopped, StopRequest
from ganforge.errors import ConfigError, DataError, UsageError, listed
from ganforge.plugin.registry import Registry
from ganforge.printable import printable
from ganforge.storage.run_directory import RunDirectory, State

from .progress import FindingWarnings, ProgressLine
from .registry import found_registry, hand_over
from .runs import Run
from .surroundings import own_surroundings

if TYPE_CHECKING:
    from ganforge.contracts import Callback

    from .callbacks import OnMetrics
    from .generator import Generator

#: what a resumed run can be told to go on in spite of
ALLOWANCES = ("versions", "nonfinite")


@dataclass(frozen=True, kw_only=True)
class TrainingResult:
    """Outcome of a training: the run, and how it ended.

    `state` is `finished`, or `interrupted` where Ctrl-C or `stop` ended it after a checkpoint. The
    run has done `step` of `num_steps` steps, and seen so many `images`; `seconds` are those of this
    session.
    """

    run: Run
    state: State
    step: int
    num_steps: int
    images: int
    seconds: float

    def generator(self, device: str = "auto") -> Generator:
        """The trained generator, as `ganforge.load` gives it."""
        return self.run.load(device=device)


def train(
    config: Mapping[str, Any] | str | PathLike[str] | None = None,
    *,
    dataset: Any = None,
    recipe: str | None = None,
    out: str | PathLike[str] | None = None,
    overwrite: bool = False,
    resume: str | PathLike[str] | Run | None = None,
    override: Mapping[str, Any] | None = None,
    allow: Collection[Literal["versions", "nonfinite"]] = (),
    callbacks: Sequence[Callback | OnMetrics] = (),
    progress: bool = False,
    companions: bool = True,
    stop: Callable[[], bool] | None = None,
    **settings: Unpack[Settings],
) -> TrainingResult:
    """Train a GAN, or go on with a run.

    `config` is a dictionary with the keys of a run's `config.toml`, or a TOML file. `settings` are
    its sections (`training={"steps": 300}`, `generator="dcgan"`, `loss=["nonsat", "r1"]`), and the
    short names that the command line has (`steps=300`); they stand over `config`, and that over
    `recipe`.

    `dataset` is the name of a data set, a path, a table, or data of one's own: what
    `ganforge.dataset` gives or takes. `out` is the run directory, else the next one in `runs`;
    `resume` a run to go on with. With `overwrite` a run in `out` is replaced. `override` has the
    keys of `config`, and changes of a resumed run what else cannot change; it is recorded. `allow`
    says what such a run goes on in spite of: another major version of a plugin (`versions`), values
    that are NaN or infinite (`nonfinite`).

    `callbacks` are objects (`ganforge.Callback`) and functions of `(step, values)`. Without
    `companions` there are only the losses that are named, and no penalty that goes with them.
    `progress` writes a line to standard error. `stop` is asked between steps, and ends training
    after a checkpoint when it says True, as Ctrl-C does in the main thread; a signal that
    terminates has its usual effect after the checkpoint.

    The state of the process is left as it was: random generators, default type, signal handlers.
    Raises GanforgeError: ConfigError for a configuration, before anything is written.
    """
    _check_arguments(resume is not None, out, recipe, overwrite, override, allow)
    registry = found_registry()
    layers: list[Layer] = []
    if recipe is not None:
        layers.append(recipe_layer(registry.find("recipe", recipe)))
    if isinstance(config, Mapping):
        table = {key: value for key, value in config.items() if key != "dataset"}
        registry, entries = _data(registry, config.get("dataset"), "config['dataset']")
        layers.append(_with(entries, from_arguments(table, "config[{!r}]", whole=True)))
    elif config is not None:
        layers.append(from_file(Path(config)))
    registry, entries = _data(registry, dataset, "dataset=")
    named = _with(entries, from_arguments(settings))
    layers.append(replace(named, companions=companions))
    changes = None
    if resume is not None:
        run = open_to_resume(resume.path if isinstance(resume, Run) else Path(resume))
        _check_same_data(run, layers)
        named = from_arguments(override or {}, "override[{!r}]", whole=True)
        resolved, changes = resume_config(run, layers, registry, named)
    else:
        resolved = resolve(layers, registry)
    resolved.check_available()
    observers: list[Observer] = [FindingWarnings(), *([ProgressLine()] if progress else [])]
    if callbacks:
        from .callbacks import observers_of

        observers += observers_of(callbacks)
    if resume is None:
        place = None if out is None else Path(out)
        run = session.new_run(resolved, place, recipe, overwrite=overwrite)
    request = StopRequest(lambda: "interrupted" if stop is not None and stop() else None)
    with own_surroundings():
        outcome = _stoppable(
            request,
            lambda: session.train(
                resolved,
                run,
                resume=resume is not None,
                overwrite=overwrite,
                changes=changes,
                allow=allow,
                observers=observers,
                stop=request,
                remedies=registry,
            ),
        )
    return TrainingResult(
        run=Run(run.path),
        state=outcome.state,
        step=outcome.step,
        num_steps=outcome.num_steps,
        images=outcome.images,
        seconds=outcome.seconds,
    )


def _check_arguments(
    resumes: bool,
    out: object,
    recipe: object,
    overwrite: bool,
    override: object,
    allow: Collection[str],
) -> None:
    """Raise UsageError for arguments that exclude each other, or say nothing by themselves."""
    if resumes and (out is not None or recipe is not None or overwrite):
        raise UsageError(
            "resume= goes on in the run's own directory, with its own configuration; leave out "
            "out=, overwrite= and recipe="
        )
    if overwrite and out is None:
        raise UsageError("overwrite= replaces a run in the directory of out=, so name that too")
    if not resumes and (override or allow):
        raise UsageError("override= and allow= belong to resume=")
    unknown = [it for it in allow if it not in ALLOWANCES]
    if unknown:
        raise UsageError(f"allow= takes {listed(ALLOWANCES)}, and not {printable(unknown[0], 60)}")


def _stoppable(request: StopRequest, training: Callable[[], session.Result]) -> session.Result:
    """Train, with signals as requests to stop, in the main thread."""
    try:
        with request.listening():
            result = training()
    except Stopped as stopped:
        _pass_on(request)
        raise KeyboardInterrupt from stopped
    if result.state in ("terminated", "preempted"):
        _pass_on(request)
    return result


def _pass_on(request: StopRequest) -> None:
    """Let a signal that terminates have the effect that it has in this program."""
    if request.number is not None and request.number != signal.SIGINT:
        signal.raise_signal(request.number)


def _data(registry: Registry, given: Any, place: str) -> tuple[Registry, tuple[Entry, ...]]:
    """The registry and the settings of a data set, by name, path or table, or of data."""
    if given is None:
        return registry, ()
    if isinstance(given, Mapping) and not _is_data(given):
        return registry, from_arguments({"dataset": given}, place.replace("dataset", "{}")).entries
    if isinstance(given, str | PathLike):
        return registry, path_layer(str(given), registry, place).entries
    from .datasets import dataset

    return hand_over(registry, dataset(given), place)


def _is_data(table: Mapping[Any, Any]) -> bool:
    """True for a dictionary of values by field, rather than of settings."""
    return "sample" in table


def _with(entries: tuple[Entry, ...], layer: Layer) -> Layer:
    return replace(layer, entries=(*entries, *layer.entries))


def _check_same_data(run: RunDirectory, layers: Sequence[Layer]) -> None:
    """Raise DataError where other data is handed over than the run was trained on."""
    given = {it.path: it.value for layer in layers for it in layer.entries}.get(
        ("dataset", "digest")
    )
    try:
        stored = Run(run.path).settings.get("dataset.digest")
    except ConfigError:
        return  # which resuming complains of
    if given is not None and stored is not None and given != stored:
        raise DataError(
            f"{printable(run.path)} was trained on other data than what dataset= hands over: its "
            f"digest is {printable(stored, 40)}, and this one's {printable(given, 40)}"
        )
