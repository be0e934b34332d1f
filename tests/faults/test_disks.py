"""Disks that are full, that fail, that may not be written, and run directories that go away."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from .comparison import differences, leftovers, sound, state
from .conftest import T
from .processes import Parent, needs, small_file_system, traced

FOREVER = (*T, "--steps", "100000000")


@needs("unshare", "mount")
def test_a_disk_that_does_not_hold_a_checkpoint(parent: Parent, tmp_path: Path) -> None:
    wide = ("--set", "generator.hidden=[900,900]", "--set", "discriminator.hidden=[900,900]")
    with small_file_system(tmp_path, "6m") as disk:
        ended = parent.run(*T, *wide, "--out", "run", folder=tmp_path, namespace=disk.holder)
        assert ended.code == 1
        assert "No space left on device" in ended.text
        assert "Traceback" not in ended.err
        assert leftovers(disk.outside / "run") == []
        assert sound(disk.outside / "run") == []


@needs("unshare", "mount", "nsenter")
def test_a_disk_that_is_full_at_a_later_checkpoint(
    parent: Parent, reference: Path, tmp_path: Path
) -> None:
    newest = reference / "checkpoints/step-00000060.safetensors"
    with small_file_system(tmp_path, "1m") as disk:
        # Fill it up to what a run needs before its second checkpoint.
        ended = parent.run(*T, "--steps", "5", "--out", "t", folder=tmp_path, namespace=disk.holder)
        assert ended.code == 0
        used = disk.used()
        shutil.rmtree(disk.outside / "t")
        disk.remount(f"{used // 1024 + newest.stat().st_size // 2048}k")
        ended = parent.run(*T, "--out", "run", folder=tmp_path, namespace=disk.holder)
        run = disk.outside / "run"
        assert ended.code == 1
        assert "No space left on device" in ended.text
        assert "Traceback" not in ended.err
        assert leftovers(run) == []
        assert sound(run) != []
        disk.remount("10m")
        ended = parent.run("train", "--resume", "run", folder=tmp_path, namespace=disk.holder)
        assert ended.code == 0, ended.err
        assert differences(reference, run) == []


@needs("strace")
@pytest.mark.parametrize("when", ["1+", "25+"])
def test_a_disk_that_fails_to_flush(
    parent: Parent, reference: Path, tmp_path: Path, when: str
) -> None:
    process = parent.start(*T, "--out", "run", folder=tmp_path, stopped=True)
    failing = ("-e", "trace=fsync", "-e", f"inject=fsync:error=EIO:when={when}")
    with traced(process, tmp_path / "strace.log", *failing):
        ended = process.wait()
    assert ended.code == 1
    assert "Input/output error" in ended.text
    assert "Traceback" not in ended.err
    assert leftovers(tmp_path / "run") == []
    if when != "1+":
        assert sound(tmp_path / "run") != []
        assert parent.run("train", "--resume", "run", folder=tmp_path).code == 0
        assert differences(reference, tmp_path / "run") == []


def test_a_folder_that_may_not_be_written_is_told_before_training(
    parent: Parent, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir(mode=0o555)
    tmp_path.chmod(0o555)
    ended = parent.run(*T, "--out", "run", folder=tmp_path, powerless=True)
    assert ended.code == 1
    assert "the run directory run cannot be created: Permission denied" in ended.text
    assert "step" not in ended.out
    ended = parent.run(*T, "--out", "empty", folder=tmp_path, powerless=True)
    assert ended.code == 1
    assert "Permission denied" in ended.text
    assert "step" not in ended.out
    assert list((tmp_path / "empty").iterdir()) == []


def test_a_folder_that_may_not_be_entered_is_told_before_training(
    parent: Parent, tmp_path: Path
) -> None:
    (tmp_path / "closed").mkdir(mode=0o000)
    ended = parent.run(*T, "--out", "closed/run", folder=tmp_path, powerless=True)
    assert ended.code == 1
    assert "the run directory closed/run cannot be created: Permission denied" in ended.text
    assert "Traceback" not in ended.err


def test_a_folder_within_a_file_is_told_before_training(parent: Parent, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    ended = parent.run(*T, "--out", "file/run", folder=tmp_path)
    assert ended.code == 1
    assert "cannot be created: Not a directory" in ended.text
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("way", ["removed", "moved"])
def test_a_run_directory_that_goes_away(parent: Parent, tmp_path: Path, way: str) -> None:
    run = tmp_path / "run"
    process = parent.start(*FOREVER, "--out", "run", folder=tmp_path)
    process.until((run / "checkpoints/step-00000010.safetensors").exists)
    # As one act, since a folder cannot be removed that is being filled.
    run.rename(tmp_path / "elsewhere")
    if way == "removed":
        shutil.rmtree(tmp_path / "elsewhere")
    ended = process.wait()
    assert ended.code == 1
    # It may go away between the look at it and the write.
    told = ("was removed or moved while it was in use", "No such file or directory")
    assert any(it in ended.text for it in told), ended
    assert not run.exists()


def test_pictures_that_cannot_be_written_do_not_end_a_run(
    parent: Parent, reference: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    process = parent.start(*T, "--out", "run", folder=tmp_path, powerless=True)
    process.until((run / "samples").exists)
    (run / "samples").chmod(0o555)
    ended = process.wait()
    assert ended.code == 0, ended.err
    assert "Traceback" not in ended.err
    assert state(run) == "finished"
    missing = {name.rpartition("/")[2] for name in differences(reference, run)}
    assert "00000060.png is missing" in missing
    assert all(name.endswith(".png is missing") for name in missing)
    assert ended.err.count("Permission denied") == 1
