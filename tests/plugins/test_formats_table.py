"""Vectors and tables: pictures beside real ones, and CSV files that are read again."""

from __future__ import annotations

import csv
import io
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ganforge import Column, Drawn, Field, Fit, Problem, columns_of
from ganforge_formats.plots import FAKE, REAL, plot
from ganforge_formats.spreadsheet import numbers
from ganforge_formats.table import MOST_PANELS, TableFormat
from ganforge_formats.vector import VectorFormat

COLUMNS = [
    {"name": "age", "kind": "number", "start": 5, "size": 1, "decimals": 0},
    {"name": "colour", "kind": "category", "start": 0, "size": 3, "values": ["red", "a,b", None]},
    {"name": "smokes", "kind": "category", "start": 3, "size": 1, "values": ["no", "yes"]},
    {"name": "income", "kind": "number", "start": 6, "size": 3, "modes": [[100, 10], [900, 50]]},
    {"name": "height", "kind": "number", "start": 4},
]
SCALE = torch.tensor([1, 1, 1, 1, 0.5, 40, 1, 1, 1.0])
OFFSET = torch.tensor([0, 0, 0, 0, 1.5, 50, 0, 0, 0.0])
FIT = Fit(facts={"columns": COLUMNS}, tensors={"scale": SCALE, "offset": OFFSET})


def problem_of(size, fit=None, **said):
    return Problem(sample=Field(kind="vector", shape=(size,), **said), input_shape=(2,), fit=fit)


def rows_of(contents):
    return list(csv.reader(io.StringIO(contents.decode(), newline="")))


def normal(num, size, seed=0):
    return torch.randn(num, size, generator=torch.Generator().manual_seed(seed))


def shows(picture, colour):
    return bool((picture.int() - torch.tensor(colour)).abs().amax(2).lt(12).any())


def test_vectors_are_plotted_over_real_ones_in_the_units_of_the_data():
    fit = Fit(tensors={"scale": torch.tensor([3.0, 1.0])})
    chosen, samples, real = VectorFormat(problem_of(2, fit)), normal(50, 2), normal(70, 2, 1)
    scale = torch.tensor([3.0, 1.0])
    drawn = Drawn(samples=samples, real=real)
    assert torch.equal(chosen.picture(drawn), plot(real * scale, samples * scale))
    alone = Drawn(samples=real, generated=False)
    assert torch.equal(chosen.picture(alone), plot(real * scale, None))


@pytest.mark.parametrize("dimension", [1, 2, 5])
def test_the_axes_of_a_walk_are_those_of_all_its_steps(dimension, texts):
    steps = [Drawn(samples=normal(40, dimension) * scale + scale) for scale in (0.1, 1.0, 3.0)]
    frames = list(VectorFormat(problem_of(dimension)).walk(steps))
    third = len(texts) // 3
    ticks = [[it for it in texts[n * third : (n + 1) * third] if ":" not in it] for n in range(3)]
    assert ticks[0] == ticks[1] == ticks[2]
    assert len(frames) == 3
    assert not torch.equal(frames[0], frames[2])


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1))
def test_numbers_are_read_again_as_they_were(values):
    given = torch.tensor(values)
    read = torch.tensor([float(text) for text in numbers(given)])
    assert torch.equal(read, given)


def test_rounded_numbers_have_their_decimals_and_no_negative_zero():
    values = torch.tensor([2.344, -0.001, 7.0, -3.5])
    assert numbers(values, 2) == ["2.34", "0.00", "7.00", "-3.50"]
    assert numbers(values, 0) == ["2", "0", "7", "-4"]


def test_vectors_are_columns_of_a_csv_with_their_class():
    drawn = Drawn(
        samples=torch.tensor([[0.5, -1.25], [1e-8, 3.0]]),
        labels=torch.tensor([1, 0]),
        classes=("a", 'b "c"'),
    )
    header, *rows = rows_of(VectorFormat(problem_of(2)).encode(drawn, ".csv"))
    assert header == ["x0", "x1", "label"]
    assert rows == [["0.5", "-1.25", 'b "c"'], ["1e-08", "3.0", "a"]]


# tables


def coded(colour, smokes, height, age, income, mode):
    """One row as its data set would have coded it."""
    row = torch.full((9,), -0.9)
    row[colour] = 0.1
    row[3] = 0.3 if smokes else -0.3
    row[4] = (height - 1.5) / 0.5
    row[5] = (age - 50) / 40
    row[6] = (income - (100, 900)[mode]) / (10, 50)[mode]
    row[7 + mode] = 0.2
    return row


def test_a_csv_has_the_columns_in_their_order_and_the_units_of_the_data():
    samples = torch.stack([coded(1, True, 1.75, 33, 95, 0), coded(2, False, 2.0, 71, 950, 1)])
    contents = TableFormat(problem_of(9, FIT, format="table")).encode(
        Drawn(samples=samples), ".csv"
    )
    header, *rows = rows_of(contents)
    assert header == ["age", "colour", "smokes", "income", "height"]
    assert [[*row[:3], *map(float, row[3:])] for row in rows] == [
        ["33", "a,b", "yes", pytest.approx(95), pytest.approx(1.75)],
        ["71", "", "no", pytest.approx(950), pytest.approx(2.0)],
    ]


def test_the_class_of_a_row_is_a_column_beside_one_of_the_same_name():
    fit = Fit(facts={"columns": [{"name": "label", "kind": "number", "start": 0}]})
    drawn = Drawn(samples=torch.zeros(2, 1), labels=torch.tensor([4, 0]))
    header, *rows = rows_of(TableFormat(problem_of(1, fit)).encode(drawn, ".csv"))
    assert (header, rows) == (["label", "label_"], [["0.0", "4"], ["0.0", "0"]])


def test_a_table_without_a_fit_has_numbered_columns():
    assert columns_of(problem_of(3)) == [Column(name=f"x{it}", start=it) for it in range(3)]


def test_arrays_are_restored_where_numbers_are_scaled():
    samples = normal(5, 9)
    found = TableFormat(problem_of(9, FIT)).arrays(Drawn(samples=samples))["samples"]
    assert torch.allclose(found, samples * SCALE + OFFSET)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ([{"kind": "number", "start": 0}], "'columns' is incomplete: 'name'"),
        (3, "'columns' is incomplete"),
        ([{"name": "a", "kind": "number", "start": 9}], "takes the numbers 9 to 9, and a sample"),
        ([{"name": "a", "kind": "number", "start": 0, "size": 2}], "'a' is 2 numbers: one, and"),
        ([{"name": "a", "kind": "date", "start": 0}], "'a' is of kind 'date': category or number"),
        (
            [{"name": "a", "kind": "category", "start": 0, "size": 3, "values": ["x", "y"]}],
            "'a' has 2 values, coded by 3",
        ),
        ([COLUMNS[0], COLUMNS[0]], "names a column twice"),
    ],
)
def test_columns_that_do_not_fit_are_refused(columns, message):
    with pytest.raises(ValueError, match=message):
        TableFormat(problem_of(9, Fit(facts={"columns": columns})))


def test_a_picture_has_rows_and_a_panel_for_each_column_beside_real_rows(texts):
    chosen = TableFormat(problem_of(9, FIT, format="table"))
    picture = chosen.picture(Drawn(samples=normal(300, 9), real=normal(200, 9, 1)))
    names = [column["name"] for column in COLUMNS]
    titles = [it.partition(" (")[0] for it in texts]
    assert [it for it in titles if it in names] == names * 2
    assert {"real: 200", "generated: 300", "yes", "no", "(none)"} <= set(texts)
    assert shows(picture, REAL)
    assert shows(picture, FAKE)
    alone = chosen.picture(Drawn(samples=normal(200, 9, 1), generated=False))
    assert shows(alone, REAL)
    assert not shows(alone, FAKE)


def test_a_frequent_value_has_a_longer_bar_and_rare_ones_share_one(texts):
    values = [f"value {number}" for number in range(12)]
    column = {"name": "a", "kind": "category", "start": 0, "size": 12, "values": values}
    samples = -torch.ones(200, 12)
    samples[torch.arange(200), (torch.arange(200) % 13 % 12)] = 1.0
    samples[:50, 4] = 2.0
    chosen = TableFormat(problem_of(12, Fit(facts={"columns": [column]})))
    chosen.picture(Drawn(samples=samples))
    beside = [it for it in texts if it.startswith("value") or it.endswith("more")]
    assert beside[0] == "value 4"
    assert beside[7] == "5 more"


def test_columns_beyond_those_that_are_shown_are_counted(texts):
    num = MOST_PANELS + 7
    TableFormat(problem_of(num)).picture(Drawn(samples=normal(20, num)))
    assert "and 7 more columns" in texts


@pytest.mark.parametrize("fill", [math.nan, math.inf, 0.0, 1e30])
def test_odd_rows_make_a_picture_and_a_file(fill):
    chosen = TableFormat(problem_of(9, FIT))
    samples = torch.full((3, 9), fill)
    assert chosen.picture(Drawn(samples=samples, real=normal(20, 9))).shape[2] == 3
    assert len(rows_of(chosen.encode(Drawn(samples=samples), ".csv"))) == 4
