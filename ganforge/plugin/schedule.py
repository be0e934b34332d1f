"""`Schedule`, a value that changes while a run is trained, and `Progress`, how far the run is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args, overload

from ganforge.errors import did_you_mean, listed

Value = float | tuple[float, ...]
Shape = Literal["linear", "cosine", "exponential", "step"]

#: the keys of a schedule in TOML -> the type of their values; the ends are checked by the option
KEYS: dict[str, type | None] = {
    "from": None,
    "to": None,
    "start": float,
    "until": float,
    "start_images": int,
    "until_images": int,
    "shape": str,
}


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """A number, or a tuple of numbers, that goes from one value to another during a run.

    It is `from_` before the share `start` of the run, `to` after the share `until`, and follows the
    shape in between: a line, half a cosine, or a geometric sequence. A `step` jumps at `until`.
    With `until_images` both places are numbers of images instead, `start_images` being 0 unless it
    is given.

    Raises ValueError for ends and places that make no schedule.
    """

    from_: Value
    to: Value
    start: float | None = None
    until: float | None = None
    start_images: int | None = None
    until_images: int | None = None
    shape: Shape = "linear"

    def __post_init__(self) -> None:
        if self.shape not in get_args(Shape):
            near = did_you_mean(str(self.shape), get_args(Shape))
            raise ValueError(f"{self.shape!r} is no shape: {listed(get_args(Shape))}{near}")
        self._check_ends()
        shares = (self.start, self.until) != (None, None)
        if self.start_images is None and self.until_images is None:
            # Equal schedules compare equal, whether the whole run was said or meant.
            self._complete("start", 0.0)
            self._complete("until", 1.0)
        elif shares:
            raise ValueError(
                "a schedule is counted in shares of the run (start, until) or in images "
                "(start_images, until_images), not in both"
            )
        elif self.until_images is None:
            raise ValueError("a schedule that has start_images needs until_images too")
        else:
            self._complete("start_images", 0)
        self._check_places()

    def _complete(self, field: str, value: float) -> None:
        if getattr(self, field) is None:
            object.__setattr__(self, field, value)

    def _check_ends(self) -> None:
        sizes = {len(end) if isinstance(end, tuple) else None for end in (self.from_, self.to)}
        if len(sizes) > 1:
            raise ValueError("from and to must be two numbers, or two lists of the same length")
        for number in (*_numbers(self.from_), *_numbers(self.to)):
            if not math.isfinite(number):
                raise ValueError(f"{number!r} is not a finite number")
            if self.shape == "exponential" and number <= 0.0:
                raise ValueError(f"an exponential schedule needs ends above 0, not {number!r}")

    def _check_places(self) -> None:
        start, until = self._places
        unit = "" if self.in_shares else "_images"
        if self.shape == "step" and start != 0:
            raise ValueError(f"a step has no start{unit}: it jumps at until{unit}")
        if self.shape == "step" and self.in_shares and until == 1.0:
            raise ValueError("a step needs until below 1, or until_images, where it jumps")
        if not 0 <= start < until or (self.in_shares and until > 1):
            limit = ", which is at most 1" if self.in_shares else ""
            raise ValueError(
                f"start{unit} must be at least 0 and below until{unit}{limit}; they are {start} "
                f"and {until}"
            )

    @property
    def in_shares(self) -> bool:
        """True if it is counted in shares of the run, so that a longer run stretches it."""
        return self.until_images is None

    @property
    def _places(self) -> tuple[float, float]:
        """The places where it starts and ends, in shares or in images."""
        start, until = (
            (self.start, self.until) if self.in_shares else (self.start_images, self.until_images)
        )
        assert start is not None
        assert until is not None
        return start, until

    def at(self, progress: Progress) -> Any:
        """The value at this moment: a number, or a tuple where the ends are tuples."""
        start, end = self._places
        now: float = progress.images
        if self.in_shares:
            start, end = start * progress.num_steps, end * progress.num_steps
            now = progress.step
        if now <= start or (self.shape == "step" and now < end):
            return self.from_
        if now >= end:
            return self.to
        if isinstance(self.from_, tuple) and isinstance(self.to, tuple):
            ends = zip(self.from_, self.to, strict=True)
            return tuple(self._between(first, last, now, start, end) for first, last in ends)
        assert not isinstance(self.from_, tuple)
        assert not isinstance(self.to, tuple)
        return self._between(self.from_, self.to, now, start, end)

    def _between(self, first: float, last: float, now: float, start: float, end: float) -> float:
        passed = (now - start) / (end - start)
        match self.shape:
            case "exponential":
                value = math.exp((1.0 - passed) * math.log(first) + passed * math.log(last))
            case "cosine":
                value = last + (first - last) * (0.5 * (1.0 + math.cos(math.pi * passed)))
            case _ if first == 0 and start == 0:
                # A ramp is a rate times a count, as where it is written as "5 % of the images".
                value = last / end * now
            case _:
                value = last + (first - last) * (1.0 - passed)
        return min(max(value, min(first, last)), max(first, last))  # rounding may lead beyond

    def to_toml(self) -> dict[str, object]:
        """Its keys and values in TOML, without those that say what holds anyway."""
        usual = {"start": 0.0, "until": 1.0, "start_images": 0, "shape": "linear"}
        values = {key: getattr(self, _field(key)) for key in KEYS}
        return {
            key: [*value] if isinstance(value, tuple) else value
            for key, value in values.items()
            if value is not None and (key not in usual or value != usual[key])
        }


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Progress of a run: `step` of `num_steps` updates done, for which it has seen `images`."""

    step: int
    num_steps: int
    images: int

    @property
    def share(self) -> float:
        """The share of the run that is done; in [0, 1) while a step is computed."""
        return self.step / self.num_steps

    @overload
    def value(self, of: float) -> float: ...
    @overload
    def value(self, of: tuple[float, ...]) -> tuple[float, ...]: ...
    @overload
    def value(self, of: Schedule) -> Any: ...
    def value(self, of: Value | Schedule) -> Any:
        """The number, or the tuple of numbers, that an option is at this moment.

        `of` is the option's value: a schedule, or what never changes and is returned as it is.
        """
        return of.at(self) if isinstance(of, Schedule) else of


def is_schedule(table: Mapping[str, object]) -> bool:
    """True if a table in TOML is meant for a schedule, rather than a section with keys."""
    return "from" in table or "to" in table


def schedule_from(table: Mapping[str, Any]) -> Schedule:
    """The schedule that a table in TOML stands for. Raises ValueError where it is none."""
    for key, value in table.items():
        if key not in KEYS:
            near = did_you_mean(key, KEYS) or f"; it has {listed(list(KEYS))}"
            raise ValueError(f"a schedule has no key {key!r}{near}")
        wanted = KEYS[key]
        if wanted is not None and not _is(value, wanted):
            names = {float: "a number", int: "a whole number", str: "a string"}
            raise ValueError(f"{key} of a schedule must be {names[wanted]}, not {value!r}")
    for key in ("from", "to"):
        if key not in table:
            raise ValueError(f"a schedule needs from and to, and {key} is not given")
    return Schedule(**{_field(key): value for key, value in table.items()})


def _field(key: str) -> str:
    """The field of a key: `from` is a word of Python."""
    return "from_" if key == "from" else key


def _is(value: object, wanted: type) -> bool:
    if isinstance(value, bool):
        return False
    return isinstance(value, wanted) or (wanted is float and isinstance(value, int))


def _numbers(end: Value) -> tuple[float, ...]:
    return end if isinstance(end, tuple) else (end,)
