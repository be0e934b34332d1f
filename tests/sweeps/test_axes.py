"""Several values of a setting as people write them; what has two meanings is an error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganforge.errors import UsageError
from ganforge.sweeps.axes import (
    Axis,
    FlagForm,
    Value,
    combinations,
    file_axes,
    flag_axis,
    run_name,
    setting_axis,
    split_values,
)

LOSS = FlagForm(flag="--loss", repeatable=True)
SEED = FlagForm(flag="--seed")
BETAS = FlagForm(flag="--betas", is_list=True)
FORMS = {"loss": LOSS, "seed": SEED, "betas": BETAS, "learning-rate": FlagForm(flag="--x")}


def arguments(axis: Axis) -> list[list[str]]:
    return [list(value.arguments) for value in axis.values]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0,1,2", ["0", "1", "2"]),
        ("a", ["a"]),
        (" a , b ", ["a", "b"]),
        ("[1,2],[3,4]", ["[1,2]", "[3,4]"]),
        ("{from=1,to=[0,1]},2", ["{from=1,to=[0,1]}", "2"]),
        ('"a,b",c', ['"a,b"', "c"]),
        ("'a]',b", ["'a]'", "b"]),
    ],
)
def test_a_comma_separates_but_for_one_within(text: str, values: list[str]) -> None:
    assert split_values(text, "--x") == values


@pytest.mark.parametrize("text", ["", "a,", ",a", "a,,b", "[1,2", "{a,b", '"a,b', "a,[1,(2"])
def test_what_is_empty_or_open_is_an_error(text: str) -> None:
    with pytest.raises(UsageError, match="--x: "):
        split_values(text, "--x")


@given(st.lists(st.text("abc+-._/=:1", min_size=1), min_size=1))
def test_plain_values_come_back(values: list[str]) -> None:
    assert split_values(",".join(values), "--x") == values


def test_a_plus_joins_terms_of_one_run() -> None:
    axis = flag_axis(LOSS, "nonsat,hinge+r1,none")
    assert [value.text for value in axis.values] == ["nonsat", "hinge+r1", "none"]
    assert arguments(axis) == [["--loss", "nonsat"], ["--loss", "hinge", "--loss", "r1"], []]
    with pytest.raises(UsageError, match="joins nothing"):
        flag_axis(LOSS, "nonsat+,hinge")
    assert arguments(flag_axis(SEED, "a+b")) == [["--seed", "a+b"]]


def test_a_list_of_numbers_is_in_brackets() -> None:
    assert arguments(flag_axis(BETAS, "[0.5,0.9],[0,0.99]")) == [
        ["--betas", "0.5,0.9"],
        ["--betas", "0,0.99"],
    ]
    with pytest.raises(UsageError, match=r"could be one list or several values; write --betas \[0"):
        flag_axis(BETAS, "0.5,0.9")


def test_quotes_hold_a_value_together() -> None:
    data = FlagForm(flag="--dataset")
    assert arguments(flag_axis(data, '"a,b",c')) == [["--dataset", "a,b"], ["--dataset", "c"]]


def test_a_value_given_twice_is_an_error() -> None:
    with pytest.raises(UsageError, match="--seed: '0' is given twice"):
        flag_axis(SEED, "0,1,0")


def test_a_setting() -> None:
    axis = setting_axis("loss.r1.gamma=0.1,{from=1,to=2}")
    assert (axis.name, axis.label) == ("loss.r1.gamma", "gamma")
    assert arguments(axis) == [
        ["--set", "loss.r1.gamma=0.1"],
        ["--set", "loss.r1.gamma={from=1,to=2}"],
    ]
    for text in ("a", "=1", "a="):
        with pytest.raises(UsageError, match="must look like"):
            setting_axis(text)


def test_a_table_of_a_file() -> None:
    table = {
        "seed": [0, 1],
        "loss": ["nonsat", ["nonsat", "r1"]],
        "betas": [[0.5, 0.9], [0.0, 0.99]],
        "generator.hidden": [[64, 64], [128]],
        "learning_rate": [1e-4],
    }
    axes = {axis.name: arguments(axis) for axis in file_axes(table, FORMS, "f.toml")}
    assert axes == {
        "seed": [["--seed", "0"], ["--seed", "1"]],
        "loss": [["--loss", "nonsat"], ["--loss", "nonsat", "--loss", "r1"]],
        "betas": [["--betas", "0.5,0.9"], ["--betas", "0.0,0.99"]],
        "generator.hidden": [
            ["--set", "generator.hidden=[64, 64]"],
            ["--set", "generator.hidden=[128]"],
        ],
        "x": [["--x", "0.0001"]],
    }


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"seed": 3}, "sweep.seed: must be a list of values"),
        ({"seed": []}, "must be a list of values"),
        ({"sede": [1]}, "sweep.sede: is no flag"),
        ({"seed": [[1, 2]]}, "--seed takes one value"),
        ({"loss": ["a", "a"]}, "'a' is given twice"),
    ],
)
def test_a_table_that_is_wrong(table: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        file_axes(table, FORMS, "f.toml")


def axis(name: str, *texts: str) -> Axis:
    return Axis(name=name, values=tuple(Value(text=it, arguments=(name, it)) for it in texts))


def test_every_combination_the_last_axis_first() -> None:
    found = [
        "".join(value.text for value in combination.values())
        for combination in combinations([axis("a", "1", "2"), axis("b", "x", "y")])
    ]
    assert found == ["1x", "1y", "2x", "2y"]


def test_too_many_and_twice() -> None:
    many = [str(it) for it in range(101)]
    with pytest.raises(UsageError, match="10,201 runs; a sweep has at most 10,000"):
        next(combinations([axis("a", *many), axis("b", *many)]))
    with pytest.raises(UsageError, match="a is given twice"):
        next(combinations([axis("a", "1"), axis("a", "2")]))


def test_names_of_runs_are_safe_and_different() -> None:
    taken: set[str] = set()
    for value in ("../a b", "../a,b", "../a/b"):
        name = run_name({"root": value, "seed": "0"}, taken)
        assert name not in taken
        taken.add(name)
    assert taken == {"root-..-a-b_seed-0", "root-..-a-b_seed-0_2", "root-..-a-b_seed-0_3"}
    assert run_name({"x": "\x1b/\u202e"}, set()) == "x"
    assert len(run_name({"x": "y" * 500}, set())) <= 103
