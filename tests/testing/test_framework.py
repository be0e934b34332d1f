"""Checks as such: what is run, what comes of it, and which problems they are run on."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from ganforge import (
    DataError,
    DatasetSpec,
    DiscriminatorSpec,
    Field,
    GameSpec,
    GeneratorSpec,
    ImageShapes,
    LossSpec,
    PointShapes,
    SamplerSpec,
    SequenceShapes,
    VectorShapes,
    VideoShapes,
    VoxelShapes,
    option,
)
from ganforge.errors import UsageError
from ganforge.plugin.base_specs import ComponentSpec, Spec
from ganforge.plugin.specs import SPECS
from ganforge.testing.catalogue import ALL_CHECKS
from ganforge.testing.finding import chosen, subject_of
from ganforge.testing.fixtures.problems import examples, image_shapes, problems
from ganforge.testing.framework import Check, CheckFailure, NotApplicable, perform, perform_all

GENERATOR = GeneratorSpec(name="tiny", summary="Tiny", build="nowhere:Generator")
SUBJECT = subject_of(GENERATOR)


def check(error: Exception | None = None, **changes: object) -> Check:
    def function(subject: object) -> None:
        if error is not None:
            raise error

    made = Check(name="a-contract", contract="it holds", fix="hold it", function=function)
    return replace(made, **changes)


FAILURE = CheckFailure("eight", expected="seven", fix="take one away")
SAID = "expected: seven; got: eight. Fix: take one away"
SHORT = CheckFailure("a hole")
SAID_BY_THE_CHECK = "expected: it holds; got: a hole. Fix: hold it"


@pytest.mark.parametrize(
    ("error", "expected", "status", "message"),
    [
        (None, None, "passed", ""),
        (None, "known", "unexpected", "it passed, though it was to fail: known"),
        (FAILURE, None, "failed", SAID),
        (SHORT, None, "failed", SAID_BY_THE_CHECK),
        (FAILURE, "known", "expected", f"known ({SAID})"),
        (NotApplicable("no labels"), None, "skipped", "no labels"),
        (NotApplicable("no labels"), "known", "skipped", "no labels"),
        (DataError("no data"), None, "failed", "no data"),
    ],
)
def test_what_comes_of_a_check(error, expected, status, message):
    result = perform(check(error), SUBJECT, expected)
    assert (result.status, result.message) == (status, message)
    assert (result.component, result.check) == ("generator/tiny", "a-contract")
    assert result.failed == (status in ("failed", "unexpected"))


def test_what_a_component_raises_is_a_failure_with_its_place():
    result = perform(check(KeyError("width")), SUBJECT)
    assert result.status == "failed"
    assert result.message.startswith("it raised KeyError: 'width' (")
    assert "test_framework.py, line " in result.message


def test_a_check_concerns_the_kinds_that_it_names():
    checks = [check(), check(kinds=(GeneratorSpec,)), check(kinds=(LossSpec, SamplerSpec))]
    assert len(perform_all(checks, SUBJECT)) == 2


def test_names_of_checks_are_words_and_no_two_of_a_kind_are_the_same():
    for spec in SPECS:
        of_kind = [it.name for it in ALL_CHECKS if not it.kinds or issubclass(spec, it.kinds)]
        assert len(set(of_kind)) == len(of_kind)
    names = [it.name for it in ALL_CHECKS]
    assert all(name == name.lower() and "-" in name and " " not in name for name in names)
    assert all(it.contract and not it.contract.endswith(".") for it in ALL_CHECKS)
    assert all(issubclass(kind, Spec) for it in ALL_CHECKS for kind in it.kinds)


def test_every_kind_has_checks_of_its_own():
    for spec in SPECS:
        own = [it for it in ALL_CHECKS if it.kinds and issubclass(spec, it.kinds)]
        assert any(it.kinds != (ComponentSpec,) for it in own), spec.kind


ANY = [(3, 11, 11), (1, 1, 1), (3, 1, 1), (1, 1, 11)]


@pytest.mark.parametrize(
    ("declared", "shapes"),
    [
        (ImageShapes(), ANY),
        (ImageShapes(minimum=8), [(1, 8, 8), (3, 8, 8), (3, 11, 11), (1, 8, 11)]),
        (
            ImageShapes(minimum=8, multiple_of=4, channels=(3,)),
            [(3, 8, 8), (3, 12, 12), (3, 8, 12)],
        ),
        (
            ImageShapes(minimum=32, square=True, power_of_two=True),
            [(1, 32, 32), (3, 32, 32), (3, 64, 64)],
        ),
        (ImageShapes(minimum=28, maximum=28, channels=(1,)), [(1, 28, 28)]),
        (ImageShapes(minimum=8, maximum=9, channels=(4,)), [(4, 8, 8), (4, 9, 9), (4, 8, 9)]),
        (ImageShapes(minimum=9, maximum=10, multiple_of=8), []),
    ],
)
def test_the_shapes_that_stand_for_those_declared(declared, shapes):
    assert image_shapes(declared) == shapes
    assert all(declared.refusal(shape) is None for shape in shapes)


def shapes(spec):
    return [(it.sample_shape, it.input_shape, it.num_classes) for it in problems(subject_of(spec))]


SMALL = ImageShapes(minimum=8, maximum=8, channels=(1,))


def test_the_problems_of_networks():
    plain = replace(GENERATOR, shapes=(SMALL,))
    assert shapes(plain) == [((1, 8, 8), (6,), None)]
    assert shapes(replace(plain, inputs="image")) == [((1, 8, 8), (1, 8, 8), None)]
    assert shapes(replace(plain, inputs="sample")) == [((1, 8, 8), (1, 8, 8), None)]
    labelled = replace(plain, conditions=("label",))
    assert shapes(replace(labelled, required=("label",))) == [((1, 8, 8), (6,), 3)]
    assert shapes(replace(labelled, shapes=(SMALL, VectorShapes()))) == [
        ((1, 8, 8), (6,), None),
        ((2,), (6,), None),
        ((7,), (6,), None),
        ((1, 8, 8), (6,), 3),
        ((2,), (6,), 3),
    ]
    nothing = DiscriminatorSpec(
        name="d", summary="None", build="a:b", shapes=(VectorShapes(minimum=3, maximum=2),)
    )
    with pytest.raises(CheckFailure, match="a component that handles some samples"):
        shapes(nothing)


def told(spec):
    return [
        {name: field.shown() for name, field in it.conditions.items()}
        for it in problems(subject_of(spec))
    ]


def test_the_problems_of_networks_that_are_told_more():
    spec = replace(GENERATOR, shapes=(SMALL,), conditions=("label", "labels", "image", "vector"))
    rest = {"image": "1 x 8 x 8", "vector": "2"}
    assert told(spec) == [
        {},
        {"label": "3 classes", **rest},
        {"first": "3 classes", "second": "3 classes", **rest},
    ]
    needs = replace(spec, required=("label",), conditions=("label", "sequence"))
    assert told(needs) == [{"label": "3 classes"}, {"label": "3 classes", "sequence": "1 x 16"}]


@pytest.mark.parametrize(
    ("declared", "found"),
    [
        (VectorShapes(), [(2,), (7,)]),
        (VectorShapes(maximum=1), [(1,)]),
        (VectorShapes(minimum=4, multiple_of=4), [(4,), (8,)]),
        (SequenceShapes(), [(1, 16), (3, 24)]),
        (SequenceShapes(minimum=8, maximum=20, channels=(2,)), [(2, 16), (2, 20)]),
        (VideoShapes(minimum=8, multiple_of=4), [(1, 4, 8, 8), (3, 4, 12, 12)]),
        (PointShapes(channels=(3,)), [(16, 3), (27, 3)]),
        (VoxelShapes(maximum=9), [(1, 8, 8, 8), (3, 9, 9, 9)]),
    ],
)
def test_the_shapes_of_other_kinds(declared, found):
    assert [field.shape for field in examples(declared)] == found
    assert {field.kind for field in examples(declared)} == {declared.kind}


def test_the_problems_of_other_kinds():
    loss = LossSpec(
        name="l", summary="Loss", build="a:b", reads=("real_scores", "fake_scores", "labels")
    )
    assert shapes(loss) == [((1, 8, 8), (6,), 3), ((2,), (6,), 3)]
    fields = {
        "sample": Field.of_shape((3, 5, 7)),
        "label": Field(kind="category", optional=True),
    }
    dataset = DatasetSpec(name="d", summary="Data", build="a:b", fields=lambda options: fields)
    assert shapes(dataset) == [((3, 5, 7), (), None)]
    sampler = SamplerSpec(
        name="s",
        summary="Sampler",
        build="a:b",
        input_shape=lambda options, fields: fields["sample"].known_shape,
        inputs="sample",
        reads=("samples",),
    )
    assert shapes(sampler)[:2] == [((1, 8, 8), (1, 8, 8), None), ((3, 8, 8), (3, 8, 8), None)]
    assert shapes(sampler)[-2:] == [((1, 8, 8), (1, 8, 8), 3), ((2,), (2,), 3)]
    of_images = replace(sampler, inputs="image")
    assert shapes(of_images)[-1] == ((1, 8, 8), (1, 8, 8), 3)
    game = GameSpec(name="g", summary="Game", build="a:b", reads=("source",))
    assert shapes(game) == [((1, 8, 8), (1, 8, 8), None), ((2,), (2,), None)]


@dataclass(frozen=True, kw_only=True)
class Options:
    root: str = option(help="the folder")


def test_options_that_must_be_given_are_the_reason_of_a_skip():
    spec = replace(GENERATOR, options=Options)
    subject = subject_of(spec)
    with pytest.raises(NotApplicable, match=r"without options .*\(root: must be given"):
        _ = subject.options
    assert subject_of(spec, {"root": "here"}).options == Options(root="here")


def test_components_are_chosen_by_label():
    other = subject_of(replace(GENERATOR, name="other"))
    assert chosen([SUBJECT, other], []) == [SUBJECT, other]
    assert chosen([SUBJECT, other], ["generator/other", "generator/other"]) == [other]
    with pytest.raises(UsageError, match="no component 'generator/othr' here; did you mean"):
        chosen([SUBJECT, other], ["generator/othr"])
