"""The data set `image-pairs`: files of one name, halves of pictures, two sets side by side."""

from __future__ import annotations

import io
import pickle
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import ganforge_images
from ganforge import DataError, InMemoryDataset, MapDataset, Problem
from ganforge_images.options import PairsOptions
from ganforge_images.pairs import build as build_pairs

(SPEC,) = (spec for spec in ganforge_images.ganforge_datasets() if spec.name == "image-pairs")
IN_MEMORY_OR_NOT = pytest.mark.parametrize("memory_limit", [2048, 0])


def build(root: Path, source: Path | None = None, **given: Any) -> InMemoryDataset | MapDataset:
    source_given = {} if source is None else {"source": str(source)}
    options = PairsOptions(root=str(root), **{"size": 8, **source_given, **given})
    assert SPEC.check_available is not None
    SPEC.check_available(options)
    return build_pairs(Problem(sample=SPEC.fields(options)["sample"]), options)


def values(dataset: InMemoryDataset | MapDataset, name: str) -> torch.Tensor:
    """All values of a field, `[N, C, H, W]`."""
    if isinstance(dataset, InMemoryDataset):
        return dataset.samples if name == "sample" else dataset.others[name]
    numbers = range(dataset.size(name))
    if name in dataset[0]:
        return torch.stack([dataset[number][name] for number in numbers])
    return torch.stack([torch.as_tensor(dataset.value(name, number)) for number in numbers])


def shades(dataset: InMemoryDataset | MapDataset, name: str) -> list[int]:
    return values(dataset, name)[:, 0, 4, 4].tolist()


def image(*shades: int, size: tuple[int, int] = (8, 8), form: str = "PNG", **how: Any) -> bytes:
    """Images of one shade each, side by side, each of the size."""
    picture = Image.new("RGB", (size[0] * len(shades), size[1]))
    for number, shade in enumerate(shades):
        picture.paste((shade,) * 3, (number * size[0], 0, (number + 1) * size[0], size[1]))
    stream = io.BytesIO()
    picture.save(stream, form, **how)
    return stream.getvalue()


def fill(root: Path, files: Mapping[str, bytes]) -> Path:
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root


@IN_MEMORY_OR_NOT
def test_files_of_one_name_belong_together(memory_limit: int, tmp_path: Path) -> None:
    targets = {f"{name}.png": image(number) for number, name in enumerate("abc")}
    targets["sub/a.png"] = image(3)
    inputs = {f"{name}.jpg": image(100 + n, form="JPEG") for n, name in enumerate("abc")}
    inputs["sub/a.tiff"] = image(103, form="TIFF")
    dataset = build(
        fill(tmp_path / "targets", targets),
        fill(tmp_path / "inputs", inputs),
        memory_limit=memory_limit,
        source_channels=1,
    )
    assert isinstance(dataset, MapDataset if memory_limit == 0 else InMemoryDataset)
    assert values(dataset, "sample").shape == (4, 3, 8, 8)
    assert values(dataset, "source").shape == (4, 1, 8, 8)
    assert values(dataset, "source").dtype == torch.uint8
    assert shades(dataset, "sample") == [0, 1, 2, 3]
    assert shades(dataset, "source") == [100, 101, 102, 103]
    assert (dataset.classes, dataset.describe()) == (None, "4 pairs")


def test_folders_that_hold_everything_are_not_counted_where_names_differ(tmp_path: Path) -> None:
    targets = fill(tmp_path / "targets", {"x/1.png": image(1), "y/2.png": image(2)})
    with zipfile.ZipFile(tmp_path / "inputs.zip", "w") as archive:
        for name, shade in (("maps/x/1.png", 101), ("maps/y/2.png", 102)):
            archive.writestr(name, image(shade))
    dataset = build(targets, tmp_path / "inputs.zip")
    assert list(zip(shades(dataset, "sample"), shades(dataset, "source"), strict=True)) == [
        (1, 101),
        (2, 102),
    ]
    # Where full names agree, a folder that only one of the two is alone with is no wrapping.
    inputs = fill(tmp_path / "inputs", {"x/1.png": image(101), "2.png": image(9)})
    lone = fill(tmp_path / "lone", {"x/1.png": image(1)})
    with pytest.warns(UserWarning, match=r"left out 1 image in .*inputs' without.*: '2\.png'$"):
        dataset = build(lone, inputs)
    assert (shades(dataset, "sample"), shades(dataset, "source")) == ([1], [101])


@IN_MEMORY_OR_NOT
def test_a_file_without_partner_is_left_out_with_a_word(memory_limit: int, tmp_path: Path) -> None:
    targets = {"a.png": image(1), "b.png": image(2), "c.png": image(3), "d.png": b"x"}
    inputs = {"a.png": image(101), "c.png": b"x", "d.png": image(104), "e.png": image(105)}
    roots = fill(tmp_path / "A", targets), fill(tmp_path / "B", inputs)
    with pytest.warns(UserWarning, match="left out") as caught:
        dataset = build(*roots, memory_limit=memory_limit)
    assert (shades(dataset, "sample"), shades(dataset, "source")) == ([1], [101])
    a, b = (repr(str(root)) for root in roots)
    reason = "not an image in one of the formats PNG, JPEG, WEBP, GIF, BMP, TIFF, PPM"
    assert [str(it.message) for it in caught] == [
        f"left out 1 of 4 files in {a} that cannot be read: 'd.png' ({reason})",
        f"left out 1 image in {a} without a partner of the same name in {b}: 'b.png'",
        f"left out 1 image in {a} whose partners in {b} were: 'c.png'",
        f"left out 1 of 4 files in {b} that cannot be read: 'c.png' ({reason})",
        f"left out 1 image in {b} without a partner of the same name in {a}: 'e.png'",
        f"left out 1 image in {b} whose partners in {a} were: 'd.png'",
    ]


def test_strict_makes_it_an_error(tmp_path: Path) -> None:
    a = fill(tmp_path / "A", {"a.png": image(1), "b.png": image(2)})
    b = fill(tmp_path / "B", {"a.png": image(1)})
    with pytest.raises(DataError, match=r"^1 image in .*A' without a partner .*: 'b\.png'\. data"):
        build(a, b, strict=True)
    with pytest.raises(DataError, match=r"^1 image in .*A' without a partner of the same name in"):
        build(b, a, strict=True)


def test_small_images_take_their_partners_with_them(tmp_path: Path) -> None:
    a = fill(tmp_path / "A", {"a.png": image(1), "b.png": image(2)})
    b = fill(tmp_path / "B", {"a.png": image(1, size=(3, 3)), "b.png": image(2)})
    with pytest.warns(UserWarning, match="left out 1 image") as caught:
        dataset = build(a, b, minimum_size=4, strict=True)
    assert shades(dataset, "sample") == [2]
    assert len(caught) == 2


def test_no_pair_at_all_is_an_error_that_names_both_roots(tmp_path: Path) -> None:
    a = fill(tmp_path / "A", {"a_real.png": image(1)})
    b = fill(tmp_path / "B", {"a_fake.png": image(1)})
    with pytest.raises(DataError) as caught:
        build(a, b)
    assert str(caught.value) == (
        f"no image in {str(a)!r} can be used: found 1 image file, 1 without one of the same name "
        f"in {str(b)!r}: 'a_real.png'"
    )


def test_a_second_file_of_a_name_is_named(tmp_path: Path) -> None:
    a = fill(tmp_path / "A", {"a.jpg": image(1, form="JPEG"), "a.png": image(2)})
    b = fill(tmp_path / "B", {"a.png": image(101)})
    with pytest.warns(UserWarning, match=r"'a\.png' \(a second file of this name, suffix aside\)"):
        dataset = build(a, b)
    assert (shades(dataset, "sample"), shades(dataset, "source")) == ([1], [101])


@IN_MEMORY_OR_NOT
@pytest.mark.parametrize("half", ["left", "right"])
def test_a_half_is_the_source_and_the_other_the_sample(
    half: str, memory_limit: int, tmp_path: Path
) -> None:
    files = {
        "a.png": image(1, 101),
        "b.jpg": image(2, 102, size=(160, 160), form="JPEG", quality=100),
    }
    dataset = build(fill(tmp_path, files), split=half, source_channels=1, memory_limit=memory_limit)
    left, right = ("source", "sample") if half == "left" else ("sample", "source")
    assert (shades(dataset, left), shades(dataset, right)) == ([1, 2], [101, 102])
    # Nothing of one half is seen in the other.
    assert all(len(it.unique()) == 1 for it in values(dataset, "source"))
    assert all(len(it.unique()) == 1 for it in values(dataset, "sample"))
    assert values(dataset, "sample").shape == (2, 3, 8, 8)
    assert dataset.describe() == "2 pairs"


def test_halves_are_upright_and_of_an_odd_width_alike(tmp_path: Path) -> None:
    # A photograph that was taken with the camera turned: its pixels lie on their side.
    lying = Image.new("RGB", (8, 16))
    lying.paste((101,) * 3, (0, 0, 8, 8))
    lying.paste((1,) * 3, (0, 8, 8, 16))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    lying.save(tmp_path / "a.png", exif=exif)
    odd = Image.new("RGB", (33, 16), (50,) * 3)
    odd.paste((2,) * 3, (0, 0, 16, 16))
    odd.paste((102,) * 3, (17, 0, 33, 16))
    odd.save(tmp_path / "b.png")
    dataset = build(tmp_path, split="left")
    assert (shades(dataset, "source"), shades(dataset, "sample")) == ([1, 2], [101, 102])
    assert 50 not in values(dataset, "source").unique()
    assert 50 not in values(dataset, "sample").unique()


@IN_MEMORY_OR_NOT
@pytest.mark.parametrize(
    ("size", "given", "message"),
    [
        ((8, 8), {}, r"'one\.png' \(8 x 8 pixels\).* are 2 times as wide as they are high here"),
        ((30, 20), {}, r"'one\.png' \(30 x 20 pixels\)"),
        ((18, 8), {}, r"'one\.png' \(18 x 8 pixels\)"),
        ((16, 8), {"height": 16}, r"'one\.png' \(16 x 8 pixels\).* are 1 times as wide"),
    ],
)
def test_a_picture_that_is_no_two_images_is_an_error_and_never_halved(
    size: tuple[int, int], given: dict[str, int], message: str, memory_limit: int, tmp_path: Path
) -> None:
    height = given.get("height", 8)
    files = {"good.png": image(1, 2, size=(8, height)), "one.png": image(1, size=size)}
    fill(tmp_path, files)
    with pytest.raises(DataError, match=rf"^1 picture in .* cannot be halved: {message}"):
        build(tmp_path, split="left", memory_limit=memory_limit, **given)


def test_a_few_pixels_more_are_no_other_proportions(tmp_path: Path) -> None:
    fill(tmp_path, {"a.png": image(1, size=(513, 256)), "b.png": image(2, size=(600, 294))})
    assert shades(build(tmp_path, split="right"), "sample") == [1, 2]


@IN_MEMORY_OR_NOT
def test_two_sets_side_by_side_have_any_number_each(memory_limit: int, tmp_path: Path) -> None:
    a = fill(tmp_path / "A", {f"a{n}.png": image(n) for n in range(3)})
    b = fill(tmp_path / "B", {f"b{n}.png": image(100 + n) for n in range(5)} | {"x.txt": b"x"})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dataset = build(a, b, pairing="none", memory_limit=memory_limit)
    assert shades(dataset, "sample") == [0, 1, 2]
    assert shades(dataset, "source") == [100, 101, 102, 103, 104]
    assert dataset.describe() == "3 samples; 5 sources"
    assert dataset.left_out == "source: 1 other file (.txt 1)"
    if isinstance(dataset, MapDataset):
        assert [*dataset[0]] == ["sample"]
        assert torch.equal(
            pickle.loads(pickle.dumps(dataset)).value("source", 4), dataset.value("source", 4)
        )


@IN_MEMORY_OR_NOT
@pytest.mark.parametrize(
    "given", [{}, {"fit": "pad", "background": (7, 8, 9)}, {"fit": "stretch", "height": 12}]
)
def test_both_are_fitted_as_images_are(
    given: dict[str, Any], memory_limit: int, tmp_path: Path
) -> None:
    """A pair is what the data set `images` makes of either folder."""
    from ganforge_images.images import build as build_images
    from ganforge_images.options import ImagesOptions

    noise = np.random.default_rng(0)
    for number in range(4):
        for name in ("A", "B"):
            (tmp_path / name).mkdir(exist_ok=True)
            pixels = noise.integers(0, 256, (10 + 5 * number, 20, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{number}.png")
    dataset = build(tmp_path / "A", tmp_path / "B", memory_limit=memory_limit, **given)
    for name, field in (("A", "sample"), ("B", "source")):
        options = ImagesOptions(root=str(tmp_path / name), size=8, **given)
        shape = (3, given.get("height", 8), 8)
        alone = build_images(Problem(sample_shape=shape), options)
        assert torch.equal(values(dataset, field), values(alone, "sample"))


@pytest.mark.parametrize("name", ["root", "source"])
def test_a_folder_that_is_not_there_is_named_with_its_key(name: str, tmp_path: Path) -> None:
    here = fill(tmp_path / "here", {"a.png": image(1)})
    roots = {"root": here, "source": here, name: tmp_path / "absent"}
    with pytest.raises(DataError, match=rf"absent'\. Name one with --set dataset\.{name}=PATH"):
        build(roots["root"], roots["source"])


def test_a_file_that_vanishes_is_named_with_its_root(tmp_path: Path) -> None:
    a = fill(tmp_path / "A", {"a.png": image(1)})
    b = fill(tmp_path / "B", {"a.jpg": image(1, form="JPEG")})
    dataset = build(a, b, memory_limit=0)
    assert isinstance(dataset, MapDataset)
    (b / "a.jpg").unlink()
    with pytest.raises(DataError, match=r"'a\.jpg' in .*B' can no longer be read: No such file"):
        dataset[0]
