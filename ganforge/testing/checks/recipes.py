"""Checks of recipes: TOML that begins with its command, and that a run can be made of."""

from __future__ import annotations

import shlex
import tomllib
from importlib import import_module
from itertools import pairwise

from ganforge.config.data_path import path_layer
from ganforge.config.layers import Layer, from_settings, from_text
from ganforge.config.recipes import read_recipe
from ganforge.config.resolve import resolve
from ganforge.errors import ConfigError, GanforgeError
from ganforge.plugin.discovery import discover
from ganforge.plugin.registry import Registry
from ganforge.plugin.specs import RecipeSpec
from ganforge.testing.finding import find_components
from ganforge.testing.framework import Check, Subject, check_of
from ganforge.testing.framework import OldFailure as CheckFailure

COMMAND = ("ganforge", "train", "--recipe")


def file_is_toml(subject: Subject[RecipeSpec]) -> None:
    text = read_recipe(subject.component)
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CheckFailure(
            "TOML", came=str(error), mend="see that it is what `ganforge train --config` takes"
        ) from error
    if not tree:
        raise CheckFailure("values", came="none", mend="say what differs from the defaults")


def file_begins_with_its_command(subject: Subject[RecipeSpec]) -> None:
    if _command(subject) is None:
        first = (read_recipe(subject.component).splitlines() or [""])[0]
        raise CheckFailure(
            f"a comment `# {' '.join(COMMAND)} {subject.spec.name}` before the first value",
            came=repr(first),
            mend="let the first lines give the command, the source and the result to expect",
        )


def run_can_be_made_of_it(subject: Subject[RecipeSpec]) -> None:
    registry = _registry(subject)
    # TOML that cannot be read is another check's to say.
    layers = [from_text(read_recipe(subject.component), f"recipe {subject.spec.name}")]
    try:
        resolve([*layers, *_flags(subject, registry)], registry)
    except ConfigError as error:
        raise CheckFailure(
            "a configuration without fault, with what its command sets",
            came=str(error),
            mend="see what `ganforge train --recipe NAME --dry-run` says",
        ) from error


def _command(subject: Subject[RecipeSpec]) -> list[str] | None:
    """The arguments of the command in the comments that the file begins with."""
    names = (subject.spec.name, subject.component.qualified_name)
    for line in read_recipe(subject.component).splitlines():
        if line.strip() and not line.startswith("#"):
            break
        try:
            words = tuple(shlex.split(line.lstrip("# ")))
        except ValueError:  # an apostrophe in a sentence
            continue
        if words[:3] == COMMAND and words[3:4] and words[3] in names:
            return [*words[4:]]
    return None


def _flags(subject: Subject[RecipeSpec], registry: Registry) -> list[Layer]:
    """The settings of the command besides the recipe, such as where the data is."""
    words = _command(subject) or []
    flags = [*pairwise(words)]
    layers = [path_layer(value, registry) for flag, value in flags if flag == "--dataset"]
    return [*layers, from_settings([value for flag, value in flags if flag == "--set"])]


def _registry(subject: Subject[RecipeSpec]) -> Registry:
    """The installed components, and those of the recipe's own plugin where it is not installed."""
    installed = discover().registry
    package = subject.spec.file.partition(":")[0]
    try:
        own = [it.component for it in find_components(import_module(package))]
    except (GanforgeError, ImportError):
        own = []
    known = {(it.kind, it.name) for it in installed}
    return Registry([*installed, *(it for it in own if (it.kind, it.name) not in known)])


_check = check_of("recipe")


CHECKS: tuple[Check, ...] = (
    _check("file-is-toml", "the file is there, and is TOML with values", file_is_toml),
    _check(
        "file-begins-with-its-command",
        "the first lines are comments that give the command",
        file_begins_with_its_command,
    ),
    _check("run-can-be-made-of-it", "its values are those of a run", run_can_be_made_of_it),
)
