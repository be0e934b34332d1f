"""Conditions as they are given on the command line."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
import torch

from ganforge import Field, Problem
from ganforge.sampling.conditions import find_conditions
from ganforge.sampling.trained_generator import TrainedGenerator


def told(**fields: Field) -> TrainedGenerator:
    """A generator that is told these fields."""
    problem = Problem(sample_shape=(2,), input_shape=(3,), conditions=fields)
    return TrainedGenerator(problem=problem, source=Mock(), format=Mock(), execution=Mock())


@pytest.mark.parametrize(
    ("value_range", "expected"), [(None, [1.0, 2.0]), ((1.0, 5.0), [-1.0, -0.5])]
)
def test_numbers_are_in_the_units_of_the_data(value_range, expected):
    field = Field(kind="vector", shape=(2,), range=value_range)
    found = find_conditions(told(speed=field), None, ["speed=1,2"])
    assert found["speed"].tolist() == [expected]


def test_bytes_of_a_file_are_brought_to_where_networks_see_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    np.save("grey.npy", np.array([[[0, 255]]], dtype=np.uint8))
    np.save("scaled.npy", np.array([[[-1.0, 1.0]]]))
    trained = told(source=Field(kind="image", shape=(1, 1, 2), dtype="uint8"))
    for file in ("grey.npy", "scaled.npy"):
        found = find_conditions(trained, None, [f"source={file}"])["source"]
        assert found.dtype == torch.float32
        assert found.tolist() == [[[[-1.0, 1.0]]]]


def test_the_classes_are_those_of_the_one_category_whatever_it_is_called():
    vector, breeds = Field(kind="vector", shape=(2,)), Field(kind="category", classes=("a", "b"))
    colours = Field(kind="category", classes=("red", "green", "blue"))
    of = {
        2: {"breed": breeds, "caption": vector},
        3: {"breed": breeds, "label": colours},
        None: {"breed": breeds, "colour": colours},
    }
    for num_classes, conditions in of.items():
        problem = Problem(sample_shape=(2,), conditions=conditions)
        assert problem.num_classes == num_classes
