"""`Problem`: its short form and its long one, and what data has taught."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ganforge import Field, Fit, Problem

LABEL = Field(kind="category", classes=("0", "1", "2"))


def test_the_short_form_stands_for_images_of_bytes_and_vectors() -> None:
    images = Problem(sample_shape=(3, 8, 8), input_shape=(4,))
    assert images.sample == Field(kind="image", shape=(3, 8, 8), dtype="uint8")
    assert (images.sample_shape, images.input_shape) == ((3, 8, 8), (4,))
    assert (images.conditions, images.parts, images.fit) == ({}, {}, None)
    assert images.num_classes is None
    vectors = Problem(sample_shape=(2,))
    assert vectors.sample == Field(kind="vector", shape=(2,))
    assert vectors.input_shape == ()


@given(st.integers(1, 20))
def test_a_number_of_classes_is_a_condition_by_the_name_of_label(num_classes: int) -> None:
    problem = Problem(sample_shape=(2,), num_classes=num_classes)
    names = tuple(str(number) for number in range(num_classes))
    assert problem.conditions == {"label": Field(kind="category", classes=names)}
    assert problem.num_classes == num_classes
    assert problem == Problem(sample_shape=(2,), conditions=problem.conditions)


def test_the_generators_conditions_are_known_where_they_are_not_told() -> None:
    told = Problem(sample_shape=(2,), num_classes=3)
    assert told.generator_conditions == told.conditions
    untold = replace(told, conditions={})
    assert untold.num_classes is None
    assert untold.generator_conditions["label"].num_classes == 3


def test_the_long_form_is_a_field_and_conditions_of_any_kind() -> None:
    sample = Field(kind="sequence", shape=(1, 800), rate=8000)
    told = {"label": LABEL, "speaker": Field(kind="vector", shape=(16,))}
    problem = Problem(sample=sample, input_shape=(8,), conditions=told, parts={"noise": (0, 8)})
    assert problem.sample is sample
    assert problem.sample_shape == (1, 800)
    assert problem.num_classes == 3
    assert list(problem.conditions) == ["label", "speaker"]
    assert problem.parts == {"noise": (0, 8)}


def test_labels_whose_classes_are_not_known_have_no_number() -> None:
    problem = Problem(sample_shape=(2,), conditions={"label": Field(kind="category")})
    assert problem.num_classes is None


def test_the_classes_are_those_of_the_one_category_whatever_it_is_called() -> None:
    several = {"colour": LABEL, "shape": LABEL}
    assert Problem(sample_shape=(2,), conditions={"colour": LABEL}).num_classes == 3
    assert Problem(sample_shape=(2,), conditions=several).num_classes is None


def test_a_problem_without_a_sample_is_none() -> None:
    with pytest.raises(TypeError, match="a problem needs sample or sample_shape"):
        Problem(input_shape=(4,))


def test_a_shape_that_only_the_data_can_tell_is_asked_for_in_vain() -> None:
    problem = Problem(sample=Field(kind="vector"))
    with pytest.raises(ValueError, match="the shape of this field is known once its data was read"):
        _ = problem.sample_shape
    known = replace(problem, sample=problem.sample.with_shape((5,)))
    assert known.sample_shape == (5,)


def test_a_problem_is_changed_by_making_another() -> None:
    problem = Problem(sample_shape=(3, 8, 8), input_shape=(4,), num_classes=2)
    with pytest.raises(FrozenInstanceError):
        problem.input_shape = (5,)  # type: ignore[misc]
    other = replace(problem, input_shape=(5,))
    assert other.input_shape == (5,)
    assert (other.sample, other.conditions) == (problem.sample, problem.conditions)
    assert problem.input_shape == (4,)


def test_what_was_given_can_change_without_the_problem() -> None:
    told = {"label": LABEL}
    problem = Problem(sample_shape=(2,), conditions=told)
    del told["label"]
    assert list(problem.conditions) == ["label"]


def test_a_fit_turns_samples_back_into_the_units_of_the_data() -> None:
    fit = Fit(tensors={"scale": torch.tensor([2.0, 10.0]), "offset": torch.tensor([1.0, 0.0])})
    samples = torch.tensor([[0.0, 1.0], [-1.0, 0.5]])
    assert fit.restore(samples).tolist() == [[1.0, 10.0], [-1.0, 5.0]]
    assert Fit(tensors={"scale": torch.tensor(3.0)}).restore(samples)[0].tolist() == [0.0, 3.0]
    assert Fit(tensors={"offset": torch.tensor(3.0)}).restore(samples)[0].tolist() == [3.0, 4.0]
    assert torch.equal(Fit(facts={"columns": ["a", "b"]}).restore(samples), samples)
