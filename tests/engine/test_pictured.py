"""The samples of a run's pictures: how many, of which classes, and with what beside them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ganforge.engine.pictured import class_rows


@given(st.integers(1, 50), st.integers(1, 200))
def test_a_row_of_a_class_has_as_many_samples_as_every_other(num_classes, num):
    labels, columns = class_rows(num_classes, num)
    assert len(labels) == num_classes * columns
    assert labels == sorted(labels)
    assert all(labels.count(label) == columns for label in range(num_classes))
    assert columns == 1 or len(labels) <= num
