"""The quick reading of headers: what it takes, Pillow takes too, and sees the same."""

from __future__ import annotations

import io
import random
import struct
import zlib

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from ganforge_images.decoding import DecodingError, probe
from ganforge_images.headers import plain_header

LIMIT = 10**6
PIXELS = np.random.default_rng(0).integers(0, 256, (21, 34, 3), dtype=np.uint8)


def encoded(mode: str, form: str, **how: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(PIXELS).convert(mode).save(stream, form, **how)
    return stream.getvalue()


PLAIN = {
    "RGB PNG": encoded("RGB", "PNG"),
    "grey PNG": encoded("L", "PNG"),
    "palette PNG": encoded("P", "PNG"),
    "RGBA PNG": encoded("RGBA", "PNG"),
    "1-bit PNG": encoded("1", "PNG"),
    "PNG with a resolution": encoded("RGB", "PNG", dpi=(72, 72)),
    "JPEG": encoded("RGB", "JPEG"),
    "grey JPEG": encoded("L", "JPEG"),
    "progressive JPEG": encoded("RGB", "JPEG", progressive=True),
    "JPEG with a comment": encoded("RGB", "JPEG", comment=b"x" * 300),
    "JPEG with EXIF": encoded("RGB", "JPEG", exif=b"Exif\0\0" + b"x" * 30),
}
UNUSUAL = {
    "CMYK JPEG": encoded("CMYK", "JPEG"),
    "GIF": encoded("RGB", "GIF"),
    "BMP": encoded("RGB", "BMP"),
    "TIFF": encoded("RGB", "TIFF"),
    "WebP": encoded("RGB", "WEBP"),
    "animated PNG": encoded(
        "RGB", "PNG", save_all=True, append_images=[Image.new("RGB", (34, 21))]
    ),
    "PNG with a colour profile": encoded("RGB", "PNG", icc_profile=b"x" * 200),
    "cut PNG": encoded("RGB", "PNG")[:-20],
    "cut JPEG": encoded("RGB", "JPEG")[:-200],
    "nothing": b"",
}


def pillow(data: bytes):
    return probe(io.BytesIO(data), LIMIT)


@pytest.mark.parametrize("data", PLAIN.values(), ids=PLAIN)
def test_plain_files_are_read(data: bytes) -> None:
    assert plain_header(data) == pillow(data)


@pytest.mark.parametrize("data", UNUSUAL.values(), ids=UNUSUAL)
def test_unusual_files_are_left_to_pillow(data: bytes) -> None:
    assert plain_header(data) is None


def check_that_pillow_agrees(data: bytes) -> None:
    """Whatever is taken is, unless it is too large, which is refused after either reading."""
    found = plain_header(data)
    if found is not None and found.width * found.height <= LIMIT:
        try:
            assert found == pillow(data)
        except DecodingError as error:
            pytest.fail(f"Pillow refuses it: {error}")


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(sorted(PLAIN)), st.integers(0, 2**32))
@example("JPEG", 185)  # its scan begins with a header that is longer than what is left
@example("grey JPEG", 5630381)  # 53,026 pixels wide
def test_what_is_taken_of_a_damaged_file_pillow_takes_too(name: str, seed: int) -> None:
    rng = random.Random(seed)
    data = bytearray(PLAIN[name])
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(data) if rng.random() < 0.3 else min(len(data), 200))
        match rng.randrange(3):
            case 0:
                data[at] = rng.randrange(256)
            case 1:
                del data[at : at + rng.randint(1, 8)]
            case 2:
                data[at:at] = rng.randbytes(rng.randint(1, 8))
    check_that_pillow_agrees(bytes(data))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_of_a_png_with_sound_checksums_too(data: st.DataObject) -> None:
    """A header with any numbers in it, and a checksum that is right."""
    original = PLAIN["RGB PNG"]
    number = st.integers(0, 255)
    body = struct.pack(
        ">2I5B",
        data.draw(st.sampled_from([0, 1, 34, 2**31])),
        data.draw(st.sampled_from([0, 1, 21, 2**31])),
        data.draw(st.sampled_from([1, 2, 4, 8, 16]) | number),
        data.draw(st.sampled_from([0, 2, 3, 4, 6]) | number),
        *(data.draw(st.sampled_from([0, 1]) | number) for _ in range(3)),
    )
    checksum = struct.pack(">I", zlib.crc32(b"IHDR" + body))
    changed = original[:16] + body + checksum + original[33:]
    check_that_pillow_agrees(changed)
