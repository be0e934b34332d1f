"""Fields: what a data set gives, by kind, and the keywords that conditions reach a network by."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganforge import Field
from ganforge.plugin.fields import CONDITIONS, KINDS_OF_FIELDS, SHAPES, grouped

#: a shape of each kind
SOUND: dict[str, tuple[int, ...]] = {
    "image": (3, 8, 12),
    "vector": (5,),
    "category": (),
    "sequence": (2, 100),
    "video": (3, 16, 8, 8),
    "points": (1024, 3),
    "voxels": (1, 4, 5, 6),
}
RANKS = {kind: len(shape) for kind, shape in SOUND.items()}


def test_every_kind_is_tried_here() -> None:
    assert tuple(SOUND) == KINDS_OF_FIELDS == tuple(SHAPES)


@pytest.mark.parametrize("kind", KINDS_OF_FIELDS)
def test_a_field_has_the_shape_of_its_kind_or_none_yet(kind: Any) -> None:
    assert Field(kind=kind, shape=SOUND[kind]).known_shape == SOUND[kind]
    late = Field(kind=kind)
    if kind == "category":
        assert late.known_shape == ()
        return
    assert late.shape is None
    with pytest.raises(ValueError, match="the shape of this field is known once its data was read"):
        _ = late.known_shape
    assert late.with_shape(SOUND[kind]) == Field(kind=kind, shape=SOUND[kind])


@given(
    kind=st.sampled_from(KINDS_OF_FIELDS),
    shape=st.lists(st.integers(-2, 9), max_size=5).map(tuple),
)
def test_a_shape_of_another_rank_or_without_a_size_is_refused(
    kind: Any, shape: tuple[int, ...]
) -> None:
    if kind == "category" or (len(shape) == RANKS[kind] and all(side > 0 for side in shape)):
        # The shape of a category is (), whatever is given.
        expected = () if kind == "category" else shape
        assert Field(kind=kind, shape=shape).shape == expected
        return
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        Field(kind=kind, shape=shape)
    assert str(caught.value) == (
        f"the shape of a field of kind {kind} is like {SHAPES[kind]}, not {shape!r}"
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"kind": "picture"}, "a field is one of image, vector, category, .*, not 'picture'"),
        ({"kind": None}, "a field is one of .*, not None"),
        ({"kind": "image", "shape": [3, 8, 8]}, r"like \(C, H, W\), not \[3, 8, 8\]"),
        ({"kind": "image", "shape": (3, 8.0, 8)}, r"like \(C, H, W\), not \(3, 8.0, 8\)"),
        ({"kind": "vector", "shape": (True,)}, r"like \(D,\), not \(True,\)"),
        ({"kind": "vector", "shape": 5}, r"like \(D,\), not 5"),
        ({"kind": "image", "range": (1.0, 1.0)}, r"range must be \(lowest, highest\), not \(1.0, "),
        ({"kind": "image", "range": (2.0, -2.0)}, r"range must be \(lowest, highest\), not"),
    ],
)
def test_a_field_that_is_none_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Field(**given)


@pytest.mark.parametrize(
    ("field", "scaled", "limits"),
    [
        (Field(kind="image", dtype="uint8"), True, (0.0, 255.0)),
        (Field(kind="image", dtype="float32"), False, (0.0, 255.0)),
        (Field(kind="image", range=(-1000.0, 3000.0)), True, (-1000.0, 3000.0)),
        (Field(kind="sequence", range=(-1.0, 1.0)), True, (-1.0, 1.0)),
        (Field(kind="vector"), False, (0.0, 255.0)),
    ],
)
def test_what_has_a_range_is_scaled(
    field: Field, scaled: bool, limits: tuple[float, float]
) -> None:
    assert (field.scaled, field.limits) == (scaled, limits)


@pytest.mark.parametrize(
    ("shape", "field"),
    [
        ((3, 8, 8), Field(kind="image", shape=(3, 8, 8), dtype="uint8")),
        ((2,), Field(kind="vector", shape=(2,))),
    ],
)
def test_a_bare_shape_stands_for_images_of_bytes_or_vectors(
    shape: tuple[int, ...], field: Field
) -> None:
    assert Field.of_shape(shape) == field


@pytest.mark.parametrize("shape", [(2, 9), (1, 2, 3, 4), ()])
def test_a_bare_shape_of_another_rank_stands_for_nothing(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"the shape of a field of kind vector is like \(D,\)"):
        Field.of_shape(shape)


@pytest.mark.parametrize(
    ("field", "shown"),
    [
        (Field.of_shape((3, 64, 32)), "3 x 64 x 32"),
        (Field.of_shape((7,)), "7"),
        (Field(kind="category"), "a category"),
        (Field(kind="category", classes=("a", "b")), "2 classes"),
        (Field(kind="sequence"), "sequence of a shape that only the data can tell"),
    ],
)
def test_a_field_is_put_into_words(field: Field, shown: str) -> None:
    assert field.shown() == shown


def test_the_classes_of_a_category_are_counted() -> None:
    assert Field(kind="category").num_classes is None
    assert Field(kind="category", classes=("cat", "dog", "owl")).num_classes == 3
    assert Field(kind="category", classes=()).num_classes == 0


def test_a_field_is_shown_by_the_format_of_its_kind_unless_it_names_another() -> None:
    assert Field(kind="video").format_name == "video"
    assert Field(kind="sequence", format="text").format_name == "text"


def test_a_category_reaches_a_network_as_label_and_the_rest_by_its_kind() -> None:
    keywords = {kind: Field(kind=kind, shape=SOUND[kind]).keyword for kind in SOUND}
    assert keywords == {kind: kind for kind in SOUND} | {"category": "label"}  # type: ignore[arg-type]
    assert {*keywords.values(), "labels"} == {*CONDITIONS}


LABEL, COLOUR = Field(kind="category"), Field(kind="category", classes=("red", "blue"))
MASK, COARSE = Field(kind="image", shape=(1, 8, 8)), Field(kind="image", shape=(3, 8, 8))
TEXT = Field(kind="vector", shape=(64,))


@pytest.mark.parametrize(
    ("conditions", "groups"),
    [
        ({}, {}),
        ({"label": LABEL}, {"label": ("label",)}),
        ({"colour": COLOUR}, {"label": ("colour",)}),
        ({"label": LABEL, "colour": COLOUR}, {"labels": ("label", "colour")}),
        ({"mask": MASK, "coarse": COARSE}, {"image": ("mask", "coarse")}),
        (
            {"caption": TEXT, "label": LABEL, "mask": MASK},
            {"vector": ("caption",), "label": ("label",), "image": ("mask",)},
        ),
    ],
)
def test_conditions_are_grouped_by_keyword(
    conditions: dict[str, Field], groups: dict[str, tuple[str, ...]]
) -> None:
    assert grouped(conditions) == groups


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=4),
        st.sampled_from([Field(kind=kind, shape=SOUND[kind]) for kind in SOUND]),  # type: ignore[arg-type]
    )
)
def test_every_condition_is_in_one_group_in_its_order(conditions: dict[str, Field]) -> None:
    groups = grouped(conditions)
    assert sorted(name for names in groups.values() for name in names) == sorted(conditions)
    assert {*groups} <= {*CONDITIONS}
    order = list(conditions)
    for keyword, names in groups.items():
        assert sorted(names, key=order.index) == list(names)
        for name in names:
            kind = conditions[name].kind
            expected = ("labels" if len(names) > 1 else "label") if kind == "category" else kind
            assert keyword == expected
