"""Formats that are wrong in one way each, and fail the check of that way alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from ganforge import DatasetSpec, Field, Fit, Format, FormatSpec, InMemoryDataset
from ganforge.testing.catalogue import check_subject
from ganforge.testing.checks import formats
from ganforge.testing.finding import subject_of
from ganforge.testing.framework import checks_in, perform_all

CHECKS = checks_in(formats)


class Correct(Format):
    """A pixel for each number."""

    num_pictured = 9

    def picture(self, drawn):
        levels = (drawn.samples.flatten(1) + 1) * 127.5
        return levels.clamp(0, 255).to(torch.uint8)[:, :, None]

    def encode(self, drawn, suffix):
        return str(drawn.samples.tolist()).encode()

    def film(self, drawn):
        yield Correct.picture(self, drawn)
        yield 255 - Correct.picture(self, drawn)


class Floating(Correct):
    def picture(self, drawn):
        return super().picture(drawn).float() / 255


class ChannelsFirst(Correct):
    def picture(self, drawn):
        return super().picture(drawn).permute(2, 0, 1)


class PlainAlone(Correct):
    """Forgets that samples may have companions."""

    def picture(self, drawn):
        assert not drawn.before
        return super().picture(drawn)


class Growing(Correct):
    def walk(self, steps):
        for number, step in enumerate(steps):
            yield self.picture(step)[: 1 + number]


class Dotted(Correct):
    def picture(self, drawn):
        picture = super().picture(drawn)
        return torch.where(torch.rand(picture.shape) < 0.5, picture, 0)


class Fading(Correct):
    """Counts the pictures that it has made."""

    number = 0

    def picture(self, drawn):
        self.number += 1
        return super().picture(drawn) // self.number


class Levelled(Correct):
    """Fails for what is not finite."""

    def picture(self, drawn):
        assert int(drawn.samples.max()) < 1_000
        return super().picture(drawn)


class FirstAlone(Correct):
    def picture(self, drawn):
        return super().picture(drawn.only(0))


class Blank(Correct):
    def picture(self, drawn):
        return torch.full_like(super().picture(drawn), 128)


class OneFrame(Correct):
    def film(self, drawn):
        yield self.picture(drawn)


class Still(Correct):
    def film(self, drawn):
        yield from [self.picture(drawn)] * 5


class Uneven(Correct):
    def film(self, drawn):
        yield self.picture(drawn)
        yield self.picture(drawn.only(0))


class Unscaled(Correct):
    """Samples as networks see them, where the data has units of its own."""

    def arrays(self, drawn):
        return {**super().arrays(drawn), "samples": drawn.samples}


class Clipping(Correct):
    def picture(self, drawn):
        drawn.samples.clamp_(-0.5, 0.5)
        return super().picture(drawn)


class Sorting(Correct):
    def arrays(self, drawn):
        if drawn.labels is not None:
            drawn.labels.copy_(drawn.labels.sort().values)
        return super().arrays(drawn)


class Promising(Correct):
    def encode(self, drawn, suffix):
        return Format.encode(self, drawn, suffix)


class Empty(Correct):
    def encode(self, drawn, suffix):
        return b""


class Textual(Correct):
    def encode(self, drawn, suffix):
        return "0.5"


class OnlyTogether(Correct):
    def encode(self, drawn, suffix):
        assert len(drawn.samples) > 1
        return super().encode(drawn, suffix)


class Renaming(Correct):
    def arrays(self, drawn):
        return {"x": drawn.samples}


class Unlabelled(Correct):
    def arrays(self, drawn):
        return {"samples": drawn.samples}


class Averaging(Correct):
    def arrays(self, drawn):
        return {**super().arrays(drawn), "samples": drawn.samples.mean(0, keepdim=True)}


class Beheaded(Correct):
    """Begins anew with every part of the samples."""

    def encode(self, drawn, suffix):
        return b"header" + super().encode(drawn, suffix)

    def encode_parts(self, parts, suffix):
        return (self.encode(part, suffix) for part in parts)


class Forgetful(Correct):
    def encode_parts(self, parts, suffix):
        yield self.encode(next(iter(parts)), suffix)


class Summarising(Correct):
    def arrays(self, drawn):
        return {**super().arrays(drawn), "mean": drawn.samples.mean(0)}


class Lettered(Correct):
    """Correct, and made for the texts of its own data set: it reads their alphabet in the fit."""

    def __init__(self, problem, options):
        super().__init__(problem, options)
        tokens = None if problem.fit is None else problem.fit.facts.get("tokens")
        if tokens is None or len(tokens) != problem.sample_shape[0]:
            raise ValueError("there is no alphabet of these sequences")
        self.tokens = tokens

    def encode(self, drawn, suffix):
        texts = ("".join(self.tokens[it] for it in row.argmax(0)) for row in drawn.samples)
        return "\n".join(texts).encode()


class Mute(Lettered):
    def encode(self, drawn, suffix):
        return b""


ALPHABET = "abcd"
TEXTS = Field(kind="sequence", shape=(len(ALPHABET), 6), format="wrong")


def texts(problem, options):
    letters = torch.randint(4, (20, 6), generator=torch.Generator().manual_seed(0))
    samples = torch.nn.functional.one_hot(letters, 4).transpose(1, 2).float() * 2 - 1
    return InMemoryDataset(samples, fit=Fit(facts={"tokens": [*ALPHABET]}))


def with_own_data(built, sample=TEXTS):
    """The format beside the data set of its plugin."""
    data = DatasetSpec(
        name="texts",
        summary="Texts",
        build=f"{__name__}:texts",
        fields=lambda options: {"sample": sample},
    )
    return replace(subject_of(spec_of(built, kinds=("sequence",))), partners=(subject_of(data),))


def spec_of(built, **said):
    said = {
        "kinds": ("image", "vector", "sequence"),
        "suffixes": (".png", ".npz", ".gif", ".txt"),
        "one_file_each": ".txt",
        **said,
    }
    return FormatSpec(
        name="wrong",
        summary="A format",
        build=f"{__name__}:{built.__name__}",
        **said,
    )


WRONG = [
    (Floating, "pictures-are-uint8"),
    (ChannelsFirst, "pictures-are-uint8"),
    (PlainAlone, "pictures-are-uint8"),
    (Growing, "pictures-are-uint8"),
    (Dotted, "equal-samples-give-equal-pictures"),
    (Fading, "equal-samples-give-equal-pictures"),
    (Levelled, "odd-samples-have-a-picture"),
    (FirstAlone, "every-sample-is-shown"),
    (Blank, "every-sample-is-shown"),
    (OneFrame, "films-move"),
    (Still, "films-move"),
    (Uneven, "films-move"),
    (Unscaled, "arrays-hold-the-samples"),
    (Clipping, "samples-are-left-unchanged"),
    (Sorting, "samples-are-left-unchanged"),
    (Promising, "every-suffix-is-written"),
    (Empty, "every-suffix-is-written"),
    (Textual, "every-suffix-is-written"),
    (OnlyTogether, "every-suffix-is-written"),
    (Renaming, "arrays-hold-the-samples"),
    (Unlabelled, "arrays-hold-the-samples"),
    (Averaging, "arrays-hold-the-samples"),
    (Beheaded, "parts-make-the-same-file"),
    (Forgetful, "parts-make-the-same-file"),
    (Summarising, "parts-make-the-same-file"),
]


@pytest.mark.parametrize(("built", "check"), WRONG, ids=[it.__name__ for it, _ in WRONG])
def test_a_wrong_format_fails_its_own_check_and_no_other(built, check):
    results = perform_all(CHECKS, subject_of(spec_of(built)))
    assert [it.check for it in results if it.failed] == [check]


@pytest.mark.parametrize("said", [{}, {"one_file_each": None}, {"kinds": ("vector",)}])
def test_a_correct_format_fails_none(said):
    results = perform_all(CHECKS, subject_of(spec_of(Correct, **said)))
    assert [(it.status, it.message) for it in results] == [("passed", "")] * len(CHECKS)


def test_a_format_without_films_is_not_asked_for_them():
    results = perform_all(CHECKS, subject_of(spec_of(Correct, suffixes=(".png", ".npz", ".txt"))))
    assert [(it.check, it.message) for it in results if it.status != "passed"] == [
        ("films-move", "it writes no moving pictures")
    ]


def test_a_format_is_checked_with_the_data_set_of_its_plugin():
    results = check_subject(with_own_data(Lettered))
    assert [(it.check, it.message) for it in results if it.failed] == []
    passed = {it.check for it in results if it.status == "passed"}
    assert passed >= {"can-be-built", *(check.name for check in CHECKS)}
    results = perform_all(CHECKS, with_own_data(Mute))
    assert [it.check for it in results if it.failed] == ["every-suffix-is-written"]


@pytest.mark.parametrize(
    "subject",
    [
        subject_of(spec_of(Lettered, kinds=("sequence",))),
        with_own_data(Lettered, replace(TEXTS, format="another")),
    ],
    ids=["alone", "beside data of another format"],
)
def test_a_format_that_nothing_could_be_built_of_has_not_passed(subject):
    results = check_subject(subject)
    (message,) = (it.message for it in results if it.failed)
    assert "there is no alphabet of these sequences" in message
    assert [it.check for it in results if it.failed] == ["can-be-built"]


def test_an_error_shows_the_samples():
    results = perform_all(CHECKS, subject_of(spec_of(Levelled)))
    (message,) = (it.message for it in results if it.failed)
    assert "for samples [6, 1, 8, 8] that are not finite" in message


def test_every_check_has_a_format_that_fails_it():
    assert {check.name for check in CHECKS} == {check for _, check in WRONG}
