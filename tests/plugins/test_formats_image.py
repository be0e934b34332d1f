"""Images: classes, companions and bands in a grid, and TIFF files of any bands and range."""

from __future__ import annotations

import io
import struct

import numpy
import pytest
import torch
from PIL import Image

from ganforge import Drawn, Field, Fit, Problem
from ganforge_formats.image import ImageFormat
from ganforge_formats.tiff import encode_tiff
from ganforge_formats.tiles import beside, grid

CLASSES = ("cat", "dog")


def images(num, *shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(num, *shape, generator=generator) * 2 - 1


def format_of(*shape, fit=None, **said):
    field = Field(kind="image", shape=shape, **said)
    return ImageFormat(Problem(sample=field, input_shape=(2,), fit=fit))


def test_a_grid_is_square_and_bare():
    samples = images(7, 3, 6, 5)
    assert torch.equal(format_of(3, 6, 5).picture(Drawn(samples=samples)), grid(samples))


def test_classes_have_rows_with_their_names():
    samples, labels = images(6, 1, 8, 8), torch.tensor([1, 0, 1, 0, 1, 0])
    drawn = Drawn(samples=samples, labels=labels, classes=CLASSES, ordered=False)
    picture = format_of(1, 8, 8).picture(drawn)
    rows = torch.cat([samples[1::2], samples[0::2]])
    assert torch.equal(picture, grid(rows, 3, CLASSES))


def test_companions_make_cells_that_are_as_square_as_a_row_of_them_can_be():
    samples, real = images(9, 1, 8, 8), images(9, 1, 8, 8, seed=1)
    masked = torch.cat([real, torch.zeros_like(real)], dim=1)
    drawn = Drawn(samples=samples, before={"inputs": masked}, after={"real": real})
    expected = grid(beside(masked, samples, real), 2)
    assert torch.equal(format_of(1, 8, 8).picture(drawn), expected)
    asked = Drawn(samples=samples, before={"inputs": real}, after={"real": real}, columns=3)
    assert torch.equal(format_of(1, 8, 8).picture(asked), grid(beside(real, samples), 3))


def test_thirteen_bands_are_shown_by_three_and_said_in_words():
    samples = images(4, 13, 16, 16)
    picture = format_of(13, 16, 16, range=(0, 10_000)).picture(Drawn(samples=samples))
    sheet = grid(samples[:, [12, 6, 0]])
    assert torch.equal(picture[: len(sheet), : sheet.shape[1]], sheet)
    words = picture[len(sheet) :]
    assert 10 < len(words) < 80
    assert (words > 100).any()
    fit = Fit(facts={"colours": [3, 2, 1]})
    picture = format_of(13, 16, 16, fit=fit).picture(Drawn(samples=samples))
    assert torch.equal(picture[: len(sheet), : sheet.shape[1]], grid(samples[:, [3, 2, 1]]))


@pytest.mark.parametrize("colours", [[1, 2], [0, 1, 13], "rgb", [0, 1, -1]])
def test_colours_that_are_no_bands_are_refused(colours):
    with pytest.raises(ValueError, match="must be three of the bands 0 to 12"):
        format_of(13, 16, 16, fit=Fit(facts={"colours": colours}))


def test_a_file_of_one_image_is_the_bare_image():
    samples = images(1, 3, 6, 5)
    picture = format_of(3, 6, 5).picture_of_one(Drawn(samples=samples))
    assert picture.shape == (6, 5, 3)
    assert torch.equal(picture, grid(samples)[2:8, 2:7])
    with pytest.raises(ValueError, match=r"an image of 5 bands is no PNG"):
        format_of(5, 8, 8).picture_of_one(Drawn(samples=images(1, 5, 8, 8)))


def test_images_of_bytes_stay_as_networks_see_them_in_arrays_and_others_are_restored():
    samples = images(3, 1, 8, 8)
    found = format_of(1, 8, 8, dtype="uint8").arrays(Drawn(samples=samples))
    assert torch.equal(found["samples"], samples)
    real = images(3, 1, 8, 8, seed=1)
    drawn = Drawn(samples=samples, after={"real": real}, before={"inputs": images(3, 2, 8, 8)})
    found = format_of(1, 8, 8, range=(-10.0, 30.0)).arrays(drawn)
    assert torch.allclose(found["samples"], samples * 20 + 10)
    assert torch.allclose(found["real"], real * 20 + 10)
    assert torch.equal(found["inputs"], drawn.before["inputs"])


def pages(contents):
    """The pages of a TIFF, read as the specification says (TIFF 6.0)."""
    assert contents[:4] == b"II*\0"
    (position,) = struct.unpack_from("<I", contents, 4)
    found = []
    while position:
        assert position % 2 == 0
        (num,) = struct.unpack_from("<H", contents, position)
        tags = {}
        for number in range(num):
            entry = position + 2 + 12 * number
            tag, kind, count = struct.unpack_from("<HHI", contents, entry)
            size = {3: 2, 4: 4}[kind] * count
            place = entry + 8 if size <= 4 else struct.unpack_from("<I", contents, entry + 8)[0]
            tags[tag] = struct.unpack_from(f"<{count}{'H' if kind == 3 else 'I'}", contents, place)
        assert list(tags) == sorted(tags)
        kind = {(1, 8): "u1", (1, 16): "<u2", (3, 32): "<f4"}[tags[339][0], tags[258][0]]
        (width,), (height,), (channels,) = tags[256], tags[257], tags[277]
        pixels = numpy.frombuffer(contents, kind, height * width * channels, tags[273][0])
        found.append((tags, pixels.reshape(height, width, channels)))
        (position,) = struct.unpack_from("<I", contents, position + 2 + 12 * num)
    return found


@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4, 13])
def test_a_tiff_has_every_page_band_and_number(kind, channels):
    drawn = numpy.random.default_rng(0)
    given = [(drawn.random((5, 7, channels)) * 200).astype(kind) for _ in range(3)]
    found = pages(b"".join(encode_tiff(given, len(given))))
    assert len(found) == 3
    for (tags, pixels), image in zip(found, given, strict=True):
        assert pixels.dtype == image.dtype
        assert numpy.array_equal(pixels, image)
        colours = kind != "float32" and channels in (3, 4)
        assert tags[262] == ((2,) if colours else (1,))
        assert len(tags.get(338, ())) == channels - (3 if colours else 1)


@pytest.mark.parametrize(
    ("kind", "channels", "mode"),
    [
        ("uint8", 1, "L"),
        ("uint8", 3, "RGB"),
        ("uint8", 4, "RGBA"),
        ("uint16", 1, "I;16"),
        ("float32", 1, "F"),
    ],
)
def test_other_software_reads_the_tiffs_that_it_can(kind, channels, mode):
    image = (numpy.random.default_rng(0).random((5, 7, channels)) * 255).astype(kind)
    with Image.open(io.BytesIO(b"".join(encode_tiff([image, image], 2)))) as picture:
        assert (picture.mode, picture.size, picture.n_frames) == (mode, (7, 5), 2)
        for number in range(2):
            picture.seek(number)
            assert numpy.array_equal(numpy.asarray(picture).reshape(image.shape), image)


@pytest.mark.parametrize(
    ("said", "kind", "values"),
    [
        ({"dtype": "uint8"}, "uint8", [0, 128, 255]),
        ({"range": (0, 65535)}, "uint16", [0, 32768, 65535]),
        ({"range": (-1000.0, 3000.0)}, "float32", [-1000, 1000, 3000]),
        ({}, "float32", [-1, 0, 1]),
    ],
)
def test_a_tiff_has_the_type_and_the_range_of_the_data(said, kind, values):
    samples = torch.tensor([-1.0, 0.0, 1.0]).view(1, 1, 1, 3)
    contents = format_of(1, 1, 3, **said).encode(Drawn(samples=samples), ".tiff")
    ((_, pixels),) = pages(contents)
    assert pixels.dtype == kind
    assert pixels.flatten().tolist() == values


def test_a_tiff_is_restored_by_the_fit_band_by_band():
    tensors = {"scale": torch.tensor([2.0, 10.0]).view(2, 1, 1), "offset": torch.tensor(1.0)}
    chosen = format_of(2, 1, 1, fit=Fit(tensors=tensors))
    contents = chosen.encode(Drawn(samples=torch.tensor([[[[0.5]], [[-1.0]]]])), ".tiff")
    assert pages(contents)[0][1].flatten().tolist() == [2.0, -9.0]


def test_a_tiff_says_how_many_images_it_holds():
    image = numpy.zeros((100, 100, 3), numpy.uint8)
    fitting = (2**32 - 1) // (30_000 + 1024)
    with pytest.raises(ValueError, match=f"at most 4 GiB, which is {fitting:,} of these samples"):
        next(encode_tiff([image], fitting + 1))
    assert next(encode_tiff([image], fitting)) == b"II*\0\x08\0\0\0"
