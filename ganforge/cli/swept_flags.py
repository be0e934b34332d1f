"""The flags of `train`, each of which may have several values in a sweep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from ganforge.config.layers import Layer, from_file
from ganforge.config.resolve import resolve
from ganforge.config.run_config import RunConfig
from ganforge.config.shortcuts import SHORTCUTS
from ganforge.errors import UsageError
from ganforge.plugin.registry import Registry
from ganforge.printable import printable
from ganforge.sweeps.axes import Axis, FlagForm, file_axes, flag_axis, setting_axis, split_values
from ganforge.sweeps.plan import Resolve

from . import train
from .grouped import GroupedOption

#: parameters of train that are settings; the others are about one run on a person's screen
SETTINGS = frozenset(
    {*SHORTCUTS, *train.FLAGS_OF_TABLES.values(), "recipe", "config", "dataset", "settings"}
    | {"no_companions"}
)
LISTS = frozenset({"betas"})
TABLE = "sweep"


def _options() -> list[GroupedOption]:
    return [
        it for it in train.command.params if isinstance(it, GroupedOption) and it.name in SETTINGS
    ]


def with_flags_of_train(command: click.Command) -> click.Command:
    """Add the flags of train to a command: as text, and repeatable, so that this can be refused."""
    own = {it.name for it in command.params}
    for option in _options():
        if option.name in own:
            continue
        command.params.append(
            GroupedOption(
                [option.name or "", *_declared(option)],
                group=option.group,
                metavar=None if option.is_flag else option.metavar,
                is_flag=option.is_flag,
                default=None,
                multiple=not option.is_flag,
                type=None if option.is_flag else str,
                help=(option.help or "").replace("repeatable", "a+b for both"),
            )
        )
    return command


def _declared(option: click.Option) -> list[str]:
    """The names of an option, as click takes them: `--conditional/--no-conditional` is one."""
    if not option.secondary_opts:
        return option.opts
    return [f"{yes}/{no}" for yes, no in zip(option.opts, option.secondary_opts, strict=True)]


def form_of(option: click.Option) -> FlagForm:
    return FlagForm(
        flag=max(option.opts, key=len) if option.name != "callback" else "--logger",
        repeatable=option.multiple,
        is_list=option.name in LISTS,
    )


def forms() -> dict[str, FlagForm]:
    """The forms in which train takes its flags, by their names without dashes."""
    found: dict[str, FlagForm] = {}
    for option in _options():
        if option.name != "settings" and not option.is_flag:
            found |= {name.lstrip("-"): form_of(option) for name in option.opts}
    return found


def given_flags(given: Mapping[str, Any]) -> list[str]:
    """The flags of train that stand on the command line."""
    found = [_spelling(it, given.get(it.name or "")) for it in _options()]
    return [it for it in found if it is not None]


def _spelling(option: click.Option, value: Any) -> str | None:
    """The flag by which an option was given; None where it was not."""
    if value is False and option.secondary_opts:
        return option.secondary_opts[0]
    return option.opts[0] if value else None


def axes_of(given: Mapping[str, Any]) -> tuple[list[Axis], Layer | None]:
    """The axes on the command line and in the file of `--config`, and that file's settings.

    Raises UsageError for what is ambiguous.
    """
    axes: list[Axis] = []
    for option in _options():
        values = given.get(option.name or "")
        if values and option.name == "settings":
            axes += [setting_axis(it) for it in values]
        elif values and not option.is_flag:
            axes.append(_axis(option, values))
    paths = next((it for it in axes if it.name == "config" and len(it.values) == 1), None)
    if paths is None:
        return axes, None
    axes.remove(paths)
    path = Path(paths.values[0].text)
    file = from_file(path)
    named = {it.name for it in axes}
    in_file = [it for it in _in_file(file, path) if it.name not in named]
    kept = tuple(it for it in file.entries if it.path[0] != TABLE)
    return [*in_file, *axes], replace(file, entries=kept)


def _axis(option: click.Option, values: Sequence[str]) -> Axis:
    form = form_of(option)
    if len(values) > 1:
        joined = f", or {form.flag} {'+'.join(values)} for both in each run" * form.repeatable
        raise UsageError(
            f"{form.flag} is given {len(values)} times; write {form.flag} {','.join(values)} for a "
            f"run with each{joined}"
        )
    # A folder of this very name, and a list of values, look the same.
    if len(split_values(values[0], form.flag)) > 1 and _exists(values[0]):
        raise UsageError(
            f"{form.flag} {values[0]} is a path and could be several values; put the path in "
            f"quotes: {form.flag} '\"{values[0]}\"'"
        )
    return flag_axis(form, values[0])


def _exists(path: str) -> bool:
    try:
        return Path(path).exists()
    except (OSError, ValueError):
        return False


def _in_file(layer: Layer, path: Path) -> list[Axis]:
    """The axes of a file's table `[sweep]`, whose keys may be dotted."""
    table = {
        ".".join(entry.path[1:]): entry.value for entry in layer.entries if entry.path[0] == TABLE
    }
    return file_axes(table, forms(), str(path)) if table else []


def parsed(command: click.Command, arguments: Sequence[str]) -> click.Context:
    """Arguments as a command reads them, without calling it.

    Within the context that is current: a command keeps its help option, with the names that its
    first context has for it.
    """
    parent = click.get_current_context(silent=True)
    return command.make_context(command.name, [*arguments], parent=parent)


def flags_set(given: Mapping[str, Any]) -> list[str]:
    """Those flags without a value that hold for all runs: `--conditional`."""
    found = [_spelling(it, given.get(it.name or "")) for it in _options() if it.is_flag]
    return [it for it in found if it is not None]


def resolver(given: Mapping[str, Any], file: Layer | None, registry: Registry) -> Resolve:
    """The function that resolves the arguments of one run, exactly as train would."""
    fixed = flags_set(given)

    def resolve_run(arguments: Sequence[str]) -> RunConfig:
        try:
            context = parsed(train.command, [*fixed, *arguments])
        except click.UsageError as error:
            raise UsageError(printable(error.format_message())) from error
        return resolve(train.layers_from(context.params, registry, file), registry)

    return resolve_run
