"""Damaged metadata of installed packages: it is named, and disturbs no other package."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ganforge.plugin.discovery import Discovered, discover

from .conftest import Command, FakePlugin, generators

NEWEST = "it is installed 2 times in one folder, as 1.0 and 2.0; install it again"


def only(package: str) -> Discovered:
    (found,) = [it for it in discover().plugins if it.plugin.package == package]
    return found


def information(site: Path) -> Path:
    (folder,) = site.glob("*.dist-info")
    return folder


def damage(site: Path, file: str, content: bytes | None) -> None:
    """Write a file of the metadata; of None make a folder, which no program can read as a file."""
    path = information(site) / file
    path.unlink(missing_ok=True)
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)


FAULTS = {
    "a line without a value": (
        b"[console_scripts]\nfoo\n",
        "its entry_points.txt is malformed in line 2: 'foo'",
    ),
    "no section": (b"just text", "its entry_points.txt is malformed in line 1: 'just text'"),
    "bytes that are no text": (
        b"[console_scripts]\nx = \xff\n",
        "its entry_points.txt cannot be read (UnicodeDecodeError: ",
    ),
    "a file that cannot be read": (None, "its entry_points.txt cannot be read; install it again"),
    "control characters": (
        b"[x]\n\x1b[2Jfoo\n",
        r"its entry_points.txt is malformed in line 2: '\x1b[2Jfoo'",
    ),
}


@pytest.mark.parametrize(("content", "reason"), FAULTS.values(), ids=FAULTS)
def test_a_malformed_file_of_any_package_disturbs_no_command_and_is_named(
    cli: Command, fake_plugin: FakePlugin, content: bytes | None, reason: str
) -> None:
    fake_plugin("ganforge-good", generators("odd"))
    damage(fake_plugin("somebody", source=None), "entry_points.txt", content)
    for command in (("--help",), ("train", "--generator=odd", "--image-size=8", "--dry-run")):
        assert cli(*command).code == 0
    listed = cli("list-plugins", "--json")
    assert (listed.code, listed.err) == (0, "")
    (record,) = [it for it in json.loads(listed.out) if it["package"] == "somebody"]
    assert (record["status"], record["version"]) == ("failed", "1.0")
    assert record["reason"].startswith(reason)
    warned = cli("list-recipes")
    assert warned.code == 0
    assert warned.text.startswith(
        "Warning: the plugin 'somebody' of somebody 1.0 failed to load and is left out: "
    )


def test_a_malformed_line_of_another_group_leaves_a_plugin_as_it_is(
    fake_plugin: FakePlugin,
) -> None:
    site = fake_plugin("ganforge-odd", generators("odd"))
    damage(
        site, "entry_points.txt", b"[console_scripts]\nfoo\n[ganforge]\n# ours\nx=ganforge_odd\n"
    )
    found = only("ganforge-odd")
    assert (found.status, found.plugin.name) == ("active", "x")
    assert found.warnings == ("its entry_points.txt is malformed in line 2: 'foo'",)


@pytest.mark.parametrize(
    ("content", "warnings"),
    [
        (b"", ("its METADATA has no Name", "its METADATA has no Version")),
        (b"Metadata-Version: 2.1\nVersion: 1.0\n", ("its METADATA has no Name",)),
        (b"Metadata-Version: 2.1\nName: ganforge-odd\n", ("its METADATA has no Version",)),
        (b"Name: ganforge-\xff\n", ("its METADATA cannot be read (UnicodeDecodeError: ",)),
        (None, ("its METADATA has no Name", "its METADATA has no Version")),
    ],
)
def test_a_package_without_name_or_version_has_those_of_its_folder(
    fake_plugin: FakePlugin, content: bytes | None, warnings: tuple[str, ...]
) -> None:
    damage(fake_plugin("ganforge-odd", generators("odd")), "METADATA", content)
    found = only("ganforge-odd")
    assert (found.status, found.plugin.version) == ("active", "1.0")
    assert len(found.warnings) == len(warnings)
    for warning, beginning in zip(found.warnings, warnings, strict=True):
        assert warning.startswith(beginning)
    assert discover().registry.find("generator", "ganforge-odd/odd").name == "odd"


def test_two_versions_in_one_folder_are_one_plugin_with_a_warning(fake_plugin: FakePlugin) -> None:
    site = fake_plugin("ganforge-odd", generators("odd"))
    other = site / "ganforge_odd-2.0.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: ganforge-odd\nVersion: 2.0\n")
    (other / "entry_points.txt").write_text("[ganforge]\nganforge-odd = ganforge_odd\n")
    found = only("ganforge-odd")
    assert (found.status, found.plugin.version, found.warnings) == ("active", "2.0", (NEWEST,))


def test_of_two_folders_the_first_on_the_path_counts(fake_plugin: FakePlugin) -> None:
    fake_plugin("ganforge-odd", generators("odd"), version="2.0")
    fake_plugin("ganforge-odd", generators("odd"), version="1.0")
    found = only("ganforge-odd")
    assert (found.plugin.version, found.warnings) == ("1.0", ())


def test_a_package_in_development_of_the_old_kind_is_found(
    fake_plugin: FakePlugin, tmp_path: Path
) -> None:
    # setup.py develop leaves an egg-link, and puts the folder with the egg-info on the path.
    site = fake_plugin("ganforge-odd", generators("odd"))
    (site / "ganforge-odd.egg-link").write_text(f"{tmp_path}\n.")
    egg = information(site).rename(site / "ganforge_odd.egg-info")
    (egg / "METADATA").rename(egg / "PKG-INFO")
    found = only("ganforge-odd")
    assert (found.status, found.plugin.version, found.warnings) == ("active", "1.0", ())
    (site / "somebody.egg-info").write_text("Metadata-Version: 1.0\nName: somebody\nVersion: 1\n")
    assert not [it for it in discover().plugins if it.plugin.package == "somebody"]


def test_a_package_whose_entry_points_cannot_be_read_is_not_checked(
    cli: Command, fake_plugin: FakePlugin
) -> None:
    damage(fake_plugin("ganforge-odd", generators("odd")), "entry_points.txt", b"foo")
    answer = cli("check-plugin", "ganforge-odd")
    assert answer.code == 2
    assert (
        "the package ganforge-odd is no plugin: its entry_points.txt is malformed in line 1: 'foo'"
    ) in answer.text
