"""Specs: a faulty one is refused where it is made, and says what it handles and needs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import FrozenInstanceError, make_dataclass
from typing import Any, Literal

import pytest

from ganforge import (
    AugmentationSpec,
    DatasetSpec,
    DiscriminatorSpec,
    Field,
    FormatSpec,
    GameSpec,
    GeneratorSpec,
    ImageShapes,
    LossSpec,
    MetricSpec,
    OptimizerSpec,
    SamplerSpec,
    SequenceShapes,
    VectorShapes,
    option,
)
from ganforge.plugin.base_specs import Spec
from ganforge.plugin.hookspecs import HOOKS
from ganforge.plugin.specs import KINDS, SPECS


def generator(**fields: Any) -> GeneratorSpec:
    return GeneratorSpec(**{"name": "g", "summary": "A generator", "build": "m:f", **fields})


def loss(**fields: Any) -> LossSpec:
    return LossSpec(**{"name": "x", "summary": "A loss", "build": "m:f", **fields})


def dataset(**fields: Any) -> DatasetSpec:
    given = lambda options: {"sample": Field.of_shape((1, 8, 8))}  # noqa: E731
    return DatasetSpec(
        **{"name": "d", "summary": "Data", "build": "m:f", "fields": given, **fields}
    )


def sampler(**fields: Any) -> SamplerSpec:
    shape: Callable[..., tuple[int, ...]] = lambda options, fields: (4,)  # noqa: E731
    return SamplerSpec(
        **{"name": "s", "summary": "Draws", "build": "m:f", "input_shape": shape, **fields}
    )


def discriminator(**fields: Any) -> DiscriminatorSpec:
    return DiscriminatorSpec(**{"name": "c", "summary": "Judges", "build": "m:f", **fields})


def game(**fields: Any) -> GameSpec:
    return GameSpec(**{"name": "g", "summary": "Connects", "build": "m:f", **fields})


def metric(**fields: Any) -> MetricSpec:
    return MetricSpec(**{"name": "m", "summary": "Measures", "build": "m:f", **fields})


def augmentation(**fields: Any) -> AugmentationSpec:
    return AugmentationSpec(**{"name": "a", "summary": "Turns", "build": "m:f", **fields})


def optimizer(**fields: Any) -> OptimizerSpec:
    return OptimizerSpec(**{"name": "o", "summary": "Moves", "build": "m:f", **fields})


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"sides": ("G",)}, "sides must be two lines of text"),
        ({"sides": ("G", "two\nlines")}, "sides must be two lines of text"),
        ({"pairs": ()}, "pairs must be a tuple such as"),
        ({"pairs": ("x", "G(z)")}, "pairs must be a tuple such as"),
        ({"pairs": (("x", ""),)}, "pairs must be a tuple such as"),
        ({"meanings": {"codes": 3}}, "meanings must give a line of text by quantity"),
        ({"meanings": ("codes", "E(x)")}, "meanings must give a line of text by quantity"),
    ],
)
def test_the_words_of_a_game_are_lines_of_text(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"g: {message}"):
        game(**fields)


def test_a_game_says_what_the_usual_one_is_unless_it_says_otherwise() -> None:
    assert game().sides == ("one generator G", "one discriminator D")
    assert game().pairs == (("x", "G(z)"),)
    assert callable(game(pairs=lambda options: (("x", "E(x)"),)).pairs)


def test_there_is_one_spec_a_kind() -> None:
    components = ("generator", "discriminator", "loss", "dataset", "sampler", "refinement")
    others = ("game", "augmentation", "metric", "features", "callback", "optimizer")
    assert list(KINDS) == [*components, *others, "format", "recipe"]
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
        (generator, {"shapes": (32, 32)}, r"shapes must be a tuple such as \(ImageShapes\(\),\)"),
        (generator, {"shapes": ImageShapes()}, "shapes must be a tuple such as"),
        (generator, {"shapes": ()}, r"shapes must be a tuple such as .*, not \(\)"),
        (metric, {"shapes": ("images",)}, "shapes must be a tuple such as"),
        (augmentation, {"shapes": None}, "shapes must be a tuple such as .*, not None"),
        (
            discriminator,
            {"shapes": (ImageShapes(minimum=8), ImageShapes(square=True))},
            "shapes has two objects of one kind",
        ),
        (generator, {"conditions": "label"}, "conditions must be a tuple of names, not 'label'"),
        (generator, {"conditions": ["label"]}, r"conditions must be a tuple of names, not \['lab"),
        (
            generator,
            {"conditions": ("caption",)},
            "conditions names one of label, labels, image, vector, sequence, video, points, "
            "voxels, not 'caption'",
        ),
        (generator, {"conditions": ("category",)}, "conditions names one of label, labels, image"),
        (
            discriminator,
            {"conditions": ("label", "vector"), "required": ("image",)},
            "required names one of label, vector, not 'image'",
        ),
        (discriminator, {"required": ("label",)}, "required names one of nothing, not 'label'"),
        (generator, {"gives": "w"}, "gives must be a tuple of names, not 'w'"),
        (generator, {"gives": ("",)}, "gives must be a tuple of names"),
        (generator, {"methods": "encode"}, "methods must be a tuple of names, not 'encode'"),
        (
            generator,
            {"inputs": "noise"},
            "inputs must be one of latents, sample, image, vector, category, sequence, video, "
            "points, voxels, not 'noise'",
        ),
        (generator, {"inputs": "images"}, "inputs must be one of latents, sample, image, vec"),
        (generator, {"discriminator": 3}, "discriminator must be a name or None, not 3"),
        (generator, {"sampler": None}, "sampler must be a name, not None"),
        (generator, {"game": None}, "game must be a name, not None"),
        (discriminator, {"patches": None}, "patches must be true, false or a function of the op"),
        (discriminator, {"several": 3}, "several must be true, false or a function of the options"),
        (discriminator, {"batch_independent": "yes"}, "batch_independent must be true, false or"),
        (discriminator, {"name": "none"}, "reserved name: it means no discriminator"),
        (sampler, {"inputs": "noise"}, "inputs must be one of latents, sample, image, .*'noise'"),
        (
            sampler,
            {"input_shape": (4,)},
            "input_shape must be a function of the options and the data set's fields",
        ),
        (sampler, {"reads": "samples"}, "reads must be a tuple of names, not 'samples'"),
        (sampler, {"parts": {"noise": 3}}, "parts must be a function of the options"),
        (loss, {"trains": ()}, r"a term without a loss is given no step: it has reads=\(\), no"),
        (loss, {"trains": (), "reads": (), "every": 2}, "no double_backward, no every"),
        (loss, {"trains": "generator"}, "trains must be a tuple of"),
        (loss, {"trains": ("critic",)}, "trains names one of discriminator, generator, not 'cr"),
        (loss, {"every": 0}, "every must be a number of steps, not 0"),
        (loss, {"every": 1.5}, "every must be a number of steps, not 1.5"),
        (loss, {"reads": "fake_scores"}, "reads must be a tuple of names, not 'fake_scores'"),
        (loss, {"reads": ("fake scores",)}, "reads names quantities such as 'fake_scores' or"),
        (loss, {"reads": ("fake.features.2",)}, "such as .*'fake.features', not 'fake.features.2'"),
        (
            loss,
            {"double_backward": True},
            "double_backward must be a tuple of names, not True",
        ),
        (
            loss,
            {"double_backward": ("critic",)},
            "double_backward names one of discriminator, generator, not 'critic'",
        ),
        (
            loss,
            {"trains": ("generator",), "parameters": "discriminator"},
            "parameters must be a side that the term trains, not 'discriminator'",
        ),
        (loss, {"parameters": True}, "parameters must be a side that the term trains, not True"),
        (metric, {"reads": ["labels"]}, r"reads must be a tuple of names, not \['labels'\]"),
        (game, {"conditions": ("label",)}, r"conditions must be a bool, not \('label',\)"),
        (game, {"provides": "codes"}, "provides must be a tuple of names, not 'codes'"),
        (game, {"calls": ["encode"]}, "calls must be a tuple of names"),
        (game, {"reads": "source"}, "reads must be a tuple of names"),
        (
            game,
            {"judged": Field(kind="vector", shape=(2,))},
            "judged must be a function of the options, the sample and the input shape",
        ),
        (game, {"conditions": None}, "conditions must be a bool, not None"),
        (game, {"told": {}}, "told must be a function of the options, the sample and the input"),
        (game, {"packing": 0}, "packing must be a number from 1 up, or a function of the options"),
        (dataset, {"fields": {"sample": 3}}, "fields must be a function of the options"),
        (dataset, {"gives": "mixture"}, "gives must be a tuple of names, not 'mixture'"),
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


VECTOR, IMAGE = Field.of_shape((2,)), Field.of_shape((3, 8, 8))


def test_a_network_says_which_kinds_of_sample_it_handles() -> None:
    assert generator().refusal(VECTOR) == "handles images only, not vectors"
    assert generator().refusal(IMAGE) is None
    both = generator(shapes=(ImageShapes(minimum=16), VectorShapes()))
    assert both.refusal(VECTOR) is None
    assert both.refusal(IMAGE) == "handles images whose side is from 16 up, not 3 x 8 x 8"
    audio = Field(kind="sequence", shape=(1, 80))
    assert both.refusal(audio) == "handles images and vectors only, not sequences"
    points = discriminator(shapes=(VectorShapes(),))
    assert points.refusal(IMAGE) == "handles vectors only, not images"
    assert points.refusal(VECTOR) is None


def test_a_shape_that_only_the_data_can_tell_is_not_refused_yet() -> None:
    unknown = Field(kind="sequence")
    spec = discriminator(shapes=(SequenceShapes(minimum=100),))
    assert spec.refusal(unknown) is None
    assert spec.refusal(unknown.with_shape((1, 99))) == (
        "handles sequences whose length is from 100 up, not 1 x 99"
    )
    assert spec.refusal(Field(kind="video")) == "handles sequences only, not videos"


@pytest.mark.parametrize(
    ("fields", "needed"),
    [
        ({}, True),
        ({"trains": ("discriminator",), "reads": ("samples",)}, True),
        ({"trains": ("generator",)}, True),
        ({"trains": ("generator",), "reads": ("fake_scores",)}, True),
        ({"trains": ("generator",), "reads": ("samples", "fake.features")}, True),
        ({"trains": ("generator",), "reads": ("real.features",)}, True),
        ({"trains": ("generator",), "reads": ("generated.w",)}, False),
        ({"trains": ("generator",), "reads": ("inputs.code", "samples", "fake")}, False),
        ({"trains": ("generator",), "reads": ("reconstruction",)}, False),
        ({"trains": ("generator",), "reads": ()}, False),
        ({"trains": (), "reads": ()}, True),
    ],
)
def test_a_loss_needs_a_discriminator_where_it_trains_or_reads_one(
    fields: dict[str, Any], needed: bool
) -> None:
    assert loss(**fields).needs_discriminator is needed


def test_what_a_loss_reads_of_the_networks_is_told_from_the_rest() -> None:
    spec = loss(reads=("fake.features", "generated.w", "inputs.code", "real_scores", "real.q"))
    assert spec.traced == ("fake.features", "generated.w", "real.q")


def test_what_options_decide_is_a_function_of_them() -> None:
    by_options = lambda options: ("source",)  # noqa: E731
    assert sampler(reads=by_options).reads is by_options
    assert game(reads=by_options, provides=by_options, calls=by_options).calls is by_options
    assert sampler(inputs=lambda options, fields: "image").inputs is not None
    assert discriminator(patches=lambda options: True).patches is not False


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
        ({"kinds": ()}, "f: kinds is empty"),
        ({"kinds": "vector"}, "f: kinds must be a tuple of names, not 'vector'"),
        ({"kinds": ("sound",)}, "f: kinds names one of image, vector, .*, not 'sound'"),
        ({"suffixes": ("png", ".npz")}, "f: suffixes must be a tuple such as"),
        ({"suffixes": [".png", ".npz"]}, "f: suffixes must be a tuple such as"),
        ({"suffixes": (".png", ".npz", ".T")}, "f: suffixes must be a tuple such as"),
        ({"suffixes": (".png", ".csv")}, "f: suffixes must have '.png' and '.npz'"),
        ({"unit": ""}, "f: unit must be a word, not ''"),
        ({"unit": "two\nlines"}, "f: unit must be a word, not"),
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


@pytest.mark.parametrize("spec", HOOKS.values(), ids=lambda it: it.kind)
def test_what_is_true_or_false_is_nothing_else(spec: type[Spec]) -> None:
    needed = {
        "dataset": {"fields": lambda options: {"sample": Field(kind="vector", shape=(2,))}},
        "sampler": {"input_shape": lambda options, fields: (4,)},
        "format": {"kinds": ("vector",)},
        "recipe": {"file": "m:x.toml"},
    }.get(spec.kind, {})
    names = {it.name for it in dataclasses.fields(spec)}
    sound = {"name": "odd", "summary": "s", "build": "m:f", **needed}
    sound = {name: it for name, it in sound.items() if name in names}
    spec(**sound)
    for field in dataclasses.fields(spec):
        if str(field.type).startswith("bool"):
            with pytest.raises(ValueError, match=rf"odd: {field.name} must be"):
                spec(**sound, **{field.name: "yes"})
