"""The options of a component: a frozen dataclass whose fields say all that is to be known.

    @dataclass(frozen=True, kw_only=True)
    class GeneratorOptions:
        width: int = option(64, help="channels before the image", minimum=1)

The same description serves validation, `ganforge show`, the resolved configuration and the
conformance kit. Types: `bool`, `int`, `float`, `str`, a `Literal` of strings, fixed or open tuples
of the first four, and a scalar or a tuple or None. A number, or a tuple of numbers, can be
`scheduled`: then its value may be a `Schedule` too.
"""

from __future__ import annotations

import dataclasses
import math
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from ganforge.errors import ENDINGS, did_you_mean, listed
from ganforge.plugin.schedule import Schedule, schedule_from
from ganforge.printable import described, is_utf8, printable, represented

_METADATA = "ganforge"
_SCALARS: dict[type, str] = {
    bool: "true or false",
    int: "an integer",
    float: "a number",
    str: "a string",
}


@dataclass(frozen=True, kw_only=True)
class NoOptions:
    """The options of a component that has none."""


@dataclass(frozen=True, kw_only=True)
class _Declaration:
    """The arguments of `option()` besides the default, by the names of its parameters."""

    help: str
    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None
    below: float | None = None
    choices: tuple[str | int, ...] | None = None
    mutable: bool = False
    scheduled: bool = False
    before: str | int | float | None = None
    path: bool = False


def option(
    default: Any = dataclasses.MISSING,
    *,
    help: str,
    minimum: float | None = None,
    maximum: float | None = None,
    above: float | None = None,
    below: float | None = None,
    choices: Sequence[str] | Sequence[int] | None = None,
    mutable: bool = False,
    scheduled: bool = False,
    before: str | int | float | None = None,
    path: bool = False,
) -> Any:
    """A field of an options dataclass.

    `minimum` and `maximum` include the bound, `above` and `below` do not; all apply to each element
    of a tuple. `choices` lists the strings or integers allowed. `mutable` marks an option that may
    change when a run is resumed (a path, an interval). `scheduled` lets the value be a schedule:
    the field is annotated `float | Schedule`, and what uses it asks `step.progress.value(...)`; the
    bounds apply to both of its ends. `before` is what a run or a generator that was stored without
    the option was made with, where that is not the default of today. `path` marks the path of a
    file or folder: a run that goes on from another folder finds a relative one where it was.
    Without a default the option must be given.
    """
    declaration = _Declaration(
        help=help,
        minimum=minimum,
        maximum=maximum,
        above=above,
        below=below,
        choices=None if choices is None else tuple(choices),
        mutable=mutable,
        scheduled=scheduled,
        before=before,
        path=path,
    )
    return dataclasses.field(default=default, metadata={_METADATA: declaration})


@dataclass(frozen=True, kw_only=True)
class OptionField:
    """One option, described: what `ganforge show` prints and what a value is checked against."""

    name: str
    annotation: Any
    default: Any
    help: str
    minimum: float | None
    maximum: float | None
    above: float | None
    below: float | None
    choices: tuple[str | int, ...] | None
    mutable: bool
    scheduled: bool
    before: str | int | float | None
    path: bool

    @property
    def required(self) -> bool:
        return self.default is dataclasses.MISSING

    @property
    def is_text(self) -> bool:
        return _definite(self.annotation) is str

    @property
    def type_name(self) -> str:
        """The type as the documentation would write it: `integer`, `[number, number]`."""
        return _type_name(self.annotation) + (" or schedule" if self.scheduled else "")

    @property
    def allowed(self) -> str:
        """The bounds or choices in words; empty where there are none."""
        if self.choices is not None:
            return "one of " + listed([repr(choice) for choice in self.choices])
        bounds = [
            ("at least", self.minimum),
            ("above", self.above),
            ("at most", self.maximum),
            ("below", self.below),
        ]
        return " and ".join(
            f"{word} {bound if isinstance(bound, int) else format(bound, 'g')}"
            for word, bound in bounds
            if bound is not None
        )

    def parse(self, raw: object) -> Any:
        """The value of type `annotation` that `raw`, as it comes from TOML, stands for.

        Raises ValueError with a message that names what is allowed.
        """
        if self.scheduled and isinstance(raw, Schedule):  # a default
            raw = raw.to_toml()
        if self.scheduled and isinstance(raw, dict):
            definite = _definite(self.annotation)
            ends = {key: self._value(raw[key], definite) for key in ("from", "to") if key in raw}
            return schedule_from({**raw, **ends})
        return self._value(raw, self.annotation)

    def _value(self, raw: object, annotation: Any) -> Any:
        value = _convert(raw, annotation)
        for element in value if isinstance(value, tuple) else (value,):
            self._check(element)
        return value

    def _check(self, value: Any) -> None:
        if value is None:
            return
        if self.choices is not None and value not in self.choices:
            near = did_you_mean(str(value), map(str, self.choices))
            raise ValueError(f"{value!r} is not allowed: {self.allowed}{near}")
        if isinstance(value, bool) or not isinstance(value, int | float):
            return
        outside = (
            (self.minimum is not None and value < self.minimum)
            or (self.maximum is not None and value > self.maximum)
            or (self.above is not None and value <= self.above)
            or (self.below is not None and value >= self.below)
        )
        if outside:
            raise ValueError(f"{value!r} is out of range: must be {self.allowed}")


def describe(options: type) -> tuple[OptionField, ...]:
    """The options of a dataclass, in order. Raises TypeError for a class that is not one."""
    if not (isinstance(options, type) and dataclasses.is_dataclass(options)):
        raise TypeError(f"{options!r} is not a dataclass")
    return _described(options)


@cache
def _described(options: type) -> tuple[OptionField, ...]:
    return tuple(_fields(options))


def _fields(options: Any) -> Iterator[OptionField]:
    if not options.__dataclass_params__.frozen:
        raise TypeError(f"{options.__name__} must be frozen: @dataclass(frozen=True, kw_only=True)")
    hints = get_type_hints(options)
    for field in dataclasses.fields(options):
        declaration = field.metadata.get(_METADATA)
        if not isinstance(declaration, _Declaration):
            raise TypeError(f"{options.__name__}.{field.name} is not declared with option()")
        annotation = hints[field.name]
        choices = declaration.choices
        if get_origin(annotation) is Literal and _are_strings(get_args(annotation)):
            choices, annotation = get_args(annotation), str
        annotation = _without_schedule(annotation, declaration.scheduled)
        _type_name(annotation)  # raises TypeError for a type that TOML has no value for
        yield OptionField(
            name=field.name,
            annotation=annotation,
            default=field.default,
            **{**dataclasses.asdict(declaration), "choices": choices},
        )


def parse(
    options: type,
    given: Mapping[str, object],
    others: Sequence[str] = (),
    *,
    stored: bool = False,
) -> tuple[Any | None, dict[str, str]]:
    """An instance of `options` from raw values, and the complaints by option name.

    The instance is None where there are complaints. An unknown name is a complaint with the
    closest known one; what the class itself finds wrong has an empty name. `others` are keys
    that stand beside the options and are read elsewhere. Of what was `stored`, an option that is
    not given is one that there was not yet.
    """
    fields = {field.name: field for field in describe(options)}
    if stored:
        earlier = {it.name: it.before for it in fields.values() if it.before is not None}
        given = earlier | dict(given)
    values: dict[str, Any] = {}
    complaints: dict[str, str] = {}
    for name, raw in given.items():
        if name not in fields:
            known = sorted([*fields, *others])
            there = f"; known are {listed(known)}" if known else "; there are no options"
            complaints[name] = f"unknown option {name!r}{did_you_mean(name, known) or there}"
            continue
        try:
            values[name] = fields[name].parse(raw)
        except ValueError as error:
            complaints[name] = str(error)
    for name, field in fields.items():
        if field.required and name not in given:
            complaints[name] = f"must be given: {field.help}"
    if complaints:
        return None, complaints
    try:
        return options(**values), {}
    except ENDINGS:
        raise
    except ValueError as error:  # what a __post_init__ found wrong between options
        return None, {"": printable(error)}
    except BaseException as error:  # what it does wrong itself
        return None, {"": described(error)}


def paths_of(options: type) -> tuple[str, ...]:
    """The names of the options that are paths."""
    return tuple(field.name for field in describe(options) if field.path)


def to_toml(value: Any) -> object:
    """A parsed value as the plain TOML value that `OptionField.parse` takes back to it."""
    if isinstance(value, Schedule):
        return value.to_toml()
    return [to_toml(element) for element in value] if isinstance(value, tuple) else value


def _without_schedule(annotation: Any, scheduled: bool) -> Any:
    """The type of a value that stays as it is. Raises TypeError for what cannot be scheduled."""
    if _is_union(annotation) and Schedule in get_args(annotation):
        if not scheduled:
            raise TypeError(f"{annotation!r} names a schedule: declare it with scheduled=True")
        kept = tuple(arg for arg in get_args(annotation) if arg is not Schedule)
        annotation = Union[kept]  # noqa: UP007  # of as many as are left
    definite = _definite(annotation)
    elements = get_args(definite) if get_origin(definite) is tuple else (definite,)
    if scheduled and not set(elements) <= {float, Ellipsis}:
        raise TypeError(f"{annotation!r} cannot be scheduled: a number or a tuple of numbers can")
    return annotation


def _is_union(annotation: Any) -> bool:
    return get_origin(annotation) in (Union, types.UnionType)


def _definite(annotation: Any) -> Any:
    """A type without None, which TOML has no value for."""
    args = get_args(annotation)
    if _is_union(annotation) and type(None) in args and len(args) == 2:
        return next(arg for arg in args if arg is not type(None))
    return annotation


def _are_strings(values: tuple[Any, ...]) -> bool:
    return all(isinstance(value, str) for value in values)


def _type_name(annotation: Any) -> str:
    definite = _definite(annotation)
    args = get_args(definite)
    if get_origin(definite) is tuple and args:
        *first, last = args
        names = [_scalar_name(arg) for arg in first]
        names.append("..." if last is Ellipsis else _scalar_name(last))
        name = f"[{', '.join(names)}]"
    else:
        name = _scalar_name(definite)
    return name if definite is annotation else f"{name} or unset"


def _scalar_name(annotation: Any) -> str:
    if annotation in _SCALARS:
        return {"bool": "boolean", "int": "integer", "float": "number", "str": "string"}[
            annotation.__name__
        ]
    raise TypeError(
        f"{annotation!r} is not a type an option can have: bool, int, float, str, a Literal of "
        "strings, a tuple of the first four, or one of the first four or a tuple, or None"
    )


def _convert(raw: object, annotation: Any) -> Any:
    """`raw` as `annotation`; strict, except that an integer serves where a number is wanted."""
    origin, args = get_origin(annotation), get_args(annotation)
    if _is_union(annotation):
        return None if raw is None else _convert(raw, _definite(annotation))
    if origin is tuple:
        return _convert_tuple(raw, args)
    if annotation is float and isinstance(raw, int | float) and not isinstance(raw, bool):
        try:
            number = float(raw)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise ValueError(f"{_shown(raw)} is not a finite number")
        return number
    if type(raw) is annotation:
        if isinstance(raw, str) and not is_utf8(raw):
            raise ValueError(f"{_shown(raw)} is not text: it has bytes that are not UTF-8")
        if type(raw) is int and not -(2**63) <= raw < 2**63:
            raise ValueError("an integer has at most 64 bits")
        return raw
    hint = ""
    if annotation is int and isinstance(raw, float) and raw.is_integer():
        hint = f"; write {int(raw)}"
    if annotation is str and isinstance(raw, int | float):
        hint = f'; in quotes it is one: "{_shown(raw)}"'
    raise ValueError(f"expected {_SCALARS[annotation]}, got {_shown(raw)}{hint}")


def _convert_tuple(raw: object, args: tuple[Any, ...]) -> tuple[Any, ...]:
    if not isinstance(raw, list | tuple):
        raise ValueError(f"expected a list, got {_shown(raw)}")
    if args[-1] is Ellipsis:
        return tuple(_convert(element, args[0]) for element in raw)
    if len(raw) != len(args):
        raise ValueError(f"expected a list of {len(args)}, got {_shown(raw)}")
    return tuple(_convert(element, arg) for element, arg in zip(raw, args, strict=True))


def _shown(raw: object) -> str:
    return ("false", "true")[raw] if isinstance(raw, bool) else represented(raw)
