"""One image file to pixels: exact values for every mode, and one kind of error for all damage."""

from __future__ import annotations

import io
import struct
import subprocess
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ganforge_images import decoding
from ganforge_images.decoding import DecodingError, Target, probe, quiet_pillow

BACKGROUND = (10, 20, 30)
LIMIT = 64_000_000
RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (8, 8), dtype=np.uint8)
COLOUR = RNG.integers(0, 256, (8, 8, 3), dtype=np.uint8)
ALPHA = RNG.integers(0, 256, (8, 8, 1), dtype=np.uint8)
RAMP = np.linspace(0, 1, 4096).reshape(64, 64)


def target(**changes: Any) -> Target:
    default: dict[str, Any] = {
        "height": 8,
        "width": 8,
        "channels": 3,
        "fit": "crop",
        "background": BACKGROUND,
        "max_pixels": LIMIT,
    }
    return Target(**{**default, **changes})


def decode(stream: io.BytesIO, *targets: Target) -> np.ndarray:
    """The pixels of one target, or of all of them side by side."""
    return np.concatenate(decoding.decode(stream, targets), axis=1)


def encoded(image: Image.Image, form: str = "PNG", **how: Any) -> io.BytesIO:
    stream = io.BytesIO()
    image.save(stream, form, **how)
    return stream


def over_background(colour: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    opacity = alpha.astype(float)
    return np.rint((colour * opacity + np.array(BACKGROUND) * (255 - opacity)) / 255)


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, pixels: bytes, *, extra: bytes = b"", bits: int = 8) -> io.BytesIO:
    header = struct.pack(">2I5B", width, height, bits, 0, 0, 0, 0)
    chunks = png_chunk(b"IHDR", header) + extra + png_chunk(b"IDAT", pixels)
    return io.BytesIO(b"\x89PNG\r\n\x1a\n" + chunks + png_chunk(b"IEND", b""))


def test_grey_and_colour_are_exact() -> None:
    for form in ("PNG", "BMP", "TIFF", "PPM"):
        assert (decode(encoded(Image.fromarray(GREY), form), target()) == GREY[..., None]).all()
        assert (decode(encoded(Image.fromarray(COLOUR), form), target()) == COLOUR).all()
    webp = encoded(Image.fromarray(COLOUR), "WEBP", lossless=True)
    assert (decode(webp, target()) == COLOUR).all()


def test_colour_becomes_grey_by_the_luma_of_bt_601() -> None:
    pixels = decode(encoded(Image.fromarray(COLOUR)), target(channels=1))
    luma = COLOUR @ np.array([0.299, 0.587, 0.114])
    assert pixels.shape == (8, 8, 1)
    assert np.abs(pixels[..., 0] - luma).max() <= 0.51
    # A grey value is kept.
    assert (decode(encoded(Image.fromarray(GREY)), target(channels=1))[..., 0] == GREY).all()


@pytest.mark.parametrize("form", ["PNG", "TIFF", "PPM", "BMP"])
def test_one_bit(form: str) -> None:
    bits = GREY > 127
    pixels = decode(encoded(Image.fromarray(bits), form), target())
    assert (pixels == np.where(bits, 255, 0)[..., None]).all()


def test_transparency_is_laid_over_the_background() -> None:
    image = Image.fromarray(np.concatenate([COLOUR, ALPHA], axis=2))
    expected = over_background(COLOUR, ALPHA)
    for form in ("PNG", "TIFF"):
        assert (decode(encoded(image, form), target()) == expected).all()
    grey = Image.merge("LA", (Image.fromarray(GREY), Image.fromarray(ALPHA[..., 0])))
    expected = over_background(GREY[..., None], ALPHA)
    assert (decode(encoded(grey), target()) == expected).all()


def test_palettes() -> None:
    indexed = Image.fromarray(GREY % 4).convert("P")
    colours = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [9, 8, 7]], dtype=np.uint8)
    indexed.putpalette(colours.tobytes())
    expected = colours[GREY % 4]
    assert (decode(encoded(indexed), target()) == expected).all()
    assert (decode(encoded(indexed, "GIF"), target()) == expected).all()

    keyed = np.where((GREY % 4 == 2)[..., None], BACKGROUND, expected)
    assert (decode(encoded(indexed, transparency=2), target()) == keyed).all()
    assert (decode(encoded(indexed, "GIF", transparency=2), target()) == keyed).all()

    alpha = np.array([0, 100, 200, 255])[GREY % 4][..., None]
    partly = encoded(indexed, transparency=bytes([0, 100, 200, 255]))
    assert (decode(partly, target()) == over_background(expected, alpha)).all()


def test_cmyk() -> None:
    inks = RNG.integers(0, 256, (8, 8, 4), dtype=np.uint8)
    pixels = decode(encoded(Image.fromarray(inks, "CMYK"), "TIFF"), target())
    paper = 255 - inks.astype(float)
    assert (pixels == np.rint(paper[..., :3] * paper[..., 3:] / 255)).all()


def test_ycbcr() -> None:
    y, cb, cr = (channel.astype(float) for channel in np.moveaxis(COLOUR, 2, 0))
    image = Image.merge("YCbCr", [Image.fromarray(COLOUR[..., index]) for index in range(3)])
    stream = encoded(image, "TIFF")
    if Image.open(stream).mode != "YCbCr":
        pytest.skip("this Pillow does not write and read YCbCr without compression")
    red = y + 1.402 * (cr - 128)
    green = y - 0.344136 * (cb - 128) - 0.714136 * (cr - 128)
    blue = y + 1.772 * (cb - 128)
    expected = np.stack([red, green, blue], axis=2).clip(0, 255)
    assert np.abs(decode(stream, target()) - expected).max() <= 1


@pytest.mark.parametrize(
    ("form", "dtype"),
    [("PNG", "<u2"), ("TIFF", "<u2"), ("TIFF", ">u2"), ("PPM", "<i4"), ("TIFF", "<i4")],
)
def test_sixteen_bits_are_scaled(form: str, dtype: str) -> None:
    values = np.rint(RAMP * 65535).astype(dtype)
    pixels = decode(encoded(Image.fromarray(values), form), target(height=64, width=64))
    assert pixels.mean() == pytest.approx(127.5, abs=0.5)
    assert (pixels[..., 1] == np.rint(values / 257)).all()
    # A dark image stays dark.
    dark = decode(encoded(Image.fromarray(values // 256), form), target(height=64, width=64))
    assert dark.max() == 1


@pytest.mark.parametrize("top", [1, 255, 65535])
def test_floating_point_is_scaled_by_the_narrowest_range_that_holds_it(top: int) -> None:
    image = Image.fromarray((RAMP * top).astype(np.float32))
    pixels = decode(encoded(image, "TIFF"), target(height=64, width=64))
    assert pixels.mean() == pytest.approx(127.5, abs=0.5)
    assert (pixels.min(), pixels.max()) == (0, 255)


@pytest.mark.parametrize("value", [np.nan, np.inf, -0.5, 65536])
def test_floating_point_outside_every_range_is_refused(value: float) -> None:
    image = Image.fromarray(np.full((8, 8), value, dtype=np.float32))
    with pytest.raises(DecodingError, match="outside the range 0 to 65535"):
        decode(encoded(image, "TIFF"), target())


def test_a_sixteen_bit_grey_named_as_transparent() -> None:
    row = struct.pack(">8H", *range(0, 16_000, 2000))
    key = png_chunk(b"tRNS", struct.pack(">H", 4000))
    stream = png(8, 8, zlib.compress((b"\0" + row) * 8), extra=key, bits=16)
    pixels = decode(stream, target())
    assert pixels[3, 2].tolist() == list(BACKGROUND)
    assert pixels[3, 3].tolist() == [round(6000 / 257)] * 3


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(orientation: int, form: str) -> None:
    stored = COLOUR[:4, :6]
    upright = {
        1: stored,
        2: stored[:, ::-1],
        3: stored[::-1, ::-1],
        4: stored[::-1],
        5: stored.swapaxes(0, 1),
        6: np.rot90(stored, -1),
        7: np.rot90(stored, 2).swapaxes(0, 1),
        8: np.rot90(stored),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    height, width = upright.shape[:2]
    stream = encoded(Image.fromarray(stored), form, exif=exif)
    assert (decode(stream, target(height=height, width=width)) == upright).all()


def test_crop_keeps_the_centre() -> None:
    bands = np.repeat(np.eye(3, dtype=np.uint8) * 255, 8, axis=0)[None].repeat(8, axis=0)
    wide = encoded(Image.fromarray(bands))
    tall = encoded(Image.fromarray(np.ascontiguousarray(bands.swapaxes(0, 1))))
    for stream in (wide, tall):
        assert (decode(stream, target(fit="crop")) == [0, 255, 0]).all()


def test_pad_adds_a_border_in_the_background_colour() -> None:
    image = encoded(Image.fromarray(GREY[:4]))
    pixels = decode(image, target(fit="pad"))
    assert (pixels[2:6] == GREY[:4, :, None]).all()
    assert (pixels[[0, 1, 6, 7]] == BACKGROUND).all()


def test_stretch_changes_the_proportions() -> None:
    halves = np.zeros((40, 8), dtype=np.uint8)
    halves[20:] = 200
    pixels = decode(encoded(Image.fromarray(halves)), target(fit="stretch"))
    assert (pixels[:2] == 0).all()
    assert (pixels[6:] == 200).all()


@pytest.mark.parametrize("fit", ["crop", "stretch", "pad"])
@pytest.mark.parametrize("size", [(1, 1), (3, 5000), (5000, 3), (17, 31), (1200, 900), (8, 9)])
def test_any_size_becomes_the_size_of_the_target(size: tuple[int, int], fit: str) -> None:
    stream = encoded(Image.new("RGB", size, BACKGROUND))
    pixels = decode(stream, target(height=16, width=12, fit=fit))
    assert pixels.shape == (16, 12, 3)
    assert (pixels == BACKGROUND).all()


def test_a_large_jpeg_is_decoded_small_and_looks_the_same() -> None:
    y, x = np.mgrid[0:800, 0:1000]
    image = Image.fromarray((127 + 80 * np.sin(x / 90) + 40 * np.cos(y / 70)).astype(np.uint8))
    from_jpeg = decode(encoded(image, "JPEG", quality=95), target(height=32, width=32))
    from_png = decode(encoded(image), target(height=32, width=32))
    assert np.abs(from_jpeg.astype(int) - from_png).max() <= 4


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG", "TIFF"])
def test_the_first_of_several_frames(form: str) -> None:
    frames = [Image.new("RGB", (8, 8), (40 * index, 0, 0)) for index in range(1, 6)]
    how = {"lossless": True} if form == "WEBP" else {}
    stream = encoded(frames[0], form, save_all=True, append_images=frames[1:], **how)
    assert probe(stream, LIMIT).several_frames
    assert (decode(stream, target()) == [40, 0, 0]).all()
    assert not probe(encoded(frames[0], form), LIMIT).several_frames


def test_too_many_pixels_are_refused_before_any_is_decoded() -> None:
    empty = zlib.compress(b"")
    for width, height in ((13_337, 13_350), (65_000, 65_000)):
        with quiet_pillow(), pytest.raises(DecodingError, match=r"178,048,950 pixels, more|bomb"):
            decode(png(width, height, empty), target())
    with pytest.raises(DecodingError, match="64 pixels, more than max_pixels = 63"):
        probe(encoded(Image.fromarray(GREY)), 63)


def checked(stream: io.BytesIO) -> None:
    """As a set is checked that is not decoded up front."""
    if not probe(stream, LIMIT).checked:
        decode(stream, target())


@pytest.mark.parametrize("form", ["JPEG", "GIF", "BMP", "TIFF", "PPM", "WEBP", "PNG"])
def test_damage_is_found_by_the_probe_or_the_decoder(form: str) -> None:
    stream = encoded(Image.fromarray(RNG.integers(0, 256, (64, 64, 3), dtype=np.uint8)), form)
    checked(stream)
    stream.truncate(stream.seek(0, 2) * 2 // 3)
    with quiet_pillow(), pytest.raises(DecodingError, match=r"[Tt]runcated|decoder|not an image"):
        checked(stream)


def test_the_probe_compares_the_checksums_of_png() -> None:
    broken = bytearray(encoded(Image.fromarray(COLOUR)).getvalue())
    broken[-13] ^= 1  # the last byte of the data's checksum
    with pytest.raises(DecodingError, match=r"broken PNG file|checksum"):
        probe(io.BytesIO(broken), LIMIT)


def test_damaged_metadata_does_not_cost_the_picture() -> None:
    stream = encoded(Image.fromarray(COLOUR), exif=b"Exif\0\0MM\0*\xff\xff\xff\xff")
    with quiet_pillow():
        assert (decode(stream, target()) == COLOUR).all()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty"),
        (b"hello", "not an image in one of the formats PNG, JPEG"),
        (b"<!doctype html><html></html>", "not an image"),
        (
            b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n",
            "of the format PostScript, which is n",
        ),
    ],
)
def test_what_is_no_image(data: bytes, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []
    monkeypatch.setattr(subprocess, "Popen", lambda *args, **_: started.append(args))
    for function in (probe, decode):
        with pytest.raises(DecodingError, match=reason):
            function(io.BytesIO(data), target())
    assert started == []


def _seeds() -> list[bytes]:
    small = Image.fromarray(RNG.integers(0, 256, (12, 10, 3), dtype=np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    streams = [
        encoded(small, form) for form in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM")
    ]
    streams += [
        encoded(small, "JPEG", progressive=True, exif=exif),
        encoded(small, "TIFF", compression="tiff_lzw"),
        encoded(Image.fromarray(GREY.astype(np.float32)), "TIFF"),
        encoded(Image.fromarray(GREY.astype(np.uint16) * 256)),
        encoded(small.quantize(16), transparency=3),
        encoded(small, "GIF", save_all=True, append_images=[Image.new("RGB", small.size)]),
    ]
    return [stream.getvalue() for stream in streams]


SEEDS = _seeds()


@settings(max_examples=400, deadline=None, database=None)
@given(
    seed=st.sampled_from(range(len(SEEDS))),
    edits=st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), max_size=6),
    length=st.none() | st.integers(0, 1200),
)
def test_mutated_files_are_decoded_or_refused(
    seed: int, edits: list[tuple[int, int]], length: int | None
) -> None:
    data = bytearray(SEEDS[seed])
    for position, value in edits:
        data[position % len(data)] = value
    stream = io.BytesIO(data[:length])
    with quiet_pillow():
        for function in (probe, decode):
            try:
                function(stream, target(max_pixels=100_000))
            except DecodingError:
                continue  # any other exception fails the test


def test_the_stream_is_left_open(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(encoded(Image.fromarray(GREY)).getvalue())
    with path.open("rb") as stream:
        assert probe(stream, LIMIT).checked
        assert (decode(stream, target()) == decode(stream, target())).all()
        assert not stream.closed
