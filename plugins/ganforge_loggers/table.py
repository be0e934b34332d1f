"""Metrics as a table for spreadsheets: RFC 4180, a row per line of `metrics.jsonl`."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ganforge import Callback, NoOptions, Problem

FILE = "metrics.csv"
STEP = "step"


class CSV(Callback):
    """Appends to `metrics.csv`, whose columns are all the names that were seen so far.

    A name that appears later makes a new column, for which the file is written anew. The file is
    open only while a row is written, so that it can be read and moved while a run goes on.
    """

    def __init__(self, problem: Problem, options: NoOptions) -> None:
        self._path = Path(FILE)
        self._columns = [STEP]

    def started(self, run_directory: Path, step: int, config: Mapping[str, Any]) -> None:
        """Keep the rows up to `step`; what a killed session wrote after it is told again."""
        self._path = run_directory / FILE
        if not self._path.exists():
            return
        header, rows = _read(self._path)
        kept = [row for row in rows if len(row) == len(header) and _step_of(header, row) <= step]
        self._columns = header or [STEP]
        _replace(self._path, self._columns, kept)

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        row = {STEP: step, **values}
        added = [name for name in row if name not in self._columns]
        cells = [row.get(name, "") for name in (*self._columns, *added)]
        if not added and self._path.exists():
            with self._path.open("a", encoding="utf-8", newline="") as file:
                csv.writer(file).writerow(cells)
            return
        _, rows = _read(self._path) if self._path.exists() else ([], [])
        self._columns += added
        _replace(self._path, self._columns, [*(_filled(old, self._columns) for old in rows), cells])


def _read(path: Path) -> tuple[list[str], list[list[str]]]:
    """The header and the rows of a table, without a last one that was cut off."""
    # What a crash may leave in a file, null bytes for one, is no reason to lose the rest of it.
    text = path.read_bytes().decode(errors="replace").replace("\0", "")
    whole = text[: text.rfind("\n") + 1]
    header, *rows = list(csv.reader(io.StringIO(whole, newline=""))) or [[]]
    return header, rows


def _step_of(header: Sequence[str], row: Sequence[str]) -> float:
    try:
        return float(row[header.index(STEP)])
    except ValueError:  # no such column, or no number in it
        return float("inf")


def _filled(row: Sequence[object], columns: Sequence[str]) -> list[object]:
    return [*row, *[""] * (len(columns) - len(row))]


def _replace(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write the whole table beside its place and rename it, so that no row can be lost."""
    temporary = path.with_name(f".tmp-{path.name}")
    with temporary.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    temporary.replace(path)
