"""Specs: a faulty one is refused where it is made, and shapes are refused in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import FrozenInstanceError, make_dataclass
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganforge import (
    DatasetSpec,
    DiscriminatorSpec,
    FormatSpec,
    GeneratorSpec,
    ImageShapes,
    LossSpec,
    OptimizerSpec,
    SamplerSpec,
    VectorShapes,
    option,
)
from ganforge.plugin.specs import KINDS, SPECS


def generator(**fields: Any) -> GeneratorSpec:
    return GeneratorSpec(**{"name": "g", "summary": "A generator", "build": "m:f", **fields})


def loss(**fields: Any) -> LossSpec:
    return LossSpec(**{"name": "x", "summary": "A loss", "build": "m:f", **fields})


def dataset(**fields: Any) -> DatasetSpec:
    shape: Callable[[Any], tuple[int, ...]] = lambda options: (1, 8, 8)  # noqa: E731
    return DatasetSpec(
        **{"name": "d", "summary": "Data", "build": "m:f", "sample_shape": shape, **fields}
    )


def sampler(**fields: Any) -> SamplerSpec:
    shape: Callable[..., tuple[int, ...]] = lambda options, sample_shape: (4,)  # noqa: E731
    return SamplerSpec(
        **{"name": "s", "summary": "Draws", "build": "m:f", "input_shape": shape, **fields}
    )


def optimizer(**fields: Any) -> OptimizerSpec:
    return OptimizerSpec(**{"name": "o", "summary": "Moves", "build": "m:f", **fields})


def test_there_is_one_spec_a_kind() -> None:
    components = ("generator", "discriminator", "loss", "dataset", "sampler")
    others = ("game", "augmentation", "metric", "callback", "optimizer", "format", "recipe")
    assert list(KINDS) == [*components, *others]
    assert [spec.kind for spec in SPECS] == list(KINDS)


@pytest.mark.parametrize("name", ["dcgan", "my-gan", "r1", "stylegan2-ada", "a" * 64, "3d"])
def test_a_kebab_case_name_is_taken(name: str) -> None:
    assert generator(name=name).name == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "DCGAN",
        "my_gan",
        "my gan",
        "-rf",
        "gan-",
        "a--b",
        "../x",
        "a/b",
        "a.b",
        ".",
        "a\n",
        "\nb",
        "é",
        "٣",
        "a\x1b[2J",
        "a\u202eb",
        "a" * 65,
        "a" * 300,
        None,
        3,
        b"dcgan",
    ],
)
def test_a_name_that_could_not_stand_in_a_path_is_refused(name: Any) -> None:
    with pytest.raises(ValueError, match=r"is not a component name|is longer than 64 letters"):
        generator(name=name)


@pytest.mark.parametrize("summary", ["", "  ", "two\nlines", None, 3])
def test_a_summary_is_one_line(summary: Any) -> None:
    with pytest.raises(ValueError, match="g: the summary must be one line of text"):
        generator(summary=summary)


@pytest.mark.parametrize("build", ["package.module:Class", "m:f", "m:Class.method", "_m._n:_f"])
def test_a_target_is_taken(build: str) -> None:
    assert generator(build=build).build == build


@pytest.mark.parametrize(
    "build", ["", "module", "module:", ":f", "a b:f", "m:f()", "m:f:g", "../m:f", "m.:f", print]
)
def test_what_is_no_target_is_refused(build: Any) -> None:
    with pytest.raises(ValueError, match=r"build must be a string like 'package\.module:callable'"):
        generator(build=build)


def test_options_that_are_none_are_refused() -> None:
    with pytest.raises(TypeError, match="is not a dataclass"):
        generator(options=int)


@pytest.mark.parametrize("reserved", ["name", "weight", "every"])
def test_an_option_may_not_have_a_name_that_means_something_else(reserved: str) -> None:
    fields = [(reserved, int, option(1, help="taken"))]
    options = make_dataclass("Options", fields, frozen=True, kw_only=True)
    with pytest.raises(ValueError, match=f"an option cannot be called '{reserved}'"):
        generator(options=options)


@pytest.mark.parametrize(
    ("annotation", "default", "message"),
    [
        (int, 0, "the default of x: 0 is out of range: must be at least 1"),
        (int, None, "the default of x: expected an integer, got None"),
        (int, "1", "the default of x: expected an integer, got '1'"),
        (Literal["a", "b"], "c", "the default of x: 'c' is not allowed: one of 'a' and 'b'"),
    ],
)
def test_a_default_that_is_not_allowed_is_refused(
    annotation: Any, default: Any, message: str
) -> None:
    fields = [("x", annotation, option(default, help="something", minimum=1))]
    options = make_dataclass("Options", fields, frozen=True, kw_only=True)
    with pytest.raises(ValueError, match=f"g: {message}"):
        generator(options=options)


@pytest.mark.parametrize(
    ("make", "fields", "message"),
    [
        (generator, {"images": (32, 32)}, "images must be ImageShapes or None"),
        (generator, {"labels": "sometimes"}, "labels must be one of none, optional, required"),
        (generator, {"inputs": "noise"}, "inputs must be one of latents, images, not 'noise'"),
        (generator, {"discriminator": 3}, "discriminator must be a name or None, not 3"),
        (generator, {"sampler": None}, "sampler must be a name, not None"),
        (sampler, {"inputs": "noise"}, "inputs must be one of latents, images, not 'noise'"),
        (sampler, {"input_shape": (4,)}, "input_shape must be a function"),
        (loss, {"trains": ()}, "trains must be a tuple of"),
        (loss, {"trains": "generator"}, "trains must be a tuple of"),
        (loss, {"trains": ("critic",)}, "trains must be a tuple of"),
        (loss, {"every": 0}, "every must be a number of steps, not 0"),
        (loss, {"every": 1.5}, "every must be a number of steps, not 1.5"),
        (dataset, {"sample_shape": (1, 8, 8)}, "sample_shape must be a function"),
        (dataset, {"check_available": True}, "check_available must be a function"),
        (dataset, {"path_option": "root"}, "path_option names no option: 'root'"),
        (optimizer, {"found_inf": None}, "found_inf must be a bool, not None"),
        (optimizer, {"param_groups": {"rate": "lr"}}, "param_groups must give keys by option, not"),
        (optimizer, {"param_groups": ("lr",)}, "param_groups must give keys by option, not"),
    ],
)
def test_a_capability_that_means_nothing_is_refused(
    make: Callable[..., object], fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        make(**fields)


def test_a_field_that_a_spec_does_not_have_is_refused() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'double_backward'"):
        generator(double_backward=True)


def test_an_option_of_an_optimizer_has_the_key_that_torch_has_for_it() -> None:
    options = make_dataclass(
        "Options", [("smoothing", float, option(0.9, help="s"))], frozen=True, kw_only=True
    )
    spec = optimizer(options=options, param_groups={"smoothing": "alpha"})
    named = ("learning_rate", "epsilon", "betas", "smoothing")
    assert [spec.key_of(it) for it in named] == ["lr", "eps", "betas", "alpha"]


def test_a_spec_cannot_be_changed() -> None:
    spec = generator()
    with pytest.raises(FrozenInstanceError):
        spec.name = "other"  # type: ignore[misc]


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
    ],
)
def test_image_shapes_are_put_into_words(shapes: ImageShapes, shown: str) -> None:
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
    ],
)
def test_a_shape_out_of_reach_is_refused_in_words(
    shapes: ImageShapes, shape: tuple[int, ...]
) -> None:
    channels, height, width = shape
    assert shapes.refusal(shape) == f"handles {shapes}, not {channels} x {height} x {width}"


@given(st.integers(1, 4), st.integers(1, 300), st.integers(1, 300))
def test_dcgan_like_shapes_are_the_square_powers_of_two(
    channels: int, height: int, width: int
) -> None:
    shapes = ImageShapes(minimum=32, square=True, power_of_two=True)
    fits = height == width and height in (32, 64, 128, 256)
    assert (shapes.refusal((channels, height, width)) is None) == fits
    assert ImageShapes().refusal((channels, height, width)) is None


def test_a_network_says_whether_it_handles_vectors_or_images() -> None:
    assert generator().refusal((2,)) == "handles images only, not vectors"
    assert generator(vectors=True).refusal((2,)) is None
    points = DiscriminatorSpec(name="p", summary="s", build="m:f", shapes=(VectorShapes(),))
    assert points.refusal((3, 8, 8)) == "handles vectors only, not images"
    assert points.refusal((2,)) is None


def format_spec(**fields: Any) -> FormatSpec:
    said = {"name": "f", "summary": "Shows", "build": "m:f", "kinds": ("vector",), **fields}
    return FormatSpec(**said)


def test_every_format_writes_pictures_and_arrays() -> None:
    assert format_spec().suffixes == (".png", ".npz")
    spec = format_spec(suffixes=(".png", ".npz", ".wav"), one_file_each=".wav")
    assert spec.one_file_each == ".wav"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kinds": ()}, "f: kinds must be a tuple of image, vector, "),
        ({"kinds": "vector"}, "f: kinds must be a tuple of image, vector, "),
        ({"kinds": ("sound",)}, "f: kinds must be a tuple of image, vector, "),
        ({"suffixes": ("png", ".npz")}, "f: suffixes must be a tuple such as"),
        ({"suffixes": [".png", ".npz"]}, "f: suffixes must be a tuple such as"),
        ({"suffixes": (".png", ".npz", ".T")}, "f: suffixes must be a tuple such as"),
        ({"suffixes": (".png", ".csv")}, "f: suffixes must have '.png' and '.npz'"),
        ({"one_file_each": ".wav"}, "f: one_file_each must be one of the suffixes or None"),
        (
            {"options": make_dataclass("O", [("x", int, option(1, help="x"))], frozen=True)},
            "has no options",
        ),
    ],
)
def test_a_format_that_says_what_cannot_be_is_refused(fields: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        format_spec(**fields)
