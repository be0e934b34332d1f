"""The data set `images`: folders and zip files as people have them, and as they should not."""

from __future__ import annotations

import io
import os
import pickle
import struct
import warnings
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import ganforge_images
from ganforge import DataError, InMemoryDataset, MapDataset, Problem
from ganforge_images.images import build as build_images
from ganforge_images.options import ImagesOptions

(SPEC,) = (spec for spec in ganforge_images.ganforge_datasets() if spec.name == "images")
IN_MEMORY_OR_NOT = pytest.mark.parametrize("memory_limit", [2048, 0])


def build(root: Path | str, **given: Any) -> InMemoryDataset | MapDataset:
    options = ImagesOptions(root=str(root), **{"size": 8, **given})
    assert SPEC.check_available is not None
    SPEC.check_available(options)
    return build_images(Problem(sample=SPEC.fields(options)["sample"]), options)


def samples(dataset: InMemoryDataset | MapDataset) -> torch.Tensor:
    if isinstance(dataset, InMemoryDataset):
        return dataset.samples
    return torch.stack([dataset[index]["sample"] for index in range(len(dataset))])


def labels(dataset: InMemoryDataset | MapDataset) -> list[int] | None:
    if isinstance(dataset, InMemoryDataset):
        return None if dataset.labels is None else dataset.labels.tolist()
    return [dataset[index]["label"] for index in range(len(dataset))] if dataset.classes else None


def image(value: int = 0, size: tuple[int, int] = (8, 8), form: str = "PNG", **how: Any) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", size, (value, value, value)).save(stream, form, **how)
    return stream.getvalue()


def noise(form: str) -> bytes:
    stream = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(stream, form)
    return stream.getvalue()


def fill(root: Path, files: Mapping[str, bytes]) -> Path:
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root


def packed(path: Path, files: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def bad_checksum() -> bytes:
    data = bytearray(noise("PNG"))
    data[-20] ^= 1
    return bytes(data)


CLASSES = {"dog/a.png": image(1), "cat/b.png": image(2), "cat/x/c.png": image(3)}
GOOD = {f"good{index}.png": image(index) for index in range(6)}
CORRUPT = {
    "empty.png": b"",
    "text.png": b"hello",
    "cut.jpg": noise("JPEG")[:3000],
    "crc.png": bad_checksum(),
    "html.jpg": b"<!doctype html><title>Not found</title>",
}


def test_a_folder(tmp_path: Path) -> None:
    dataset = build(fill(tmp_path, GOOD))
    assert isinstance(dataset, InMemoryDataset)
    assert dataset.samples.dtype == torch.uint8
    assert dataset.samples.shape == (6, 3, 8, 8)
    assert dataset.samples[:, 0, 0, 0].tolist() == [0, 1, 2, 3, 4, 5]
    assert (dataset.labels, dataset.classes) == (None, None)
    assert dataset.describe() == "6 samples"


def test_one_image_is_a_data_set(tmp_path: Path) -> None:
    assert samples(build(fill(tmp_path, {"a.png": image(7, (1, 1))}))).unique().tolist() == [7]


@IN_MEMORY_OR_NOT
def test_sub_folders_are_classes(memory_limit: int, tmp_path: Path) -> None:
    dataset = build(fill(tmp_path, CLASSES), memory_limit=memory_limit)
    assert dataset.classes == ("cat", "dog")
    assert labels(dataset) == [0, 0, 1]
    assert samples(dataset)[:, 0, 0, 0].tolist() == [2, 3, 1]
    assert dataset.describe() == "3 samples in 2 classes: cat (2), dog (1)"


def test_a_folder_that_holds_everything_is_no_class(tmp_path: Path) -> None:
    dataset = build(fill(tmp_path, {f"data/train/{name}": data for name, data in CLASSES.items()}))
    assert dataset.classes == ("cat", "dog")
    assert labels(dataset) == [0, 0, 1]
    assert build(tmp_path / "data" / "train" / "dog").classes is None


def test_images_beside_sub_folders_mean_no_labels(tmp_path: Path) -> None:
    fill(tmp_path, {**CLASSES, "loose.png": image()})
    with pytest.warns(UserWarning, match=r"no labels: 1 of 4 lie in no sub-folder"):
        dataset = build(tmp_path)
    assert dataset.classes is None
    assert dataset.describe() == "4 samples"


@IN_MEMORY_OR_NOT
def test_corrupt_files_are_named_in_one_warning_and_left_out(
    memory_limit: int, tmp_path: Path
) -> None:
    fill(tmp_path, {**GOOD, **CORRUPT})
    with pytest.warns(UserWarning, match="^left out 5 of 11") as caught:
        dataset = build(tmp_path, memory_limit=memory_limit)
    assert len(caught) == 1
    message = str(caught[0].message)
    assert message.startswith(f"left out 5 of 11 files in {str(tmp_path)!r} that cannot be read: ")
    for name in CORRUPT:
        assert repr(name) in message
    assert "'empty.png' (the file is empty)" in message
    assert samples(dataset)[:, 0, 0, 0].tolist() == [0, 1, 2, 3, 4, 5]


def test_many_corrupt_files_are_counted_rather_than_named(tmp_path: Path) -> None:
    fill(tmp_path, {**GOOD, **{f"bad{index:02}.png": b"x" for index in range(40)}})
    with pytest.warns(UserWarning, match=r"left out 40 of 46 .*'bad04\.png' .* and 35 more$"):
        assert len(build(tmp_path)) == 6


@IN_MEMORY_OR_NOT
def test_strict_makes_them_an_error(memory_limit: int, tmp_path: Path) -> None:
    fill(tmp_path, {**GOOD, **CORRUPT})
    with pytest.raises(DataError, match=r"5 files in .* cannot be read: 'crc\.png' .*strict = fal"):
        build(tmp_path, strict=True, memory_limit=memory_limit)
    assert len(build(fill(tmp_path / "sub", GOOD), strict=True)) == 6


def test_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no image in .* can be used: found 0 image files$"):
        build(tmp_path)
    fill(tmp_path, {"a.heic": b"x", "b.txt": b"x"})
    with pytest.raises(
        DataError,
        match=r"found 1 image file, 1 unreadable: 'a\.heic' \(\.heic files are not read\); 1 other",
    ):
        build(tmp_path)
    fill(tmp_path, {"bad.png": b"x", "small.png": image(0, (2, 2))})
    with pytest.raises(DataError, match=r"found 3 image files, 2 unread.*'bad.*, 1 too small: 's"):
        build(tmp_path, minimum_size=3)


@pytest.mark.parametrize("name", ["absent", "a\0b", "x" * 5000])
def test_a_root_that_is_not_there(name: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no folder or zip file|not a usable path"):
        build(f"{tmp_path}/{name}")


def test_a_root_that_is_something_else(tmp_path: Path) -> None:
    fill(tmp_path, {"a.png": image()})
    with pytest.raises(DataError, match="neither a folder nor a zip file"):
        build(tmp_path / "a.png")


def test_small_images_are_left_out_by_name(tmp_path: Path) -> None:
    fill(tmp_path, {**GOOD, "thin.png": image(9, (3, 500)), "tiny.png": image(9, (1, 1))})
    assert len(build(tmp_path)) == 8
    with pytest.warns(
        UserWarning, match=r"left out 2 images in .* minimum_size = 4: 'thin\.png', 'tiny\.png'$"
    ):
        assert len(build(tmp_path, minimum_size=4)) == 6


def test_several_frames_are_said_once(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (8, 8), (40 * index, 0, 0)) for index in range(1, 6)]
    for name, form in (("a.gif", "GIF"), ("b.png", "PNG"), ("c.tif", "TIFF")):
        frames[0].save(tmp_path / name, form, save_all=True, append_images=frames[1:])
    fill(tmp_path, {"d.png": image()})
    with pytest.warns(UserWarning, match="^took the first frame of 3 files") as caught:
        dataset = build(tmp_path)
    (message,) = (str(warning.message) for warning in caught)
    assert message.endswith("'a.gif', 'b.png', 'c.tif'")
    assert samples(dataset)[:, 0, 0, 0].tolist() == [40, 40, 40, 0]


def test_other_files_are_counted_and_hidden_ones_are_not(tmp_path: Path) -> None:
    files = {"README.md": b"x", "list.csv": b"x", ".DS_Store": b"x", ".git/a.png": b"x"}
    dataset = build(fill(tmp_path, {**GOOD, **files, "__MACOSX/a.png": b"x", "._a.png": b"x"}))
    for it in (dataset, build(tmp_path, memory_limit=0)):
        assert it.describe() == "6 samples"
        assert it.left_out == "2 other files (.md 1, .csv 1)"


def test_the_content_counts_and_not_the_name(tmp_path: Path) -> None:
    files = {"a.PNG": image(5, form="BMP"), "b.Jpg": image(6), "c.tiff": image(7, form="GIF")}
    assert samples(build(fill(tmp_path, files)))[:, 0, 0, 0].tolist() == [5, 6, 7]


ODD_NAMES = [
    "new\nline.png",
    "-rf.png",
    "a b.png",
    "\x1b[2J\x1b]8;;x\x07.png",
    "\u202egpj.png",
    "\udcff\udc80.png",
    "[bold]red.png",
    "é漢字😀.png",
    "n" * 251 + ".png",
    "Case.png",
    "case.png",
]


def test_odd_names(tmp_path: Path) -> None:
    for index, name in enumerate(ODD_NAMES):
        try:
            (tmp_path / name).write_bytes(image(index))
        except OSError:  # not every file system takes every name
            pytest.skip("this file system does not take such names")
    assert sorted(samples(build(tmp_path))[:, 0, 0, 0].tolist()) == list(range(len(ODD_NAMES)))
    for name in ODD_NAMES[1:]:
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(DataError) as caught:
        build(tmp_path, strict=True)
    assert str(caught.value).isprintable()
    for name in ODD_NAMES[2:]:
        (tmp_path / name).unlink()
    (tmp_path / ODD_NAMES[1]).write_bytes(image())
    (tmp_path / ODD_NAMES[0]).write_bytes(b"x")
    with pytest.warns(UserWarning, match=r"'new\\nline\.png'"):
        build(tmp_path)


def test_class_names_can_be_written_to_any_file(tmp_path: Path) -> None:
    fill(tmp_path, {"new\nline/a.png": image(), "été/b.png": image(), "\udcff/c.png": image()})
    assert build(tmp_path).classes == ("new\\nline", "été", "\\udcff")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
@IN_MEMORY_OR_NOT
def test_only_regular_files_are_opened(memory_limit: int, tmp_path: Path) -> None:
    outside = fill(tmp_path / "outside", {"secret.png": image(99)})
    root = fill(tmp_path / "root", GOOD)
    os.mkfifo(root / "a.png")
    (root / "loop").symlink_to(root)
    (root / "link.png").symlink_to(outside / "secret.png")
    (root / "away").symlink_to(outside)
    (root / "gone.png").symlink_to(root / "nowhere")
    (root / "note.txt").symlink_to(outside / "secret.png")
    with pytest.warns(UserWarning, match="^left out 5 of 11") as caught:
        dataset = build(root, memory_limit=memory_limit)
    message = str(caught[0].message)
    assert "'a.png' (not a regular file)" in message
    for name in ("away", "gone.png", "link.png", "loop"):
        assert f"'{name}' (a symbolic link, which is not followed)" in message
    assert samples(dataset)[:, 0, 0, 0].tolist() == [0, 1, 2, 3, 4, 5]
    assert message.endswith("; dataset.follow_links = true follows links")
    assert dataset.left_out == "5 unreadable files, 1 other file (.txt 1)"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads anything")
def test_files_without_permission_are_named(tmp_path: Path) -> None:
    fill(tmp_path, {**GOOD, "locked.png": image(), "shut/a.png": image()})
    (tmp_path / "locked.png").chmod(0)
    (tmp_path / "shut").chmod(0)
    try:
        with pytest.warns(UserWarning, match=r"'locked\.png' \(Permission.*'shut/' \(cannot be li"):
            assert len(build(tmp_path)) == 6
    finally:
        (tmp_path / "shut").chmod(0o700)


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    fill(tmp_path, GOOD)
    with (tmp_path / "huge.png").open("wb") as file:
        file.truncate(300 * 2**20)
    with pytest.warns(UserWarning, match=r"'huge\.png' \(314,572,800 bytes, more than 268,435,456"):
        assert len(build(tmp_path)) == 6


def _resident_peak() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no peak in /proc/self/status")


@pytest.mark.skipif(not os.access("/proc/self/clear_refs", os.W_OK), reason="cannot measure memory")
def test_a_decompression_bomb_takes_no_memory(tmp_path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    width, height = 13_337, 13_350
    packer = zlib.compressobj(9, wbits=-15)
    block = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    rows = b"\x78\xda" + block * (height * (3 * width + 1) // 2**20 + 1)
    header = struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows)
    fill(tmp_path, {"bomb.png": bomb + chunk(b"IEND", b""), "good.png": image()})
    assert (tmp_path / "bomb.png").stat().st_size < 600_000

    Path("/proc/self/clear_refs").write_text("5")  # the peak starts over
    before = _resident_peak()
    with pytest.warns(UserWarning, match=r"'bomb\.png' \(178,048,950 pixels, more than max_pixels"):
        assert len(build(tmp_path)) == 1
    assert _resident_peak() - before < 100 * 2**20


@pytest.mark.parametrize("fit", ["crop", "stretch", "pad"])
def test_other_shapes(fit: str, tmp_path: Path) -> None:
    fill(tmp_path, {"a.png": image(3, (3, 500)), "b.jpg": image(3, (400, 300), "JPEG")})
    dataset = build(tmp_path, fit=fit, height=20, size=12, channels=1, background=(3, 3, 3))
    assert samples(dataset).shape == (2, 1, 20, 12)
    assert samples(dataset).unique().tolist() == [3]


def test_white_is_the_background_unless_another_is_named(tmp_path: Path) -> None:
    Image.new("RGBA", (8, 4), (0, 0, 0, 0)).save(tmp_path / "a.png")
    assert samples(build(tmp_path, fit="pad")).unique().tolist() == [255]
    colour = samples(build(tmp_path, fit="pad", background=(1, 2, 3)))
    assert (colour == torch.tensor([1, 2, 3]).view(3, 1, 1)).all()


def test_what_does_not_fit_in_memory_is_the_same_image_by_image(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    for index in range(12):
        pixels = generator.integers(0, 256, (20 + index, 30, 3), dtype=np.uint8)
        folder = tmp_path / f"class{index % 3}"
        folder.mkdir(exist_ok=True)
        suffix = ("png", "jpg", "webp", "gif", "bmp", "tif")[index % 6]
        Image.fromarray(pixels).save(folder / f"{index}.{suffix}")
    whole = build(tmp_path, size=600)
    assert isinstance(whole, InMemoryDataset)
    stored = build(tmp_path, size=600, memory_limit=12)  # 12 images of 1.03 MiB
    assert isinstance(stored, MapDataset)
    for dataset in (stored, pickle.loads(pickle.dumps(stored))):
        assert torch.equal(samples(dataset), whole.samples)
        assert labels(dataset) == labels(whole)
        assert dataset.describe() == whole.describe()
        assert dataset[3]["sample"].dtype == torch.uint8


def test_a_file_that_vanishes_or_changes_is_named(tmp_path: Path) -> None:
    dataset = build(fill(tmp_path, GOOD), memory_limit=0)
    assert isinstance(dataset, MapDataset)
    (tmp_path / "good1.png").unlink()
    with pytest.raises(DataError, match=r"'good1\.png' in .* can no longer be read: No such file"):
        dataset[1]
    (tmp_path / "good2.png").write_bytes(b"x")
    with pytest.raises(DataError, match=r"'good2\.png' in .* can no longer be read: not an image"):
        dataset[2]
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "good1.png")
        with pytest.raises(DataError, match="can no longer be read: not a regular file"):
            dataset[1]
    assert [*dataset[0]] == ["sample"]


@IN_MEMORY_OR_NOT
def test_a_zip_file_is_as_the_folder(memory_limit: int, tmp_path: Path) -> None:
    files = {**CLASSES, "dog/bad.png": b"x", "dog/note.txt": b"x", ".hidden": b"x"}
    folder = fill(tmp_path / "folder", files)
    wrapped = {f"data/{name}": data for name, data in reversed(files.items())}
    archive = packed(tmp_path / "images.zip", {**wrapped, "__MACOSX/data/dog/._a.png": b"x"})
    with pytest.warns(UserWarning, match=r"left out 1 of 4 files .*'(data/)?dog/bad\.png'"):
        one, other = (build(root, memory_limit=memory_limit) for root in (folder, archive))
    assert torch.equal(samples(one), samples(other))
    assert labels(one) == labels(other) == [0, 0, 1]
    assert one.classes == other.classes == ("cat", "dog")
    assert one.describe() == other.describe()


def test_a_zip_file_is_opened_again_in_another_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = build(packed(tmp_path / "images.zip", GOOD), memory_limit=0)
    assert isinstance(dataset, MapDataset)
    expected = samples(dataset)
    opened = []
    real = zipfile.ZipFile
    monkeypatch.setattr(zipfile, "ZipFile", lambda path: opened.append(path) or real(path))
    assert torch.equal(samples(dataset), expected)
    assert len(opened) == 0
    assert torch.equal(samples(pickle.loads(pickle.dumps(dataset))), expected)
    assert len(opened) == 1
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert torch.equal(samples(dataset), expected)
    assert len(opened) == 2


def _patched(path: Path, name: str, *, local: int, central: int, value: bytes) -> None:
    """Overwrites a field of the two headers of a member, given its offset in each."""
    data = bytearray(path.read_bytes())
    for mark, offset, name_at in ((b"PK\3\4", local, 30), (b"PK\1\2", central, 46)):
        at = data.rindex(mark, 0, data.index(name.encode(), data.index(mark)) + 1)
        assert data[at + name_at : at + name_at + len(name)] == name.encode()
        data[at + offset : at + offset + len(value)] = value
    path.write_bytes(data)


def test_members_that_mean_harm_are_left_out(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link.png")
    link.external_attr = 0o120777 << 16
    path = tmp_path / "images.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("good.png", image(4))
        archive.writestr("../../up.png", image())
        archive.writestr("/root.png", image())
        archive.writestr(link, "/etc/passwd")
        archive.writestr("bomb.png", image())
    _patched(path, "bomb.png", local=22, central=24, value=struct.pack("<I", 2**30))
    inside = set(tmp_path.parent.rglob("*"))
    with pytest.warns(UserWarning, match="^left out 4 of 5 files") as caught:
        dataset = build(path)
    message = str(caught[0].message)
    assert "'../../up.png' (its path leads out of the zip file)" in message
    assert "'/root.png' (its path leads out of the zip file)" in message
    assert "'link.png' (a symbolic link, which is not followed)" in message
    assert "'bomb.png' (1,073,741,824 bytes, more than 268,435,456)" in message
    assert samples(dataset).unique().tolist() == [4]
    assert set(tmp_path.parent.rglob("*")) == inside


@pytest.mark.parametrize(
    ("local", "central", "value", "reason"),
    [
        (6, 8, b"\1\0", "encrypted"),
        (8, 10, b"\x63\0", "compression method is not supported"),
        (22, 24, b"\x20\0\0\0", "Bad CRC-32|cut|truncated|Truncated"),
        (14, 16, b"\0\0\0\0", "Bad CRC-32"),
    ],
)
def test_members_that_cannot_be_read(
    local: int, central: int, value: bytes, reason: str, tmp_path: Path
) -> None:
    path = packed(tmp_path / "images.zip", {"bad.png": noise("PNG"), "good.png": image(4)})
    _patched(path, "bad.png", local=local, central=central, value=value)
    with pytest.warns(UserWarning, match=rf"left out 1 of 2 files .*'bad\.png' \(.*({reason})"):
        assert len(build(path)) == 1


def test_two_members_of_one_name(tmp_path: Path) -> None:
    path = tmp_path / "images.zip"
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w") as archive:
        warnings.simplefilter("ignore")
        for value in (1, 2):
            archive.writestr("a.png", image(value))
    with pytest.warns(UserWarning, match="a second member of this name"):
        assert len(build(path)) == 1


def test_a_table_of_contents_that_would_fill_the_memory(tmp_path: Path) -> None:
    path = packed(tmp_path / "images.zip", GOOD)
    data = path.read_bytes()
    end = data.rindex(b"PK\5\6")
    record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 2_000_000, 2_000_000, 10, 0)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, end, 1)
    path.write_bytes(data[:end] + record + locator + data[end:])
    with pytest.raises(DataError, match=r"2,000,000 members .*; at most 1,500,000"):
        build(path)


def test_a_damaged_zip_file(tmp_path: Path) -> None:
    path = packed(tmp_path / "images.zip", GOOD)
    data = path.read_bytes()
    at = data.index(b"PK\1\2")
    path.write_bytes(data[:at] + b"XX" + data[at + 2 :])
    with pytest.raises(DataError, match=r"the zip file .* cannot be read: "):
        build(path)
