"""The arrangement of samples in a picture: rows of classes, and companions beside each sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ganforge import Drawn

SAMPLES = "generated"  # the heading of what a generator made, among its companions


@dataclass(frozen=True, kw_only=True)
class Rows:
    """The numbers of the samples in each row, and a caption per row where rows mean something."""

    numbers: list[list[int]]
    captions: list[str] | None = None


def arrange(drawn: Drawn, columns: int, longest: int) -> Rows:
    """Rows of `columns` samples, or one row per class, of at most `longest`, with its name.

    `Drawn.columns` comes before either.
    """
    num, labels, classes = len(drawn.samples), drawn.labels, drawn.classes
    if drawn.columns is not None:
        rows = _cut(range(num), drawn.columns)
        if labels is None or classes is None:
            return Rows(numbers=rows)
        return Rows(numbers=rows, captions=[classes[int(labels[row[0]])] for row in rows])
    if labels is None or classes is None or drawn.before or drawn.after:
        return Rows(numbers=_cut(range(num), columns))
    order = list(range(num)) if drawn.ordered else labels.argsort(stable=True).tolist()
    runs = runs_of_equal([int(labels[number]) for number in order], longest)
    return Rows(
        numbers=[order[start:end] for _, start, end in runs],
        captions=[classes[label] for label, _, _ in runs],
    )


def _cut(numbers: Sequence[int], size: int) -> list[list[int]]:
    return [list(numbers[start : start + size]) for start in range(0, len(numbers), size)]


def runs_of_equal(labels: Sequence[int], longest: int) -> list[tuple[int, int, int]]:
    """Runs of equal labels in sequence, as (label, start, end), none longer than `longest`."""
    runs: list[tuple[int, int, int]] = []
    for place, label in enumerate(labels):
        if runs and runs[-1][0] == label and place - runs[-1][1] < longest:
            runs[-1] = (label, runs[-1][1], place + 1)
        else:
            runs.append((label, place, place + 1))
    return runs


def parts(drawn: Drawn) -> dict[str, Tensor]:
    """Samples and their companions by name, from left to right.

    A companion that equals an earlier one is left out: what was real, where that is what went in.
    """
    earlier = list(drawn.before.values())
    later = {
        name: values
        for name, values in drawn.after.items()
        if not any(_same(values, it) for it in earlier)
    }
    return {**drawn.before, SAMPLES: drawn.samples, **later}


def _same(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and torch.equal(one, other)
