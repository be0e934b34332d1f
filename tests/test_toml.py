"""The TOML writer: whatever it writes, tomllib reads back as it was."""

from __future__ import annotations

import math
import tomllib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ganforge.config.run_config import toml

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
SCALARS = st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT
VALUES = SCALARS | st.lists(SCALARS, max_size=4)


def written(value: object, key: str = "key", comment: str = "") -> dict[str, object]:
    line = toml.Line(key=key, value=value, comment=comment)
    (table,) = tomllib.loads(toml.table(["table"], [line])).values()
    return table


@given(VALUES)
@example("\x7f\x00\x1b[2J\x9b\u202e\u2028\ufeff\\\"'\r\n\t\U000e0001\U0001f600")
@example(1e16)
@example(5e-324)
@example(-0.0)
@example(math.inf)
@example(-math.inf)
@example([])
def test_a_value_is_read_back_equal_and_of_the_same_type(value: object) -> None:
    found = written(value)["key"]
    assert found == value
    assert type(found) is type(value)
    assert repr(found) == repr(value)


def test_nan_is_read_back() -> None:
    found = written(math.nan)["key"]
    assert isinstance(found, float)
    assert math.isnan(found)


@given(TEXT)
@example("")
@example("a.b")
@example("a\nb = 3 # c")
@example("pkg/name")
def test_a_key_is_read_back_equal(key: str) -> None:
    assert written(1, key=key) == {key: 1}


@given(st.lists(TEXT, min_size=1, max_size=4))
@example(["loss", "ganforge-foo/r1"])
def test_the_path_of_a_table_is_read_back_equal(path: list[str]) -> None:
    tree: object = tomllib.loads(toml.table(path, [toml.Line(key="x", value=1)]))
    for part in path:
        assert isinstance(tree, dict)
        assert list(tree) == [part]
        tree = tree[part]
    assert tree == {"x": 1}


def test_a_tuple_is_written_as_a_list() -> None:
    assert written((0.5, 0.999)) == {"key": [0.5, 0.999]}


def test_none_is_a_comment_since_toml_has_no_null() -> None:
    assert toml.table(["a"], [toml.Line(key="steps", value=None)]) == "[a]\n# steps is unset\n"


def test_comments_stand_beside_their_keys_and_change_nothing() -> None:
    text = toml.table(["a"], [toml.Line(key="x", value=1, comment="a # b")], "about a")
    header, line = text.splitlines()
    assert header.endswith("# about a")
    assert line.endswith("# a # b")
    assert header.index("#") == line.index("#")
    assert tomllib.loads(text) == {"a": {"x": 1}}


def test_a_schedule_is_an_inline_table_and_keeps_its_distance_from_the_comment() -> None:
    schedule = {"from": [1.0, 2.0], "to": 1e-05, "shape": "cosine"}
    text = toml.table(["a"], [toml.Line(key="x", value=schedule, comment="about x")])
    assert text.splitlines()[1] == (
        'x = {from = [1.0, 2.0], to = 1e-05, shape = "cosine"} # about x'
    )
    assert tomllib.loads(text) == {"a": {"x": schedule}}


@given(TEXT)
def test_a_string_cannot_steer_the_terminal_it_is_printed_on(text: str) -> None:
    assert toml.quoted(text).isprintable()


@pytest.mark.parametrize("value", [object(), b"x", [None], {"a": None}])
def test_what_toml_has_no_value_for_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="no TOML value for"):
        written(value)
