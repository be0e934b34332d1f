"""What of a folder or a zip file is taken for data, and what a person is told of the rest."""

from __future__ import annotations

import json
import os
import warnings
import zipfile
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ganforge import DataError, FileRecord

from .test_images import GOOD, IN_MEMORY_OR_NOT, build, fill, image, labels, packed, samples

CLASSES = {f"{name}/{n}.png": image(10 * n) for name in ("ape", "bee") for n in range(3)}


def quietly(root: Path | str, **given: Any) -> Any:
    """The set, where nothing is to be warned of."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return build(root, **given)


def as_run(folder: Path) -> None:
    (folder / "checkpoints").mkdir(parents=True)
    fill(folder, {"config.toml": b"", "status.json": b"{}", "samples/00000010.png": image(200)})


def test_a_run_in_the_folder_is_no_data(tmp_path: Path) -> None:
    fill(tmp_path, CLASSES)
    as_run(tmp_path / "run")
    as_run(tmp_path / "runs/00001-dcgan")
    dataset = quietly(tmp_path)
    assert dataset.classes == ("ape", "bee")
    assert len(dataset) == 6
    assert dataset.left_out == "2 runs of ganforge"


def test_a_run_is_no_folder_of_data(tmp_path: Path) -> None:
    as_run(tmp_path / "run")
    with pytest.raises(DataError, match=r"run' is the directory of a run, whose pictures are its"):
        build(tmp_path / "run")
    assert len(quietly(tmp_path / "run/samples")) == 1
    with pytest.raises(DataError, match=r"found 0 image files; 1 run of ganforge: 'run/'$"):
        build(tmp_path)


def test_images_without_a_suffix_are_told(tmp_path: Path) -> None:
    fill(tmp_path, {"a.png": image(1)} | {f"photo{n}": image(2) for n in range(24)})
    with pytest.warns(UserWarning, match=r"^left out 24 of 25 .*'photo0' \(an image, whose name n"):
        dataset = build(tmp_path)
    assert dataset.left_out == "24 unreadable files"
    with pytest.raises(DataError, match=r"^24 files in .* cannot be read"):
        build(tmp_path, strict=True)


@pytest.mark.parametrize("suffix", ["heic", "AVIF", "jxl", "psd", "svg", "cr2", "mp4"])
def test_pictures_of_other_formats_are_not_just_other_files(suffix: str, tmp_path: Path) -> None:
    fill(tmp_path, {"a.png": image(1), f"b.{suffix}": b"x"})
    with pytest.warns(UserWarning, match=rf"'b\.{suffix}' \(\.{suffix.lower()} files are not read"):
        build(tmp_path)
    with pytest.raises(DataError, match=r"1 file in .* cannot be read"):
        build(tmp_path, strict=True)


def test_a_folder_that_holds_something_else_is_surprising(tmp_path: Path) -> None:
    texts = {f"{n}.txt": b"x" for n in range(8)}
    fill(tmp_path, {**GOOD, **texts, "list.csv": b"x", "README": b"x"})
    with pytest.warns(
        UserWarning,
        match=r"^only 6 of 16 files in .* are images by name; ignored are \.txt 8, ",
    ):
        dataset = build(tmp_path)
    assert dataset.left_out == "10 other files (.txt 8, no suffix 1, .csv 1)"


@pytest.mark.parametrize(
    "names",
    [
        ("train", "test"),
        ("Train", "VAL", "test"),
        ("trainA", "trainB"),
        ("images", "masks"),
        ("training", "validation"),
    ],
)
def test_parts_of_a_data_set_are_no_classes(names: tuple[str, ...], tmp_path: Path) -> None:
    fill(tmp_path, {f"{name}/cat/{n}.png": image(n) for name in names for n in range(2)})
    with pytest.raises(
        DataError, match=r"are parts of a data set and no classes: name one"
    ) as told:
        build(tmp_path)
    first = "images" if names[0] == "images" else names[0]
    assert f"as in '{tmp_path}/{first}'" in str(told.value)
    assert quietly(tmp_path, labels="none").classes is None
    assert len(quietly(tmp_path, labels="folders").classes) == len(names)
    assert quietly(tmp_path / names[0]).classes is None


def test_a_class_may_be_called_test(tmp_path: Path) -> None:
    fill(tmp_path, {"test/a.png": image(), "cat/b.png": image()})
    assert quietly(tmp_path).classes == ("cat", "test")


def test_one_folder_that_holds_everything_is_no_class(tmp_path: Path) -> None:
    fill(tmp_path, {"images/a.png": image(), "images/b.png": image(), "README.md": b"x"})
    for value in ("auto", "folders", "none"):
        assert quietly(tmp_path, labels=value).classes is None


@IN_MEMORY_OR_NOT
@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("wrapping", ["", "data/"])
def test_the_labels_of_a_dataset_json(
    memory_limit: int, zipped: bool, wrapping: str, tmp_path: Path
) -> None:
    files = {f"{wrapping}0000{n // 3}/{n}.png": image(n) for n in range(6)}
    table = {"labels": [[f"0000{n // 3}/{n}.png", (7, 10)[n % 2]] for n in range(6)]}
    files[f"{wrapping}dataset.json"] = json.dumps(table).encode()
    make = packed if zipped else fill
    root = make(tmp_path / ("a.zip" if zipped else "a"), files)
    dataset = quietly(root, memory_limit=memory_limit)
    assert dataset.classes == ("7", "10")
    assert labels(dataset) == [0, 1, 0, 1, 0, 1]
    assert dataset.left_out == ""
    assert quietly(root, labels="folders").classes == ("00000", "00001")


def test_a_dataset_json_without_labels_leaves_none(tmp_path: Path) -> None:
    fill(tmp_path, {**CLASSES, "dataset.json": b'{"labels": null}'})
    assert quietly(tmp_path).classes is None
    (tmp_path / "dataset.json").write_text('{"labels": [["ape/0.png", 3]]}')
    with pytest.warns(UserWarning, match=r"have no labels: 5 of 6 have none in 'dataset\.json'"):
        assert build(tmp_path).classes is None


@pytest.mark.parametrize(
    "content",
    [
        *(b"{", b"\xff", b"[" * 100_000, b'{"labels": 3}', b'{"labels": [[1, 2]]}'),
        *(b'{"labels": [["ape/0.png", [0.5, 1.0]]]}', b'{"labels": [["ape/0.png"]]}'),
    ],
)
def test_a_dataset_json_that_cannot_be_read(content: bytes, tmp_path: Path) -> None:
    fill(tmp_path, {**CLASSES, "dataset.json": content})
    with pytest.raises(DataError, match=r"'dataset\.json' in .* cannot be read as a table of lab"):
        build(tmp_path)
    assert quietly(tmp_path, labels="folders").classes == ("ape", "bee")


@pytest.mark.parametrize("bad", ["bat/1.png", "bat/1.heic"])
def test_a_class_that_loses_every_file_is_told(bad: str, tmp_path: Path) -> None:
    fill(tmp_path, {**CLASSES, bad: b"x"})
    with (
        pytest.warns(UserWarning, match="^left out 1 of 7 files"),
        pytest.warns(
            UserWarning,
            match=r"^no image of the class 'bat' in .* can be used, so there are 2 classes in "
            "place of 3, and those after it have other numbers$",
        ),
    ):
        assert build(tmp_path).classes == ("ape", "bee")


LEAVINGS = ["@eaDir/a.png", "$RECYCLE.BIN/a.png", "__MACOSX/a.png", "System Volume Information/a"]
LEAVINGS += [".DS_Store", "Thumbs.db", "desktop.ini", "lost+found/a.png", "#recycle/b.png"]


@pytest.mark.parametrize("zipped", [False, True])
def test_what_systems_leave_is_not_counted(zipped: bool, tmp_path: Path) -> None:
    files = {**CLASSES, **dict.fromkeys(LEAVINGS, image(250))}
    files |= {f"ape/{name}": data for name, data in files.items() if name in LEAVINGS}
    root = packed(tmp_path / "a.zip", files) if zipped else fill(tmp_path / "a", files)
    dataset = quietly(root)
    assert (len(dataset), dataset.left_out) == (6, "")
    assert dataset.classes == ("ape", "bee")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
@IN_MEMORY_OR_NOT
def test_links_are_followed_where_that_is_asked_for(memory_limit: int, tmp_path: Path) -> None:
    outside = fill(tmp_path / "outside", CLASSES)
    root = tmp_path / "root"
    root.mkdir()
    for name in ("ape", "bee"):
        (root / name).symlink_to(outside / name)
    (root / "ape" / "self").symlink_to(outside / "ape" / "self")
    (outside / "bee" / "up").symlink_to(outside)
    os.mkfifo(tmp_path / "pipe")
    (outside / "bee" / "pipe.png").symlink_to(tmp_path / "pipe")
    (outside / "bee" / "gone.png").symlink_to(tmp_path / "gone")
    with pytest.warns(UserWarning, match="^left out .* cannot be read: ") as caught:
        dataset = build(root, memory_limit=memory_limit, follow_links=True)
    message = str(caught[0].message)
    assert "'bee/pipe.png' (not a regular file)" in message
    assert "'bee/gone.png' (No such file or directory)" in message
    assert "(a folder that was listed before)" in message
    assert sorted(samples(dataset)[:, 0, 0, 0].tolist()) == [0, 0, 10, 10, 20, 20]


def test_a_zip_file_with_backslashes_has_folders(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in {**CLASSES, "..\\up": image(), "C:/x": image()}.items():
            member = zipfile.ZipInfo("x")
            member.filename = f"{name}.png".replace(".png.png", ".png").replace("/", "\\")
            archive.writestr(member, data)
    for memory_limit in (2048, 0):
        with pytest.warns(UserWarning, match="^left out 2 of 8 files") as caught:
            dataset = build(path, memory_limit=memory_limit)
        assert "'../up.png' (its path leads out of the zip file)" in str(caught[0].message)
        assert "'C:/x.png' (its path leads out of the zip file)" in str(caught[0].message)
        assert dataset.classes == ("ape", "bee")
        assert samples(dataset)[:, 0, 0, 0].tolist() == [0, 10, 20] * 2


@IN_MEMORY_OR_NOT
def test_files_are_known_by_size_and_checksum(memory_limit: int, tmp_path: Path) -> None:
    noise = os.urandom(3 * 2**20)
    large = image(form="BMP") + noise
    files = {**CLASSES, "ape/large.bmp": large, "bee/bad.png": b"x"}
    folder = fill(tmp_path / "a", files)
    archive = packed(tmp_path / "a.zip", files)
    with pytest.warns(UserWarning, match="cannot be read"):
        records = build(folder, memory_limit=memory_limit).file_records()
    with pytest.warns(UserWarning, match="cannot be read"):
        assert build(archive, memory_limit=memory_limit).file_records() == records
    assert records.keys() == files.keys() - {"bee/bad.png"}
    assert {it.label for it in records.values()} == {"ape", "bee"}
    assert records["ape/large.bmp"].size == len(large)
    (folder / "ape/large.bmp").write_bytes(large[:-9] + b"other end")
    (folder / "bee/bad.png").unlink()
    now = build(folder, memory_limit=memory_limit).file_records()
    assert [name for name in records if now[name] != records[name]] == ["ape/large.bmp"]
    assert isinstance(now["ape/0.png"], FileRecord)


def test_a_path_with_a_tab_is_told_what_toml_made_of_it(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"a tab or a line break, as \\t and \\n mean in a text in d"
    ):
        build("C:\temp")


def test_a_tiff_of_a_kind_that_is_not_read_is_called_one(tmp_path: Path) -> None:
    Image.new("F", (4, 4)).save(tmp_path / "a.tif")
    data = bytearray((tmp_path / "a.tif").read_bytes())
    # Bits per sample, a field of type SHORT, from 32 to 64.
    data[data.index(b"\x02\x01\x03\0\x01\0\0\0\x20") + 8] = 64
    fill(tmp_path, {"a.tif": bytes(data), "b.png": image()})
    with pytest.warns(
        UserWarning,
        match=r"\(a TIFF file of a kind that is not read: 1 band of 64-bit floats; save it with 8",
    ):
        build(tmp_path)
