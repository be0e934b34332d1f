"""Completion in the shell: names of components, run directories, packages; without torch.

The shell asks through the variable `_GANFORGE_COMPLETE`, and click answers. What a parameter can
be completed to is told by its name, in one table for all commands.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from ganforge.plugin.discovery import discover
from ganforge.plugin.registry import Registry

USUAL_PLACE = Path("runs")
MOST_RUNS = 200

Source = Callable[[click.Context, str], list[CompletionItem]]


def names_of(*kinds: str, files: bool = False) -> Source:
    """The names of components of these kinds, or of all; with `files` paths besides."""

    def complete(context: click.Context, incomplete: str) -> list[CompletionItem]:
        registry = _registry(context)
        found = {
            registry.short_name(it): it.spec.summary
            for it in registry
            if not kinds or it.kind in kinds
        }
        items = [
            CompletionItem(name, help=summary)
            for name, summary in sorted(found.items())
            if name.startswith(incomplete)
        ]
        # First, since bash forgets what came before it.
        return [CompletionItem(incomplete, type="file"), *items] if files else items

    return complete


def packages(context: click.Context, incomplete: str) -> list[CompletionItem]:
    """The packages that have plugins."""
    names = sorted(_registry(context).packages)
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def run_directories(context: click.Context, incomplete: str) -> list[CompletionItem]:
    """Runs in the folder that is typed, or in `runs`; any other path besides."""
    typed = Path(incomplete)
    parents = [typed if incomplete.endswith("/") else typed.parent]
    if "/" not in incomplete:
        parents.append(USUAL_PLACE)
    found = []
    for parent in parents:
        try:
            children = sorted(parent.iterdir())
        except OSError:
            continue
        found += [str(it) for it in children if (it / "config.toml").is_file()]
    shown = [name for name in found if name.startswith(incomplete)]
    if not shown and "/" not in incomplete:
        # The number of a run is what people remember of it.
        shown = [name for name in found if Path(name).name.startswith(incomplete)]
    items = [CompletionItem(name) for name in shown[:MOST_RUNS]]
    return [CompletionItem(incomplete, type="file"), *items]


#: name of a parameter, or of a command with its parameter -> what it is completed to
SOURCES: dict[str, Source] = {
    "generator": names_of("generator"),
    "discriminator": names_of("discriminator"),
    "game": names_of("game"),
    "sampler": names_of("sampler"),
    "dataset": names_of("dataset", files=True),
    "loss": names_of("loss"),
    "augment": names_of("augmentation"),
    "metric": names_of("metric"),
    "features": names_of("features"),
    "callback": names_of("callback"),
    "recipe": names_of("recipe"),
    "refine": names_of("refinement"),
    "resume": run_directories,
    "init": run_directories,
    "source": run_directories,
    "path": run_directories,
    "paths": run_directories,
    "plugin": packages,
    "show.name": names_of(),
}


class _Completing(click.ParamType):  # type: ignore[type-arg]
    """A type that completes as well, and is otherwise the one that it replaces."""

    def __init__(self, replaced: Any, source: Source) -> None:
        self.name = replaced.name
        self._replaced = replaced
        self._source = source

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return self._replaced.convert(value, param, ctx)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        return self._source(ctx, incomplete)


def complete_parameters(command: click.Command) -> click.Command:
    """The command, whose parameters complete as the table says."""
    if isinstance(command, click.Group):
        for each in command.commands.values():
            complete_parameters(each)
    for parameter in command.params:
        name = parameter.name or ""
        source = SOURCES.get(f"{command.name}.{name}") or SOURCES.get(name)
        if source is not None:
            parameter.type = _Completing(parameter.type, source)
    return command


def _registry(context: click.Context) -> Registry:
    third_party = not context.find_root().params.get("no_plugins")
    return discover(third_party=third_party).registry
