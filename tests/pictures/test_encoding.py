"""Finished pictures as files: every pixel, every frame, and arrays without pickle."""

from __future__ import annotations

import io

import numpy
import pytest
import torch
from PIL import Image

from ganforge.pictures.encoding import encode_animation, encode_arrays, encode_png


def pixels(encoded: bytes) -> Image.Image:
    with Image.open(io.BytesIO(encoded)) as image:
        image.load()
    return image


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB"), (4, "RGBA")])
def test_a_png_has_the_pixels_and_the_channels(channels, mode):
    image = torch.randint(256, (5, 7, channels), dtype=torch.uint8)
    picture = pixels(encode_png(image))
    assert (picture.mode, picture.size) == (mode, (7, 5))
    assert picture.tobytes() == bytes(image.flatten().tolist())


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_apng_keeps_every_frame_and_colour(channels):
    frames = list(torch.randint(256, (4, 8, 9, channels), dtype=torch.uint8))
    encoded = encode_animation(frames, ".apng", 120)
    with Image.open(io.BytesIO(encoded)) as picture:
        assert (picture.format, picture.n_frames, picture.info["loop"]) == ("PNG", 4, 0)
        for number, frame in enumerate(frames):
            picture.seek(number)
            assert picture.info["duration"] == 120
            assert picture.tobytes() == bytes(frame.flatten().tolist())


@pytest.mark.parametrize("channels", [1, 3])
def test_gif_loops_through_every_frame(channels):
    shades = torch.tensor([0, 60, 120, 255], dtype=torch.uint8)
    frames = list(shades.view(4, 1, 1, 1).expand(4, 8, 9, channels).contiguous())
    encoded = encode_animation(frames, ".gif", 120)
    with Image.open(io.BytesIO(encoded)) as picture:
        assert (picture.format, picture.n_frames, picture.info["loop"]) == ("GIF", 4, 0)
        for number, shade in enumerate(shades.tolist()):
            picture.seek(number)
            assert picture.info["duration"] == 120
            assert picture.convert("L").getextrema() == (shade, shade)


def test_one_frame_is_an_animation_too():
    frames = [torch.zeros(4, 4, 1, dtype=torch.uint8)]
    for form in (".gif", ".apng"):
        assert pixels(encode_animation(frames, form, 80)).size == (4, 4)


def test_arrays_are_read_again_without_pickle():
    given = {"samples": torch.rand(3, 1, 2, 2), "labels": torch.tensor([0, 2, 1])}
    with numpy.load(io.BytesIO(encode_arrays(given)), allow_pickle=False) as found:
        assert found.files == ["samples", "labels"]
        assert found["samples"].dtype == numpy.float32
        for name, tensor in given.items():
            assert numpy.array_equal(found[name], tensor.numpy())
