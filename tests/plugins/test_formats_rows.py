"""The arrangement of samples: rows of classes or of ways, and what stands beside a sample."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ganforge import Drawn
from ganforge_formats.rows import arrange, parts, runs_of_equal

CLASSES = ("cat", "dog", "sea horse")


def drawn(labels=None, num=6, **said):
    labels = None if labels is None else torch.tensor(labels)
    samples = torch.arange(len(labels) if labels is not None else num).float()[:, None]
    return Drawn(samples=samples, labels=labels, classes=CLASSES, **said)


def test_without_classes_samples_fill_rows_in_order():
    rows = arrange(drawn(num=5), 2, longest=9)
    assert rows.numbers == [[0, 1], [2, 3], [4]]
    assert rows.captions is None


def test_a_row_of_each_class_brings_together_what_nobody_ordered():
    mixed = [2, 0, 2, 0, 1]
    rows = arrange(drawn(mixed, ordered=False), 2, longest=9)
    assert rows.numbers == [[1, 3], [4], [0, 2]]
    assert rows.captions == ["cat", "dog", "sea horse"]
    rows = arrange(drawn(mixed), 2, longest=9)
    assert rows.numbers == [[0], [1], [2], [3], [4]]
    assert rows.captions == ["sea horse", "cat", "sea horse", "cat", "dog"]


def test_columns_that_are_asked_for_come_before_classes():
    rows = arrange(drawn([0, 0, 1, 1, 2], columns=2), 5, longest=9)
    assert rows.numbers == [[0, 1], [2, 3], [4]]
    assert rows.captions == ["cat", "dog", "sea horse"]
    assert arrange(drawn(columns=4), 2, longest=9).numbers == [[0, 1, 2, 3], [4, 5]]


def test_samples_with_companions_have_no_row_of_a_class():
    rows = arrange(drawn([0, 1, 0, 1], before={"inputs": torch.zeros(4, 1)}), 3, longest=9)
    assert (rows.numbers, rows.captions) == ([[0, 1, 2], [3]], None)


def test_companions_stand_on_their_sides_and_none_is_shown_twice():
    real = torch.rand(6, 1)
    shown = parts(drawn(before={"inputs": real + 1}, after={"real": real}))
    assert list(shown) == ["inputs", "generated", "real"]
    shown = parts(drawn(before={"inputs": real}, after={"real": real.clone()}))
    assert list(shown) == ["inputs", "generated"]


@pytest.mark.parametrize("number", [0, 3])
def test_one_sample_has_what_belongs_to_it(number):
    whole = drawn([0, 1, 0, 1], before={"inputs": torch.rand(4, 2)}, after={"real": torch.rand(4)})
    one = whole.only(number)
    assert one.samples.tolist() == [[number]]
    assert one.labels.tolist() == [number % 2]
    assert torch.equal(one.before["inputs"], whole.before["inputs"][number : number + 1])
    assert torch.equal(one.after["real"], whole.after["real"][number : number + 1])


def test_runs_are_split_where_they_are_too_long():
    assert runs_of_equal([3, 3, 7, 3], 5) == [(3, 0, 2), (7, 2, 3), (3, 3, 4)]
    assert runs_of_equal([1] * 5, 2) == [(1, 0, 2), (1, 2, 4), (1, 4, 5)]


@given(st.lists(st.integers(0, 3)), st.integers(1, 5))
def test_runs_hold_every_label_once_and_in_order(labels, longest):
    runs = runs_of_equal(labels, longest)
    again = [label for label, start, end in runs for _ in range(start, end)]
    assert again == labels
    assert all(0 < end - start <= longest for _, start, end in runs)
