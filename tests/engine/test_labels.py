"""Class labels as people write them."""

from __future__ import annotations

import pytest

from ganforge.errors import UsageError
from ganforge.sampling.labels import find_labels, split_labels

ANIMALS = ("cat", "dog", "10", "sea horse")


def test_a_word_is_a_class_by_its_name_or_else_by_its_number():
    assert find_labels(["dog", "0", "sea horse", "3", "2"], ANIMALS) == [1, 0, 3, 3, 2]
    # The class that is called 10 has number 2.
    assert find_labels(["10"], ANIMALS) == [2]


def test_words_are_told_apart_by_commas():
    assert split_labels(" 3,3 , sea horse") == ["3", "3", "sea horse"]


def test_a_name_that_has_commas_is_several_words():
    classes = ("salt, pepper", "salt", "a,b,c", "pepper")
    assert find_labels(split_labels("salt, pepper,salt,pepper"), classes) == [0, 0]
    assert find_labels(split_labels("salt,a,b,c,pepper,2"), classes) == [1, 2, 3, 2]
    assert find_labels(split_labels("salt,0,pepper"), classes) == [1, 0, 3]


@pytest.mark.parametrize("text", ["", " ", ",", "3,", "3,,4"])
def test_an_empty_word_is_refused(text):
    with pytest.raises(UsageError, match="classes with commas between them"):
        split_labels(text)


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("cta", "--labels: there is no class 'cta'; did you mean 'cat'?"),
        (
            "elephant",
            "--labels: there is no class 'elephant'; the generator has 4 classes, 0 to 3 (cat, "
            "dog, 10 and sea horse)",
        ),
        (
            "4",
            "--labels: 4 is out of range: the generator has 4 classes, 0 to 3 (cat, dog, 10 and "
            "sea horse)",
        ),
        (
            "-1",
            "--labels: -1 is out of range: the generator has 4 classes, 0 to 3 (cat, dog, 10 and "
            "sea horse)",
        ),
    ],
)
def test_a_class_that_is_not_there_is_told_with_those_that_are(word, message):
    with pytest.raises(UsageError) as caught:
        find_labels(["cat", word], ANIMALS)
    assert str(caught.value) == message


def test_a_thousand_classes_are_not_listed():
    with pytest.raises(UsageError, match=r"1000 classes, 0 to 999 \(0, 1, .*, 19 and 980 more\)"):
        find_labels(["1000"], tuple(map(str, range(1000))))
