"""The cache: where it lies, what it keeps, and that nothing in it is needed."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import pytest
import torch

from ganforge.measuring.store import Store, digest_of, key_of
from ganforge.storage.cache_folder import cache_folder

KEY = key_of("some", "text")


def filled(folder: Path) -> Store:
    store = Store(folder)
    store.put("features", KEY, {"features": torch.arange(6.0).view(2, 3)}, {"fingerprint": "f"})
    return store


def only_file(folder: Path) -> Path:
    (file,) = folder.rglob("*.safetensors")
    return file


def test_what_was_kept_is_found_by_its_key_and_its_kind(tmp_path):
    filled(tmp_path)
    found = Store(tmp_path).get("features", KEY)
    assert found is not None
    assert torch.equal(found[0]["features"], torch.arange(6.0).view(2, 3))
    assert found[1]["fingerprint"] == "f"
    assert Store(tmp_path).get("features", key_of("some", "texts")) is None
    assert Store(tmp_path).get("extractor", KEY) is None


@pytest.mark.parametrize("damage", ["truncated", "flipped", "foreign"])
def test_a_damaged_file_is_a_warning_and_is_made_again(tmp_path, damage):
    store = filled(tmp_path)
    file = only_file(tmp_path)
    content = bytearray(file.read_bytes())
    if damage == "truncated":
        content = content[:-5]
    elif damage == "flipped":
        content[-3] ^= 1
    else:
        content = bytearray(b"something else")
    file.write_bytes(content)
    with pytest.warns(UserWarning, match="it is made again"):
        assert store.get("features", KEY) is None
    filled(tmp_path)
    assert store.get("features", KEY) is not None


def test_a_file_that_was_renamed_is_not_what_its_name_says(tmp_path):
    store = filled(tmp_path)
    other = key_of("another")
    target = tmp_path / "features" / other[:2] / f"{other}.safetensors"
    target.parent.mkdir(exist_ok=True)
    only_file(tmp_path).rename(target)
    assert store.get("features", other) is None


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_one_warning(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.warns(UserWarning, match="cannot be written"):
        store = filled(tmp_path / "cache")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        store.put("features", KEY, {"features": torch.zeros(1)}, {})


def test_a_file_in_the_place_of_the_folder_is_one_warning(tmp_path):
    (tmp_path / "cache").write_text("no folder")
    with pytest.warns(UserWarning, match="GANFORGE_CACHE names another folder"):
        filled(tmp_path / "cache")


def test_the_cache_lies_where_the_user_keeps_caches(monkeypatch, tmp_path):
    monkeypatch.delenv("GANFORGE_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "ganforge"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache_folder() == Path.home() / ".cache" / "ganforge"
    monkeypatch.setenv("GANFORGE_CACHE", str(tmp_path / "mine"))
    assert cache_folder() == tmp_path / "mine"


def test_keys_and_digests_tell_apart_what_looks_alike():
    assert key_of("ab", "c") != key_of("a", "bc")
    assert digest_of(torch.zeros(2, 3)) != digest_of(torch.zeros(3, 2))
    assert digest_of(torch.zeros(2)) != digest_of(torch.zeros(2, dtype=torch.float64))
    channels_last = torch.rand(2, 3, 4, 4).contiguous(memory_format=torch.channels_last)
    assert digest_of(channels_last) == digest_of(channels_last.contiguous())
