"""The shapes that a component handles: one class per kind, and the words for each of them."""

from __future__ import annotations

import math
from dataclasses import FrozenInstanceError

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ganforge import (
    ANY_SHAPES,
    Field,
    ImageShapes,
    PointShapes,
    SequenceShapes,
    VectorShapes,
    VideoShapes,
    VoxelShapes,
)
from ganforge.plugin.fields import KINDS_OF_FIELDS, SHAPES
from ganforge.plugin.shapes import ALL_SHAPES, PLURALS, Shapes


@pytest.mark.parametrize(
    ("shapes", "shown"),
    [
        (ImageShapes(), "images"),
        (ImageShapes(square=True), "square images"),
        (ImageShapes(minimum=32), "images whose side is from 32 up"),
        (ImageShapes(maximum=64), "images whose side is up to 64"),
        (ImageShapes(multiple_of=4), "images whose side is a multiple of 4"),
        (
            ImageShapes(minimum=32, square=True, power_of_two=True),
            "square images whose side is a power of two from 32 up",
        ),
        (
            ImageShapes(minimum=8, maximum=64, power_of_two=True, multiple_of=8, channels=(1, 3)),
            "images whose side is a power of two and a multiple of 8 from 8 to 64 "
            "with 1 or 3 channels",
        ),
        (ImageShapes(channels=(1,)), "images with 1 channel"),
        (VectorShapes(), "vectors"),
        (VectorShapes(minimum=2, maximum=9), "vectors whose size is from 2 to 9"),
        (SequenceShapes(), "sequences"),
        (
            SequenceShapes(minimum=1024, multiple_of=256, channels=(1, 2)),
            "sequences whose length is a multiple of 256 from 1024 up with 1 or 2 channels",
        ),
        (VideoShapes(), "videos"),
        (VideoShapes(multiple_of=8), "videos whose side is a multiple of 8"),
        (PointShapes(), "point clouds"),
        (
            PointShapes(maximum=2048, channels=(3,)),
            "point clouds whose number of points is up to 2048 with 3 channels",
        ),
        (VoxelShapes(), "voxel grids"),
        (
            VoxelShapes(minimum=16, channels=(1,)),
            "voxel grids whose side is from 16 up with 1 channel",
        ),
    ],
)
def test_shapes_are_put_into_words(shapes: Shapes, shown: str) -> None:
    assert str(shapes) == shown


@pytest.mark.parametrize(
    ("shapes", "shape"),
    [
        (ImageShapes(square=True), (3, 8, 16)),
        (ImageShapes(minimum=32), (3, 32, 31)),
        (ImageShapes(maximum=32), (3, 33, 32)),
        (ImageShapes(power_of_two=True), (3, 48, 48)),
        (ImageShapes(multiple_of=4), (3, 8, 6)),
        (ImageShapes(channels=(1, 3)), (4, 8, 8)),
        (VectorShapes(minimum=3), (2,)),
        (VectorShapes(maximum=3), (4,)),
        (SequenceShapes(multiple_of=16), (2, 40)),
        (SequenceShapes(channels=(1,)), (2, 40)),
        (VideoShapes(minimum=32), (3, 64, 16, 32)),
        (VideoShapes(channels=(3,)), (1, 8, 16, 16)),
        (PointShapes(minimum=100), (99, 3)),
        (PointShapes(channels=(3,)), (100, 6)),
        (VoxelShapes(multiple_of=4), (1, 6, 8, 8)),
    ],
)
def test_a_shape_out_of_reach_is_refused_in_words(shapes: Shapes, shape: tuple[int, ...]) -> None:
    assert shapes.refusal(shape) == f"handles {shapes}, not {' x '.join(map(str, shape))}"


@pytest.mark.parametrize(
    ("shapes", "shape"),
    [
        # Bounds are those of a picture's sides: a short clip of large frames is one.
        (VideoShapes(minimum=32, multiple_of=32), (3, 5, 64, 32)),
        # A point cloud is bounded by its number of points, which comes before the channels.
        (PointShapes(minimum=100, channels=(3,)), (100, 3)),
        (VectorShapes(minimum=2), (2,)),
        (VoxelShapes(minimum=8), (1, 8, 9, 10)),
        (SequenceShapes(maximum=40, channels=(2,)), (2, 40)),
    ],
)
def test_a_shape_within_reach_is_not_refused(shapes: Shapes, shape: tuple[int, ...]) -> None:
    assert shapes.refusal(shape) is None


@given(st.integers(1, 4), st.integers(1, 300), st.integers(1, 300))
def test_dcgan_like_shapes_are_the_square_powers_of_two(
    channels: int, height: int, width: int
) -> None:
    shapes = ImageShapes(minimum=32, square=True, power_of_two=True)
    fits = height == width and height in (32, 64, 128, 256)
    assert (shapes.refusal((channels, height, width)) is None) == fits
    assert ImageShapes().refusal((channels, height, width)) is None


@given(
    kind=st.sampled_from(ALL_SHAPES),
    sides=st.tuples(*[st.integers(1, 64)] * 4),
    minimum=st.integers(1, 40),
    room=st.none() | st.integers(0, 40),
    multiple_of=st.integers(1, 8),
    channels=st.none() | st.sets(st.integers(1, 4), min_size=1),
)
def test_a_shape_fits_where_each_of_its_bounds_does(
    kind: type[Shapes],
    sides: tuple[int, ...],
    minimum: int,
    room: int | None,
    multiple_of: int,
    channels: set[int] | None,
) -> None:
    shape = sides[: SHAPES[kind.kind].count(",") + (kind.kind != "vector")]
    maximum = None if room is None else minimum + room
    shapes = kind(
        minimum=minimum,
        maximum=maximum,
        multiple_of=multiple_of,
        channels=None if channels is None else tuple(sorted(channels)),
    )
    bounded = {"image": shape[1:], "vector": shape, "video": shape[2:], "points": shape[:1]}.get(
        kind.kind, shape[1:]
    )
    has = {"vector": None, "points": shape[-1]}.get(kind.kind, shape[0])
    assume(channels is None or has is not None)
    fits = all(
        minimum <= side <= (maximum or math.inf) and side % multiple_of == 0 for side in bounded
    )
    fits = fits and (channels is None or has in channels)
    assert (shapes.refusal(shape) is None) == fits


def test_there_is_a_class_for_every_kind_but_categories() -> None:
    assert [shapes.kind for shapes in ALL_SHAPES] == [
        "image",
        "vector",
        "sequence",
        "video",
        "points",
        "voxels",
    ]
    assert {*PLURALS} == {*KINDS_OF_FIELDS} - {"category"}
    assert tuple(type(shapes) for shapes in ANY_SHAPES) == ALL_SHAPES


@pytest.mark.parametrize("shapes", ANY_SHAPES, ids=lambda shapes: shapes.kind)
@given(data=st.data())
def test_the_shapes_without_bounds_refuse_nothing_of_their_kind(
    shapes: Shapes, data: st.DataObject
) -> None:
    rank = len(SHAPES[shapes.kind].replace(",)", ")").split(","))
    shape = data.draw(st.tuples(*[st.integers(1, 4096)] * rank))
    assert shapes.refusal(Field(kind=shapes.kind, shape=shape).known_shape) is None


def test_shapes_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        ImageShapes().minimum = 3  # type: ignore[misc]
