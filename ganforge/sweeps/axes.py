"""Axes of a sweep: settings that have several values, and how these are written.

A comma separates values, unless it stands within brackets, braces or quotes; a plus joins the
components of one value where a run may have several. What could be read in two ways is an error.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ganforge.config.toml import inline
from ganforge.errors import UsageError
from ganforge.printable import printable
from ganforge.storage.paths import cut_name

#: stands for no component at all, where a run may have any number
NONE = "none"

MAX_RUNS = 10_000
_CLOSING = {"[": "]", "{": "}"}


@dataclass(frozen=True, kw_only=True)
class Value:
    """One value of an axis: what is shown of it, and the arguments of `train` that set it."""

    text: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Axis:
    """A flag or a setting with its values; with one value it is the same in all runs."""

    name: str
    values: tuple[Value, ...]

    @property
    def label(self) -> str:
        """The last part of the name: `width` of `generator.width`."""
        return self.name.removesuffix(".name").rpartition(".")[2]


@dataclass(frozen=True, kw_only=True)
class FlagForm:
    """Form in which `train` takes a flag: any number of times, as a list of numbers, or once."""

    flag: str
    repeatable: bool = False
    is_list: bool = False


def split_values(text: str, where: str) -> list[str]:
    """The values between commas that are not within brackets, braces or quotes.

    Raises UsageError where one is empty, or where a bracket or a quote is not closed.
    """
    values = [""]
    closing: list[str] = []
    for char in text:
        if closing and closing[-1] in "\"'":
            if char == closing[-1]:
                closing.pop()
        elif char in "\"'":
            closing.append(char)
        elif char in _CLOSING:
            closing.append(_CLOSING[char])
        elif closing and char == closing[-1]:
            closing.pop()
        elif char == "," and not closing:
            values.append("")
            continue
        values[-1] += char
    if closing:
        raise UsageError(f"{where}: a {closing[-1]} is missing in {printable(text, 100)}")
    values = [value.strip() for value in values]
    if "" in values:
        raise UsageError(
            f"{where}: an empty value in {printable(text, 100)!r}; one comma separates values"
        )
    return values


def flag_axis(form: FlagForm, text: str) -> Axis:
    """The axis of a flag, `--loss nonsat,hinge+r1`. Raises UsageError."""
    where = form.flag
    values = split_values(text, where)
    bare = [value for value in values if not value.startswith("[")]
    if form.is_list and len(values) > 1 and bare:
        raise UsageError(
            f"{where} {printable(text, 60)} could be one list or several values; write "
            f"{where} [{printable(text, 60)}] for the list, or a list for each value"
        )
    return _axis(where.lstrip("-"), [_of_flag(form, value) for value in values], where)


def _of_flag(form: FlagForm, value: str) -> Value:
    enclosed = len(value) > 1 and (value[0] in "\"'" or (form.is_list and value[0] == "["))
    inside = value[1:-1] if enclosed else value
    if not form.repeatable or value[:1] in "\"'":
        return Value(text=inside, arguments=(form.flag, inside))
    if inside == NONE:
        return Value(text=NONE, arguments=())
    parts = [part.strip() for part in inside.split("+")]
    if "" in parts:
        raise UsageError(
            f"{form.flag}: {printable(value, 60)!r} joins nothing; write nonsat+r1 for two terms"
        )
    return Value(
        text="+".join(parts), arguments=tuple(it for part in parts for it in (form.flag, part))
    )


def setting_axis(assignment: str) -> Axis:
    """The axis of `--set KEY=VALUES`. Raises UsageError."""
    key, separator, text = assignment.partition("=")
    where = f"--set {printable(assignment, 100)}"
    if not separator or not key.strip() or not text.strip():
        raise UsageError(f"{where}: must look like generator.width=32,64")
    values = split_values(text, where)
    return _axis(key.strip(), [_of_setting(key.strip(), value) for value in values], where)


def _of_setting(key: str, value: str) -> Value:
    return Value(text=value, arguments=("--set", f"{key}={value}"))


def file_axes(table: Mapping[str, object], forms: Mapping[str, FlagForm], where: str) -> list[Axis]:
    """The axes of a table `[sweep]`: lists of values by flag (`seed`) or setting (`loss.r1.gamma`).

    A value that is itself a list is one list, or the components of one value. Raises UsageError.
    """
    axes = []
    for name, values in table.items():
        place = f"{where}: sweep.{printable(name, 60)}"
        if not isinstance(values, list) or not values:
            raise UsageError(f"{place}: must be a list of values, such as [0, 1, 2]")
        form = forms.get(name.replace("_", "-"))
        if form is None and "." not in name:
            known = ", ".join(forms)
            raise UsageError(f"{place}: is no flag of `ganforge train` ({known}), nor a setting")
        found = [_of_file(form, name, value, place) for value in values]
        axes.append(_axis(name if form is None else form.flag.lstrip("-"), found, place))
    return axes


def _of_file(form: FlagForm | None, name: str, value: object, place: str) -> Value:
    if form is None:
        return _of_setting(name, inline(value))
    if isinstance(value, list):
        if not form.repeatable and not form.is_list:
            raise UsageError(f"{place}: {form.flag} takes one value, not {printable(value, 60)}")
        joined = ("+" if form.repeatable else ",").join(map(_plain, value))
        return _of_flag(form, joined or NONE)
    return _of_flag(form, _plain(value))


def _plain(value: object) -> str:
    return value if isinstance(value, str) else inline(value)


def _axis(name: str, values: Sequence[Value], where: str) -> Axis:
    texts = [value.text for value in values]
    if len(set(texts)) < len(texts):
        twice = next(text for text in texts if texts.count(text) > 1)
        raise UsageError(f"{where}: {printable(twice, 60)!r} is given twice")
    return Axis(name=name, values=tuple(values))


def combinations(axes: Sequence[Axis]) -> Iterator[dict[str, Value]]:
    """Every combination, a value of each axis by its name; the last axis changes first.

    Raises UsageError where an axis is given twice, or where there are too many.
    """
    names = [axis.name for axis in axes]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(
                f"{printable(name, 60)} is given twice; its values stand in one list: a,b"
            )
    number = 1
    for axis in axes:
        number *= len(axis.values)
    if number > MAX_RUNS:
        raise UsageError(f"these are {number:,} runs; a sweep has at most {MAX_RUNS:,}")
    for values in itertools.product(*(axis.values for axis in axes)):
        yield dict(zip(names, values, strict=True))


def run_name(values: Mapping[str, str], taken: set[str]) -> str:
    """`loss-hinge_seed-0`: a name for a run, by label and value, that no other one has."""
    parts = ["-".join(map(slug, pair)).rstrip("-") for pair in values.items()]
    name = "_".join(parts).strip("-.")
    name = cut_name(name) or "run"
    free = next(
        it for it in itertools.count(1) if (name if it == 1 else f"{name}_{it}") not in taken
    )
    return name if free == 1 else f"{name}_{free}"


def slug(text: str) -> str:
    """Text as a part of a file name that no shell and no system minds."""
    return re.sub(r"[^A-Za-z0-9.+-]+", "-", text).strip("-")
