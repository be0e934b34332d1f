"""Tables as CSV files (RFC 4180), with numbers that are read again without loss."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

from torch import Tensor

from ganforge import Drawn

LABEL = "label"  # the column of the classes


def numbers(values: Tensor, decimals: int | None = None) -> list[str]:
    """Numbers `[N]` as text: the shortest that gives the same float32, or so many decimals."""
    if decimals is None:
        return [str(value) for value in values.detach().float().cpu().numpy()]
    # Adding 0.0 makes -0.0, which a small negative number is rounded to, a plain zero.
    rounded = (round(value, decimals) + 0.0 for value in values.double().tolist())
    return [f"{value:.{decimals}f}" for value in rounded]


def encode_csv(
    columns: Mapping[str, Sequence[object]], drawn: Drawn, *, header: bool = True
) -> bytes:
    """Columns by name as CSV; the classes of the samples are a last column where there are some.

    Without its `header` it goes on with what stands before it.
    """
    columns = dict(columns)
    if drawn.labels is not None:
        columns[_unused(LABEL, columns)] = class_names(drawn)
    return encode_rows(columns if header else None, zip(*columns.values(), strict=True))


def encode_rows(header: Iterable[str] | None, rows: Iterable[Sequence[object]]) -> bytes:
    """Rows as CSV, UTF-8, below a header where there is one."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    if header is not None:
        writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()


def class_names(drawn: Drawn) -> list[str]:
    """The class of each sample: its name, or its number where it has none."""
    assert drawn.labels is not None
    numbers = drawn.labels.tolist()
    return [str(it) if drawn.classes is None else drawn.classes[it] for it in numbers]


def _unused(name: str, taken: Iterable[str]) -> str:
    taken = set(taken)
    while name in taken:
        name += "_"
    return name
