"""A format in use: what it gives is checked, and its failures name its package."""

from __future__ import annotations

import io

import pytest
import torch
from PIL import Image

from ganforge import Drawn, Field, Format, FormatSpec, Problem
from ganforge.errors import PluginError, UsageError
from ganforge.pictures.chosen_format import ChosenFormat
from ganforge.plugin.registry import Component, Plugin

PLUGIN = Plugin(name="p", package="ganforge-p", version="2.0", module="p", bundled=False)
DRAWN = Drawn(samples=torch.zeros(3, 1, 4))


class Plain(Format):
    def picture(self, drawn):
        return torch.full((4, 5, 1), 7, dtype=torch.uint8)


def chosen(format_class, rate=None, **said):
    spec = FormatSpec(
        name="plain", summary="s", build="p:f", kinds=("sequence",), **{**SUFFIXES, **said}
    )
    field = Field(kind="sequence", shape=(1, 4), rate=rate)
    return ChosenFormat(
        component=Component(spec=spec, plugin=PLUGIN),
        format=format_class(Problem(sample=field, input_shape=(2,))),
    )


SUFFIXES = {"suffixes": (".png", ".npz", ".gif", ".txt"), "one_file_each": ".png"}


@pytest.mark.parametrize(
    ("picture", "shown"),
    [
        (None, "NoneType"),
        (torch.zeros(4, 5, 1), r"torch.float32 \[4, 5, 1\]"),
        (torch.zeros(4, 5, dtype=torch.uint8), r"torch.uint8 \[4, 5\]"),
        (torch.zeros(4, 5, 2, dtype=torch.uint8), r"torch.uint8 \[4, 5, 2\]"),
        (torch.zeros(0, 5, 1, dtype=torch.uint8), r"torch.uint8 \[0, 5, 1\]"),
    ],
)
def test_what_is_no_picture_names_the_package(picture, shown):
    class Odd(Plain):
        def picture(self, drawn):
            return picture

    message = f"'plain' of ganforge-p 2.0 must give a picture, uint8 .* not {shown}$"
    with pytest.raises(PluginError, match=message):
        chosen(Odd).picture(DRAWN)
    with pytest.raises(PluginError, match=message):
        chosen(Odd).walk([DRAWN])
    with pytest.raises(PluginError, match=message):
        list(chosen(Odd).encode_each(DRAWN))


def test_an_exception_names_the_package_wherever_it_is_raised():
    class Failing(Plain):
        def picture(self, drawn):
            raise ZeroDivisionError

        def walk(self, steps):
            yield from (self.picture(step) for step in steps)

        def film(self, drawn):
            yield self.picture(drawn)

    for attempt in (
        lambda it: it.picture(DRAWN),
        lambda it: it.walk([DRAWN]),
        lambda it: it.encode(DRAWN, ".png"),
        lambda it: it.encode(DRAWN, ".gif"),
    ):
        with pytest.raises(PluginError, match=r"'plain' of ganforge-p 2.0 failed: ZeroDivision"):
            attempt(chosen(Failing))


def test_samples_that_cannot_be_written_so_are_the_users_error():
    class Choosy(Plain):
        def picture_of_one(self, drawn):
            raise ValueError("not as a picture")

        def encode(self, drawn, suffix):
            raise ValueError(f"not as {suffix}")

    with pytest.raises(UsageError, match=r"^the format 'plain' cannot write this: not as \.txt$"):
        chosen(Choosy).encode(DRAWN, ".txt")
    with pytest.raises(UsageError, match="not as a picture"):
        list(chosen(Choosy).encode_each(DRAWN))


def test_a_suffix_that_is_declared_and_not_written_is_the_formats_failure():
    with pytest.raises(PluginError, match=r"Plain declares \.txt and cannot write it"):
        chosen(Plain).encode(DRAWN, ".txt")
    with pytest.raises(PluginError, match="Plain declares moving pictures and has no film"):
        chosen(Plain).encode(DRAWN, ".gif")


class Film(Plain):
    def film(self, drawn):
        for level in (0, 90, 200):
            yield torch.full((4, 5, 1), level, dtype=torch.uint8)


@pytest.mark.parametrize(
    ("rate", "asked", "shown"), [(None, None, 80), (25, None, 40), (25, 120, 120)]
)
def test_a_film_has_the_rate_of_the_field_unless_asked(rate, asked, shown):
    encoded = chosen(Film, rate=rate).encode(DRAWN, ".gif", asked)
    with Image.open(io.BytesIO(encoded)) as image:
        assert (image.n_frames, image.info["duration"]) == (3, shown)


def test_frames_of_several_sizes_are_no_film():
    class Growing(Plain):
        def walk(self, steps):
            return [torch.zeros(2 + n, 5, 1, dtype=torch.uint8) for n in range(len(steps))]

    with pytest.raises(PluginError, match=r"must give frames of one size, not \[\(2, 5, 1\), \(3"):
        chosen(Growing).walk([DRAWN, DRAWN])


def test_a_folder_has_a_file_of_each_sample_in_the_suffix_declared():
    class Numbered(Plain):
        def encode(self, drawn, suffix):
            return f"{suffix} {drawn.samples.sum():.0f}".encode()

    drawn = Drawn(samples=torch.arange(3.0).view(3, 1, 1))
    files = chosen(Numbered, one_file_each=".txt").encode_each(drawn)
    assert list(files) == [b".txt 0", b".txt 1", b".txt 2"]


def test_a_file_with_a_count_is_written_while_samples_are_drawn():
    class Counted(Plain):
        def encode_parts(self, parts, suffix):
            yield f"{parts.num}\n".encode()
            for part in parts:
                yield f"{len(part.samples)}\n".encode()

    drawn = []

    def parts():
        for number in range(3):
            drawn.append(number)
            yield DRAWN

    pieces = chosen(Counted).encode_parts(parts(), 3 * len(DRAWN.samples), ".txt")
    assert next(pieces) == f"{3 * len(DRAWN.samples)}\n".encode()
    assert drawn == []
    next(pieces)
    assert drawn == [0]
    assert len(list(pieces)) == 2


def test_a_picture_says_how_many_samples_it_takes(monkeypatch):
    from ganforge.pictures import chosen_format

    one = chosen(Plain).picture(DRAWN.only(0)).nbytes
    size = max(one, DRAWN.only(0).samples.nbytes)
    monkeypatch.setattr(chosen_format, "LARGEST_PICTURE", 5 * size + 1)
    parts = [DRAWN.only(0)] * 6
    assert list(chosen(Plain).encode_parts(parts[:5], 5, ".png"))
    with pytest.raises(UsageError, match=r"^6 samples are too many for one picture, .* takes 5 of"):
        list(chosen(Plain).encode_parts(iter(parts), 6, ".png"))
