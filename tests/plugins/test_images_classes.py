"""The order of class names: as people count, and the same wherever it is asked for."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganforge import natural_order as natural
from ganforge_images.classes import class_names, labelled, unwrapped


@pytest.mark.parametrize(
    "names",
    [
        ["2", "10"],
        ["0", "1", "2", "9", "10", "11", "100"],
        ["take 2", "take 10", "Take 11"],
        ["v1.2", "v1.10", "v2.1"],
        ["apple", "Banana", "cherry"],
        ["01", "1", "2"],
        ["A", "a", "B", "b"],
        ["n01440764", "n01443537"],
        ["", "1", "a", "a1", "a1b", "a2"],
        ["9" * 5000, "1" + "0" * 5000],
        ["x", "É", "é", "漢2", "漢10"],
        ["\udc80" + "2", "\udc80" + "10"],
    ],
)
def test_names_are_in_the_order_that_people_count_in(names: list[str]) -> None:
    shuffled = random.Random(0).sample(names, len(names))
    assert sorted(shuffled, key=natural) == names


@given(st.lists(st.text(st.sampled_from("aAbB0129. ²٣"), max_size=6), unique=True, max_size=8))
def test_the_order_is_total_and_follows_from_the_names_alone(names: list[str]) -> None:
    backwards = names[::-1]
    assert sorted(backwards, key=natural) == sorted(names, key=natural)
    assert len({str(natural(name)) for name in names}) == len(names)


@given(st.sets(st.integers(0, 10**6), min_size=1))
def test_numbers_are_in_the_order_of_their_values(numbers: set[int]) -> None:
    assert sorted(map(str, numbers), key=natural) == [str(it) for it in sorted(numbers)]


def test_labels_are_numbers_of_names_in_order() -> None:
    assert labelled(["10", "2", "10", "1"]) == ([2, 1, 2, 0], ("1", "2", "10"))
    assert labelled(["10", None]) is None
    assert labelled([]) is None


def test_folders_that_hold_everything_are_no_part_of_a_name() -> None:
    names = ["data/b/1.png", "data/a/x/2.png"]
    assert unwrapped(names) == [["b", "1.png"], ["a", "x", "2.png"]]
    assert class_names(names) == ["b", "a"]
    assert class_names(["data/1.png", "data/2.png"]) == [None, None]
