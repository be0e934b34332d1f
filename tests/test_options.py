"""Options: every type, every bound, every complaint, and the way through TOML and back."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, fields, make_dataclass
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganforge import NoOptions, Schedule, option
from ganforge.config.run_config import toml
from ganforge.plugin.options import describe, parse, to_toml


@dataclass(frozen=True, kw_only=True)
class Everything:
    flag: bool = option(False, help="a switch")
    width: int = option(64, help="a size", minimum=1, maximum=1024)
    rate: float = option(0.1, help="a rate", above=0.0)
    root: str = option("data", help="a folder")
    fit: Literal["crop", "pad"] = option("crop", help="how it fits")
    channels: int = option(3, help="of the image", choices=(1, 3))
    hidden: tuple[int, ...] = option((256,), help="layers", minimum=1)
    betas: tuple[float, float] = option((0.5, 0.999), help="decay", minimum=0.0, below=1.0)
    height: int | None = option(None, help="of the image", minimum=1)
    padding: tuple[int, int] | None = option(None, help="of the image", maximum=9)
    gamma: float | Schedule = option(1.0, help="a weight", minimum=0.0, scheduled=True)
    moments: tuple[float, float] | Schedule | None = option(
        Schedule(from_=(0.0, 0.9), to=(0.0, 0.99), until=0.5),
        help="decay",
        below=1.0,
        scheduled=True,
    )


DEFAULTS = Everything()


def accepted(name: str, raw: object) -> Any:
    parsed, complaints = parse(Everything, {name: raw})
    assert complaints == {}
    return getattr(parsed, name)


def refused(name: str, raw: object) -> str:
    parsed, complaints = parse(Everything, {name: raw})
    assert parsed is None
    assert list(complaints) == [name]
    return complaints[name]


@pytest.mark.parametrize(
    ("name", "raw", "value"),
    [
        ("flag", True, True),
        ("width", 1, 1),
        ("width", 1024, 1024),
        ("rate", 1e-30, 1e-30),
        ("rate", 2, 2.0),
        ("root", "", ""),
        ("root", "a\nb é 😀", "a\nb é 😀"),
        ("fit", "pad", "pad"),
        ("channels", 1, 1),
        ("hidden", [], ()),
        ("hidden", [3, 2, 1], (3, 2, 1)),
        ("betas", [0, 0.9], (0.0, 0.9)),
        ("height", 7, 7),
        ("height", None, None),
        ("padding", [1, 9], (1, 9)),
        ("padding", None, None),
        ("gamma", 2, 2.0),
        ("gamma", {"from": 2, "to": 0}, Schedule(from_=2.0, to=0.0)),
        (
            "gamma",
            {"from": 1.0, "to": 9.0, "start": 0.1, "until": 0.4, "shape": "cosine"},
            Schedule(from_=1.0, to=9.0, start=0.1, until=0.4, shape="cosine"),
        ),
        ("moments", [0, 0.5], (0.0, 0.5)),
        ("moments", None, None),
        (
            "moments",
            {"from": [0, 0.5], "to": [0, 0.9], "until_images": 9},
            Schedule(from_=(0.0, 0.5), to=(0.0, 0.9), until_images=9),
        ),
    ],
)
def test_a_value_of_the_right_type_is_taken(name: str, raw: object, value: object) -> None:
    found = accepted(name, raw)
    assert found == value
    assert type(found) is type(value)


def test_an_integer_given_for_a_number_becomes_a_float_within_a_tuple_too() -> None:
    assert [type(beta) for beta in accepted("betas", [0, 0])] == [float, float]


@pytest.mark.parametrize(
    ("name", "raw", "message"),
    [
        ("flag", 1, "expected true or false, got 1"),
        ("flag", "yes", "expected true or false, got 'yes'"),
        ("width", True, "expected an integer, got true"),
        ("width", "64", "expected an integer, got '64'"),
        ("width", 8.5, "expected an integer, got 8.5"),
        ("width", 1e3, "expected an integer, got 1000.0; write 1000"),
        ("width", None, "expected an integer, got None"),
        ("width", [64], "expected an integer, got [64]"),
        ("width", 2**63, "an integer has at most 64 bits"),
        ("width", -(2**63) - 1, "an integer has at most 64 bits"),
        ("rate", True, "expected a number, got true"),
        ("rate", "fast", "expected a number, got 'fast'"),
        ("rate", float("nan"), "nan is not a finite number"),
        ("rate", float("inf"), "inf is not a finite number"),
        ("rate", float("-inf"), "-inf is not a finite number"),
        ("root", 3, "expected a string, got 3"),
        ("root", "a\udcff", "is not text: it has bytes that are not UTF-8"),
        ("hidden", 3, "expected a list, got 3"),
        ("hidden", [3, "x"], "expected an integer, got 'x'"),
        ("hidden", [3, 2.0], "expected an integer, got 2.0; write 2"),
        ("betas", [1], "expected a list of 2, got [1]"),
        ("betas", [0.1, 0.2, 0.3], "expected a list of 2, got [0.1, 0.2, 0.3]"),
        ("betas", [0.1, float("nan")], "nan is not a finite number"),
        ("height", "tall", "expected an integer, got 'tall'"),
        ("padding", [1], "expected a list of 2, got [1]"),
        ("rate", {"from": 1, "to": 0}, "expected a number, got {'from': 1, 'to': 0}"),
        ("gamma", {}, "a schedule needs from and to, and from is not given"),
        ("gamma", {"from": 1}, "a schedule needs from and to, and to is not given"),
        ("gamma", {"from": "x", "to": 1}, "expected a number, got 'x'"),
        ("gamma", {"from": {"from": 1, "to": 2}, "to": 1}, "expected a number, got {'from': 1"),
        ("gamma", {"from": None, "to": 1}, "expected a number, got None"),
        ("gamma", {"from": 2, "to": 1, "shpae": "step"}, "did you mean 'shape'?"),
        ("moments", {"from": 0, "to": [0, 1]}, "expected a list, got 0"),
        ("moments", {"from": None, "to": [0, 0]}, "expected a list, got None"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(name: str, raw: object, message: str) -> None:
    assert message in refused(name, raw)


@pytest.mark.parametrize(
    ("name", "raw", "message"),
    [
        ("width", 0, "0 is out of range: must be at least 1 and at most 1024"),
        ("width", 1025, "1025 is out of range: must be at least 1 and at most 1024"),
        ("rate", 0.0, "0.0 is out of range: must be above 0"),
        ("rate", -1, "-1.0 is out of range: must be above 0"),
        ("hidden", [8, 0], "0 is out of range: must be at least 1"),
        ("betas", [0.5, 1.0], "1.0 is out of range: must be at least 0 and below 1"),
        ("betas", [-0.1, 0.5], "-0.1 is out of range: must be at least 0 and below 1"),
        ("height", 0, "0 is out of range: must be at least 1"),
        ("padding", [3, 10], "10 is out of range: must be at most 9"),
        ("channels", 2, "2 is not allowed: one of 1 and 3"),
        ("gamma", {"from": 1, "to": -1}, "-1.0 is out of range: must be at least 0"),
        ("gamma", {"from": -1, "to": 1}, "-1.0 is out of range: must be at least 0"),
        (
            "moments",
            {"from": [0, 0.5], "to": [0, 1]},
            "1.0 is out of range: must be below 1",
        ),
        ("fit", "corp", "'corp' is not allowed: one of 'crop' and 'pad'; did you mean 'crop'?"),
        ("fit", "xyz", "'xyz' is not allowed: one of 'crop' and 'pad'"),
    ],
)
def test_a_value_out_of_range_says_what_is_allowed(name: str, raw: object, message: str) -> None:
    assert refused(name, raw) == message


def test_a_large_bound_is_shown_to_the_last_digit() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Options:
        pixels: int = option(1, help="of an image", maximum=178_956_970)

    (described,) = describe(Options)
    assert described.allowed == "at most 178956970"


def test_a_long_value_is_cut_in_the_complaint() -> None:
    assert len(refused("width", "x" * 10_000)) < 100
    assert len(refused("rate", 10**400)) < 100


def test_an_unknown_option_is_answered_with_the_nearest_one() -> None:
    assert refused("widht", 3) == "unknown option 'widht'; did you mean 'width'?"


def test_an_unknown_option_unlike_any_is_answered_with_all_of_them() -> None:
    message = refused("zzz", 3)
    assert all(described.name in message for described in describe(Everything))


def test_an_option_of_a_component_without_any_says_so() -> None:
    assert parse(NoOptions, {"x": 1})[1] == {"x": "unknown option 'x'; there are no options"}


def test_an_option_without_a_default_must_be_given() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Options:
        root: str = option(help="folder of images")

    (described,) = describe(Options)
    assert described.required
    assert parse(Options, {})[1] == {"root": "must be given: folder of images"}
    assert parse(Options, {"root": "x"})[0] == Options(root="x")


def test_every_complaint_is_found_at_once() -> None:
    given_values = {"flag": 1, "width": 0, "rate": "x", "hight": 3, "root": "fine"}
    parsed, complaints = parse(Everything, given_values)
    assert parsed is None
    assert sorted(complaints) == ["flag", "hight", "rate", "width"]


def test_what_a_class_finds_wrong_between_options_is_a_complaint() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Options:
        low: int = option(0, help="below high")
        high: int = option(1, help="above low")

        def __post_init__(self) -> None:
            if self.low >= self.high:
                raise ValueError("low must be below high")

    assert parse(Options, {"low": 3}) == (None, {"": "low must be below high"})


def test_a_description_names_type_default_bounds_and_help() -> None:
    described = {it.name: it for it in describe(Everything)}
    assert {name: it.type_name for name, it in described.items()} == {
        "flag": "boolean",
        "width": "integer",
        "rate": "number",
        "root": "string",
        "fit": "string",
        "channels": "integer",
        "hidden": "[integer, ...]",
        "betas": "[number, number]",
        "height": "integer or unset",
        "padding": "[integer, integer] or unset",
        "gamma": "number or schedule",
        "moments": "[number, number] or unset or schedule",
    }
    assert described["fit"].allowed == "one of 'crop' and 'pad'"
    assert described["betas"].allowed == "at least 0 and below 1"
    assert described["flag"].allowed == ""
    assert described["width"].help == "a size"
    assert {name: it.default for name, it in described.items()} == {
        it.name: getattr(DEFAULTS, it.name) for it in fields(Everything)
    }


@pytest.mark.parametrize(
    "annotation",
    [
        bytes,
        list[int],
        dict[str, int],
        object,
        Any,
        None,
        tuple,
        tuple[()],
        tuple[tuple[int, int], ...],
        tuple[int | None, ...],
        int | str,
        int | str | None,
        Literal[1, 2],
        Literal["a", None],
        complex,
    ],
    ids=str,
)
def test_a_type_that_toml_has_no_value_for_is_refused(annotation: Any) -> None:
    fields = [("x", annotation, option(0, help="something"))]
    options = make_dataclass("Options", fields, frozen=True, kw_only=True)
    with pytest.raises(TypeError, match="is not a type an option can have"):
        list(describe(options))


def test_a_class_that_is_not_a_frozen_dataclass_is_refused() -> None:
    @dataclass
    class Thawed:
        width: int = option(1, help="a size")

    @dataclass(frozen=True)
    class Undeclared:
        width: int = field(default=1)

    with pytest.raises(TypeError, match="Thawed must be frozen"):
        list(describe(Thawed))
    with pytest.raises(TypeError, match=r"Undeclared\.width is not declared with option\(\)"):
        list(describe(Undeclared))
    with pytest.raises(TypeError, match="is not a dataclass"):
        list(describe(int))
    with pytest.raises(TypeError, match="is not a dataclass"):
        list(describe(DEFAULTS))  # type: ignore[arg-type]


def test_a_schedule_may_be_the_default_and_its_type_is_named_or_implied() -> None:
    assert DEFAULTS.moments == Schedule(from_=(0.0, 0.9), to=(0.0, 0.99), until=0.5)
    implied = make_dataclass(
        "Implied", [("x", float, option(1.0, help="x", scheduled=True))], frozen=True
    )
    parsed, complaints = parse(implied, {"x": {"from": 1, "to": 0}})
    assert (parsed.x, complaints) == (Schedule(from_=1.0, to=0.0), {})  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("annotation", "scheduled", "message"),
    [
        (float | Schedule, False, "names a schedule: declare it with scheduled=True"),
        (int, True, "cannot be scheduled: a number or a tuple of numbers can"),
        (str | Schedule, True, "cannot be scheduled: a number or a tuple of numbers can"),
        (tuple[int, ...], True, "cannot be scheduled: a number or a tuple of numbers can"),
        (Literal["a", "b"], True, "cannot be scheduled: a number or a tuple of numbers can"),
    ],
)
def test_a_type_that_cannot_be_scheduled_is_refused(
    annotation: Any, scheduled: bool, message: str
) -> None:
    declared = ("x", annotation, option(None, help="x", scheduled=scheduled))
    with pytest.raises(TypeError, match=message):
        list(describe(make_dataclass("Options", [declared], frozen=True)))


GAMMAS = st.floats(0, allow_infinity=False)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
GIVEN = st.fixed_dictionaries(
    {},
    optional={
        "flag": st.booleans(),
        "width": st.integers(1, 1024),
        "rate": st.floats(0, exclude_min=True, allow_infinity=False) | st.integers(1, 10**30),
        "root": TEXT,
        "fit": st.sampled_from(["crop", "pad"]),
        "channels": st.sampled_from([1, 3]),
        "hidden": st.lists(st.integers(1, 2**63 - 1)),
        "betas": st.lists(st.floats(0, 1, exclude_max=True), min_size=2, max_size=2),
        "height": st.integers(1, 2**63 - 1),
        "padding": st.lists(st.integers(-9, 9), min_size=2, max_size=2),
        "gamma": GAMMAS
        | st.fixed_dictionaries(
            {"from": GAMMAS, "to": GAMMAS},
            optional={"start": st.floats(0.0, 0.4), "until": st.floats(0.5, 1.0)},
        )
        | st.fixed_dictionaries(
            {"from": GAMMAS, "to": GAMMAS, "until_images": st.integers(8, 10**9)},
            optional={"start_images": st.integers(0, 7), "shape": st.just("cosine")},
        ),
    },
)


@given(GIVEN)
def test_parsed_options_survive_toml(raw: dict[str, object]) -> None:
    parsed, complaints = parse(Everything, raw)
    assert complaints == {}
    lines = [
        toml.Line(key=it.name, value=to_toml(getattr(parsed, it.name)), comment=it.help)
        for it in describe(Everything)
    ]
    read = tomllib.loads(toml.table(["generator"], lines))["generator"]
    assert parse(Everything, read) == (parsed, {})


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates() | st.times(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.dictionaries(
        st.sampled_from([it.name for it in fields(Everything)]) | st.text(), ANYTHING, max_size=4
    )
)
def test_whatever_is_given_either_fits_or_is_complained_of(raw: dict[str, object]) -> None:
    parsed, complaints = parse(Everything, raw)
    assert (parsed is None) == bool(complaints)
    assert set(complaints) <= set(raw)
    assert all(complaints.values())


def test_what_was_stored_before_an_option_was_there_means_what_it_meant() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Options:
        width: int = option(8, help="units")
        norm: Literal["batch", "none"] = option("none", help="normalisation", before="batch")

    def parsed(raw: dict[str, object], *, stored: bool) -> Options:
        found, complaints = parse(Options, raw, stored=stored)
        assert complaints == {}
        assert isinstance(found, Options)
        return found

    assert parsed({"width": 3}, stored=True) == Options(width=3, norm="batch")
    assert parsed({"norm": "none"}, stored=True) == Options(norm="none")
    assert parsed({}, stored=False) == Options(norm="none")
