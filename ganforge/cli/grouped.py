"""Commands whose `--help` groups the options, which click itself does not do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

Function = TypeVar("Function", bound=Callable[..., Any])


class GroupedOption(click.Option):
    """An option that knows its group."""

    def __init__(self, *arguments: Any, group: str = "Options", **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.group = group


def option_in(group: str, *arguments: Any, **keywords: Any) -> Callable[[Function], Function]:
    """`click.option`, in a group."""
    return click.option(*arguments, cls=GroupedOption, group=group, **keywords)


class GroupedCommand(click.Command):
    """Prints the options under the headings of their groups, in the order of declaration."""

    def format_options(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        groups: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(context):
            if not isinstance(parameter, click.Option):
                continue  # some versions of click have a record of arguments too
            record = parameter.get_help_record(context)
            if record is not None:
                groups.setdefault(getattr(parameter, "group", "Other"), []).append(record)
        for group, records in groups.items():
            with formatter.section(group):
                formatter.write_dl(records)
