"""Image files with anything in them: taken, left out by name, or refused, and nothing else."""

from __future__ import annotations

import io
import shutil
import warnings
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import ganforge_images
from ganforge import DataError, InMemoryDataset, Problem
from ganforge_images.images import build
from ganforge_images.options import ImagesOptions

from .fuzzing import thorough

(SPEC,) = (spec for spec in ganforge_images.ganforge_datasets() if spec.name == "images")


def seeds() -> dict[str, bytes]:
    """A file of each format and kind of pixels."""
    noise = np.random.default_rng(0).integers(0, 256, (12, 10, 4), dtype=np.uint8)
    colour, alpha = Image.fromarray(noise[..., :3]), Image.fromarray(noise)
    grey = Image.fromarray(noise[..., 0])
    exif = Image.Exif()
    exif[0x0112] = 6
    frames = {"save_all": True, "append_images": [Image.new("RGB", colour.size)]}
    pictures = {
        "a.png": (colour, "PNG", {}),
        "alpha.png": (alpha, "PNG", {}),
        "palette.png": (colour.quantize(16), "PNG", {"transparency": 3}),
        "bit.png": (grey.convert("1"), "PNG", {}),
        "deep.png": (Image.fromarray(noise[..., 0].astype(np.uint16) * 256), "PNG", {}),
        "moving.png": (colour, "PNG", frames),
        "a.jpg": (colour, "JPEG", {"exif": exif}),
        "progressive.jpg": (colour, "JPEG", {"progressive": True}),
        "cmyk.jpg": (colour.convert("CMYK"), "JPEG", {}),
        "grey.jpg": (grey, "JPEG", {}),
        "a.webp": (colour, "WEBP", {}),
        "lossless.webp": (alpha, "WEBP", {"lossless": True}),
        "moving.webp": (colour, "WEBP", frames),
        "a.gif": (colour, "GIF", {}),
        "moving.gif": (colour, "GIF", frames),
        "a.bmp": (colour, "BMP", {}),
        "a.tiff": (colour, "TIFF", {}),
        "lzw.tiff": (colour, "TIFF", {"compression": "tiff_lzw"}),
        "float.tiff": (Image.fromarray(noise[..., 0].astype(np.float32)), "TIFF", {}),
        "a.ppm": (colour, "PPM", {}),
    }
    found = {}
    for name, (picture, form, how) in pictures.items():
        stream = io.BytesIO()
        picture.save(stream, form, **how)
        found[name] = stream.getvalue()
    return found


SEEDS = seeds()
MUTATED = st.tuples(
    st.sampled_from(sorted(SEEDS)),
    st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 255)), max_size=6),
    st.none() | st.integers(0, 1500),
    st.binary(max_size=8),
)


def test_there_are_twenty_seeds() -> None:
    assert len(SEEDS) == 20


def test_fuzzed_images_are_taken_or_left_out(tmp_path: Path) -> None:
    root = tmp_path / "pictures"

    @thorough(2)
    @given(st.lists(MUTATED, min_size=1, max_size=4), st.booleans(), st.booleans())
    def load(files: list[object], strict: bool, in_memory: bool) -> None:
        root.mkdir()
        try:
            for number, (name, edits, cut, more) in enumerate(files):  # type: ignore[misc]
                data = bytearray(SEEDS[name])
                for position, value in edits:
                    data[position % len(data)] = value
                (root / f"{number}-{name}").write_bytes(bytes(data[:cut]) + more)
            (root / "good.png").write_bytes(SEEDS["a.png"])
            assert_loaded(root, strict, in_memory)
        finally:
            shutil.rmtree(root)

    load()


def assert_loaded(root: Path, strict: bool, in_memory: bool) -> None:
    options = ImagesOptions(
        root=str(root), size=8, strict=strict, memory_limit=2048 if in_memory else 0
    )
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            dataset = build(Problem(sample=SPEC.fields(options)["sample"]), options)
        except DataError:
            return
        if isinstance(dataset, InMemoryDataset):
            found = dataset.samples
        else:
            taken = []
            for index in range(len(dataset)):
                with suppress(DataError):  # of a body that only the decoder finds wrong
                    taken.append(dataset[index]["sample"])
            found = torch.stack(taken)
    assert found.shape[1:] == (3, 8, 8)
    assert len(found) >= 1
    assert {it.category for it in said} <= {UserWarning}
