"""Rows of a grid: one per class, or one per run of equal labels."""

from __future__ import annotations

from collections.abc import Sequence


def class_rows(num_classes: int, num: int) -> tuple[list[int], int]:
    """The labels of a picture with one row per class, and the number of its columns.

    About `num` samples in whole rows; one of each class where there are more classes than that.
    """
    columns = max(1, num // num_classes)
    return [label for label in range(num_classes) for _ in range(columns)], columns


def runs_of_equal(labels: Sequence[int], longest: int) -> list[tuple[int, int, int]]:
    """Where equal labels follow one another, as (label, start, end), none longer than `longest`."""
    runs: list[tuple[int, int, int]] = []
    for place, label in enumerate(labels):
        if runs and runs[-1][0] == label and place - runs[-1][1] < longest:
            runs[-1] = (label, runs[-1][1], place + 1)
        else:
            runs.append((label, place, place + 1))
    return runs
