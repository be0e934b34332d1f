"""Checks of recipes: TOML that begins with its command, and that a run can be made of."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from ganforge.config.data_path import path_layer
from ganforge.config.layers import Layer, from_settings, from_text
from ganforge.config.recipes import read_recipe
from ganforge.config.resolve import resolve
from ganforge.errors import ConfigError
from ganforge.plugin.discovery import discover
from ganforge.plugin.registry import Registry
from ganforge.plugin.specs import DatasetSpec, RecipeSpec
from ganforge.testing.framework import CheckFailure, NotApplicable, Subject, check, require

COMMAND = ("ganforge", "train", "--recipe")
PATH_PATTERN = re.compile(r"(/|~|\.\.?/|[A-Za-z]:[\\/]|\\\\)")
#: what is of a machine, and not of an experiment
OF_A_MACHINE = ("execution.device", "execution.num_workers", "generator.init", "discriminator.init")


@check(
    "the file is there, and is TOML with values",
    RecipeSpec,
    fix="see that it is what `ganforge train --config` takes, and say what differs from the "
    "defaults",
)
def file_is_toml(subject: Subject[RecipeSpec]) -> None:
    try:
        tree = tomllib.loads(read_recipe(subject.component))
    except tomllib.TOMLDecodeError as error:
        raise CheckFailure(str(error)) from error
    require(bool(tree), "no values")


@check(
    "the first lines are comments that give the command, `# ganforge train --recipe NAME`",
    RecipeSpec,
    fix="let the first lines give the command, the source and the result to expect",
)
def file_begins_with_its_command(subject: Subject[RecipeSpec]) -> None:
    first = (read_recipe(subject.component).splitlines() or [""])[0]
    require(_command(subject) is not None, repr(first))


@check(
    "a run can be made of its values, with what its command sets",
    RecipeSpec,
    fix="see what `ganforge train --recipe NAME --dry-run` says",
)
def run_can_be_made_of_it(subject: Subject[RecipeSpec]) -> None:
    registry = _registry(subject)
    # TOML that cannot be read is another check's to say.
    layers = [from_text(read_recipe(subject.component), f"recipe {subject.spec.name}")]
    try:
        resolve([*layers, *_flags(subject, registry)], registry)
    except ConfigError as error:
        raise CheckFailure(str(error)) from error


@check(
    "it fixes no device and no path, for it is run on other machines",
    RecipeSpec,
    fix="leave it out of the file, and let the command in the first lines show how it is given",
)
def no_device_and_no_path_is_fixed(subject: Subject[RecipeSpec]) -> None:
    try:
        tree = tomllib.loads(read_recipe(subject.component))
    except tomllib.TOMLDecodeError as error:
        raise NotApplicable("its file is no TOML") from error
    specs = [it.spec for it in _registry(subject)]
    paths = {f"dataset.{it.path_option}" for it in specs if isinstance(it, DatasetSpec)}
    for key, value in _values(tree):
        is_path = isinstance(value, str) and PATH_PATTERN.match(value)
        require(key not in {*OF_A_MACHINE, *paths} and not is_path, f"{key} = {value!r}")


def _values(tree: dict[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """The values of the tables by their dotted keys."""
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _values(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


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
    flags = [*pairwise(_command(subject) or [])]
    layers = [path_layer(value, registry) for flag, value in flags if flag == "--dataset"]
    return [*layers, from_settings([value for flag, value in flags if flag == "--set"])]


def _registry(subject: Subject[RecipeSpec]) -> Registry:
    """The installed components, and those of the recipe's own plugin where it is not installed."""
    installed = discover().registry
    known = {(it.kind, it.name) for it in installed}
    own = [it.component for it in subject.partners]
    return Registry([*installed, *(it for it in own if (it.kind, it.name) not in known)])
