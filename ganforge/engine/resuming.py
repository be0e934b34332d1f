"""The configuration of a run that goes on: what it was trained with, and what of it may change.

What a run was trained with stands in its newest checkpoint. `config.toml` is a copy of it for
people, who edit it: what may change when resuming may be changed there, and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ganforge.config.layers import Layer, from_run, of_run
from ganforge.config.resolve import resolve
from ganforge.config.run_config import ConfigLine, KeyPath, RunConfig
from ganforge.config.toml import shown
from ganforge.errors import (
    CheckpointError,
    Complaint,
    ConfigError,
    PluginError,
    UsageError,
    listed,
    sentence,
    shortened,
)
from ganforge.plugin.registry import Registry
from ganforge.plugin.requirements import installation
from ganforge.printable import printable
from ganforge.sharing import is_secret, portable
from ganforge.storage.descriptions import described_checkpoints
from ganforge.storage.run_directory import RunDirectory

from .stretching import warn_of_stretched_schedules

#: the kinds that watch a run, and change nothing of it
WATCHING = ("metric", "features", "callback")

#: what the tensors of a run are made for: its weights mean nothing in another one
_MODEL = ("generator", "discriminator", "game", "sampler", "dataset")


@dataclass(frozen=True, kw_only=True)
class Trained:
    """The configuration in the newest checkpoint of a run.

    `overridden` is what the session that wrote it has overridden, as its record has it.
    """

    run: RunDirectory
    path: Path
    step: int
    text: str
    overridden: Mapping[str, Any]

    @property
    def layer(self) -> Layer:
        return of_run(self.text, printable(self.path), self.run.config)


@dataclass(frozen=True, kw_only=True)
class _Difference:
    """A key that has two values, or is absent on one side."""

    path: KeyPath
    was: ConfigLine | None
    now: ConfigLine | None

    @property
    def key(self) -> str:
        return printable(".".join(self.path))

    @property
    def is_free(self) -> bool:
        """True where any session may change it."""
        both = self.was is not None and self.now is not None
        return may_change(self.path, self.now if both else None)

    def record(self) -> dict[str, Any]:
        was, now = (None if it is None else it.value for it in (self.was, self.now))
        return {"from": was, "to": now}

    def __str__(self) -> str:
        return " -> ".join(
            "absent" if it is None else shown(it.value) for it in (self.was, self.now)
        )


def open_to_resume(path: Path) -> RunDirectory:
    """A run to go on with, with or without its `config.toml`. Raises UsageError where none is."""
    run = RunDirectory(path)
    return run if trained_with(run) is not None else RunDirectory.open(path)


def trained_with(run: RunDirectory) -> Trained | None:
    """The configuration in the newest checkpoint; None where there is none that has one.

    Raises NewerFormatError for a checkpoint of a newer ganforge.
    """
    for step, path, document in described_checkpoints(run):
        text, overridden = document.get("config"), document.get("overridden") or {}
        if isinstance(text, str) and isinstance(overridden, dict):
            return Trained(run=run, path=path, step=step, text=text, overridden=overridden)
    return None


def resume_config(
    run: RunDirectory,
    layers: Sequence[Layer],
    registry: Registry,
    overrides: Layer | None = None,
) -> tuple[RunConfig, dict[str, Any]]:
    """The configuration of a resumed run, and what changes of the one that it was trained with.

    `overrides` may change what `layers` may not. Raises ConfigError for a change of what cannot
    change when resuming, and CheckpointError where `config.toml` is of another model.
    """
    trained = trained_with(run)
    stored = _stored(run, trained)
    edited = _resolved(run, stored, trained, registry)
    old = edited if trained is None else resolve([trained.layer], registry)
    if trained is not None:
        _refuse_edits(run, stored, trained, _differences(old, edited))
    named = overrides or Layer()
    config = resolve([stored, *layers, named], registry)
    _check_length(config, trained)
    changes: dict[str, Any] = {}
    for kind in WATCHING:
        names = [[it.config_name for it in chosen.tables[kind]] for chosen in (old, config)]
        if names[0] != names[1]:
            changes[kind] = {"from": names[0], "to": names[1]}
    refused: list[_Difference] = []
    paths = {entry.path for entry in named.entries}
    for found in _differences(old, config):
        if found.is_free:
            if found.was is not None and found.now is not None:
                changes[found.key] = found.record()
        elif _is_overridden(found.path, paths):
            changes[found.key] = {**found.record(), "override": True}
        else:
            refused.append(found)
    if refused:
        raise _refusal(refused, paths, run)
    if {"training.steps", "training.epochs"} & changes.keys() and trained is not None:
        warn_of_stretched_schedules(old, config, trained.step)
    return config, changes


def _stored(run: RunDirectory, trained: Trained | None) -> Layer:
    """The layer of `config.toml`; that of the checkpoint where there is none, or only older one."""
    if trained is None:
        return from_run(run.config)
    if not run.config.is_file():
        return trained.layer
    try:
        layer = from_run(run.config)
    except ConfigError as error:
        raise ConfigError(error.complaints, _way_out(run, trained)) from error
    # A session that overrides writes the checkpoint first: killed there, it leaves an older file.
    older = {
        entry.path
        for entry in layer.entries
        if is_from_before(entry.path, entry.value, trained.overridden)
    }
    newer = tuple(entry for entry in trained.layer.entries if entry.path in older)
    kept = tuple(entry for entry in layer.entries if entry.path not in older)
    return replace(layer, entries=(*kept, *newer))


def _resolved(
    run: RunDirectory, stored: Layer, trained: Trained | None, registry: Registry
) -> RunConfig:
    try:
        return resolve([stored], registry)
    except ConfigError as error:
        if missing := _not_installed(run, registry):  # the configuration is as it was
            are = "is" if len(missing) == 1 else "are"
            raise PluginError(
                f"{printable(run)} was made with {listed(missing)}, which {are} not installed here"
            ) from error
        advice = ""
        if trained is not None:
            try:
                resolve([trained.layer], registry)
                advice = _way_out(run, trained)
            except ConfigError:  # it was right once
                pass
        raise ConfigError(error.complaints, advice) from error


def _way_out(run: RunDirectory, trained: Trained) -> str:
    return (
        f"the checkpoint of step {trained.step} has the configuration that the run was trained "
        f"with: remove {printable(run.config)}, and resuming writes it again from that"
    )


def _not_installed(run: RunDirectory, registry: Registry) -> list[str]:
    """The packages that the run was made with and that are not here, with what installs them."""
    found: dict[str, str] = {}
    for qualified_name, version in run.last_plugins().items():
        package = qualified_name.partition("/")[0]
        if package not in registry.packages:
            command = installation(package, version)
            shown = f"{printable(package)} {printable(version)}"
            found[package] = f"{shown} ({command})" if command else shown
    return list(found.values())


def _differences(old: RunConfig, new: RunConfig) -> list[_Difference]:
    left, right = old.values(), new.values()
    return [
        _Difference(path=path, was=left.get(path), now=right.get(path))
        for path in sorted(left.keys() | right.keys())
        if not _are_equal(path, left.get(path), right.get(path))
    ]


def _are_equal(path: KeyPath, was: ConfigLine | None, now: ConfigLine | None) -> bool:
    """True where nothing that a checkpoint keeps is different: no secret, no place of a machine."""
    if was is None or now is None:
        return was is now
    return is_same(path, was.value, now.value)


def is_same(path: KeyPath, was: object, now: object) -> bool:
    """True for two values of a key between which a checkpoint cannot tell."""
    return is_secret(path[-1]) or bool(portable(was) == portable(now))


def is_from_before(path: KeyPath, value: object, overridden: Mapping[str, Any]) -> bool:
    """True for the value that a key had before it was overridden, as a checkpoint has it."""
    change = overridden.get(".".join(path))
    return isinstance(change, Mapping) and bool(change.get("from") == value)


def may_change(path: KeyPath, line: ConfigLine | None) -> bool:
    """True for a key that any session may change; `line` is what it has, where it has anything."""
    return path[0] in WATCHING or (line is not None and line.mutable)


def _refuse_edits(
    run: RunDirectory, stored: Layer, trained: Trained, found: Sequence[_Difference]
) -> None:
    """Raise an error where `config.toml` says otherwise than the checkpoint what cannot change."""
    edits = [it for it in found if not it.is_free]
    if not edits:
        return
    file = printable(run.config)
    if any(it.path[0] in _MODEL for it in edits):
        listing = shortened([f"{it.key}: {it}" for it in edits])
        raise CheckpointError(
            f"{printable(trained.path)} is of another model than {file} says, and nothing was "
            f"loaded: {listing}. {sentence(_way_out(run, trained))}"
        )
    places = {entry.path: entry.where for entry in stored.entries}
    raise ConfigError(
        [
            Complaint(
                where=places.get(it.path, file), what=f"{it.key}: {it} cannot change when resuming"
            )
            for it in edits
        ],
        f"{file} was edited since the checkpoint of step {trained.step} was written: put back what "
        "that was trained with, which stands left of each arrow, and change it with "
        f"--override {edits[0].key}=VALUE, or remove the file, and resuming writes it again",
    )


def _is_overridden(path: KeyPath, named: set[KeyPath]) -> bool:
    """True where a key is named by an override, or belongs to a component that is."""
    return _can_be_overridden(path) and (path in named or (*path[:-1], "name") in named)


def _can_be_overridden(path: KeyPath) -> bool:
    """True where the tensors of a run mean something with another value, or tell that they do not.

    Networks and games are their weights; another data set or other conditions are another task.
    """
    fixed = (("training", "conditional"), ("dataset", "name"))
    return path[0] not in ("generator", "discriminator", "game") and path not in fixed


def _refusal(refused: Sequence[_Difference], named: set[KeyPath], run: RunDirectory) -> ConfigError:
    complaints = [
        Complaint(where=it.key, what=f"{it} cannot change when resuming") for it in refused
    ]
    can = [it for it in refused if _can_be_overridden(it.path) and it.path[0] != "loss"]
    never = [it.key for it in refused if not _can_be_overridden(it.path)]
    advice = []
    if can and can[0].now is not None:
        setting = f"{can[0].key}={shown(can[0].now.value)}"
        advice.append(f"--override {setting} changes it all the same, and is recorded")
    if never:
        advice.append(
            f"no --override changes {listed(never)}: the weights of the run are made for what it "
            f"has, and a new run begins from them with --init {run}"
        )
    return ConfigError(complaints, "; ".join(advice))


def _check_length(config: RunConfig, trained: Trained | None) -> None:
    """Raise UsageError where a run is to be shorter than it is."""
    if trained is not None and config.training.steps is not None:
        check_steps(config.training.steps, trained.step, "training.steps")


def check_steps(num_steps: int, step: int, key: str) -> None:
    """Raise UsageError for a number of steps that a run has behind it."""
    if num_steps < step:
        raise UsageError(
            f"{key}: the run has been trained for {step:,} steps, and cannot end after "
            f"{num_steps:,}; leave it as long as it was, or make it longer"
        )
