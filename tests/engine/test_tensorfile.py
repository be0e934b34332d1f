"""Tensor files: every damage is found, nothing foreign is read, and a write is all or nothing."""

from __future__ import annotations

import errno
import io
import json
import os
import random
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ganforge.errors import CheckpointError
from ganforge.storage import tensor_file
from ganforge.storage.tensor_bytes import read_tensors


def tensors():
    return {
        "weight": torch.arange(24, dtype=torch.float32).reshape(2, 3, 4),
        "half": torch.arange(6, dtype=torch.bfloat16),
        "count": torch.tensor(7),
        "empty": torch.empty(0),
        "flags": torch.tensor([True, False]),
        "last": torch.randn(1, 4, 2, 2).contiguous(memory_format=torch.channels_last),
    }


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "file.safetensors"
    tensor_file.write(path, "checkpoint", tensors(), {"step": 3, "text": 'ä"\n'})
    return path


def test_round_trip_to_the_bit(path):
    torch.manual_seed(0)
    expected = tensors()
    tensor_file.write(path, "checkpoint", expected, {"step": 3, "text": 'ä"\n'})
    found, document = tensor_file.read(path, "checkpoint")
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor)
    assert document["step"] == 3
    assert document["text"] == 'ä"\n'


def test_shared_and_sliced_tensors_are_stored_apart(path):
    base = torch.arange(6.0)
    tensor_file.write(path, "checkpoint", {"a": base, "b": base, "c": base[2:4]}, {})
    found, _ = tensor_file.read(path, "checkpoint")
    assert found["b"].tolist() == base.tolist()
    assert found["c"].tolist() == [2.0, 3.0]


def test_every_flipped_bit_is_noticed(path):
    """safetensors alone notices none in a body."""
    body = path.read_bytes()
    chooser = random.Random(0)
    for position in chooser.sample(range(len(body) * 8), 1000):
        damaged = bytearray(body)
        damaged[position // 8] ^= 1 << position % 8
        path.write_bytes(damaged)
        with pytest.raises(CheckpointError):
            tensor_file.read(path, "checkpoint")


def test_every_truncation_is_noticed(path):
    body = path.read_bytes()
    for size in range(0, len(body), max(1, len(body) // 50)):
        path.write_bytes(body[:size])
        with pytest.raises(CheckpointError, match=r"file\.safetensors"):
            tensor_file.read(path, "checkpoint")


@settings(deadline=None)
@given(body=st.binary(max_size=200))
def test_arbitrary_bytes_are_refused(tmp_path_factory, body):
    path = tmp_path_factory.mktemp("fuzz") / "x"
    path.write_bytes(body)
    with pytest.raises(CheckpointError, match="is not a ganforge checkpoint"):
        tensor_file.read(path, "checkpoint")


headers = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["__metadata__", "ganforge", "w", "data_offsets", "dtype", "shape"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)


@settings(deadline=None)
@given(header=headers, document=headers)
def test_arbitrary_headers_are_refused(tmp_path_factory, header, document):
    if isinstance(header, dict):
        header["__metadata__"] = {"ganforge": json.dumps(document)}
    text = json.dumps(header).encode()
    path = tmp_path_factory.mktemp("fuzz") / "x"
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"1234")
    with pytest.raises(CheckpointError):
        tensor_file.read(path, "checkpoint")


class Trap:
    """Unpickling this creates a file."""

    def __init__(self, target):
        self.target = str(target)

    def __reduce__(self):
        return (open, (self.target, "w"))


def test_foreign_files_are_refused_by_content_and_nothing_runs(tmp_path):
    trap = tmp_path / "sprung"
    pickled = tmp_path / "a.safetensors"
    torch.save({"x": Trap(trap)}, pickled)
    archive = tmp_path / "b.safetensors"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("../../x", "y")
    plain = tmp_path / "c.safetensors"
    plain.write_bytes(safetensors.torch.save({"w": torch.ones(3)}))
    text = tmp_path / "d.safetensors"
    text.write_text("hello " * 50)
    sparse = tmp_path / "e.safetensors"
    with sparse.open("wb") as file:
        file.truncate(20 * 2**30)
    for path in (pickled, archive, plain, text, sparse):
        with pytest.raises(CheckpointError, match=f"{path.name} is not a ganforge checkpoint"):
            tensor_file.read(path, "checkpoint")
    assert not trap.exists()


def test_a_fifo_or_a_directory_does_not_hang(tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with pytest.raises(CheckpointError, match="is not a regular file"):
        tensor_file.read(fifo, "checkpoint")
    with pytest.raises(CheckpointError):
        tensor_file.read(tmp_path, "checkpoint")
    with pytest.raises(CheckpointError, match="No such file"):
        tensor_file.read(tmp_path / "absent", "checkpoint")


def test_another_kind_and_a_newer_format_are_told_apart(path, monkeypatch):
    with pytest.raises(CheckpointError, match="is a ganforge checkpoint, not a generator"):
        tensor_file.read(path, "generator")
    monkeypatch.setattr(tensor_file, "FORMAT_VERSION", 99)
    tensor_file.write(path, "checkpoint", tensors(), {})
    monkeypatch.undo()
    with pytest.raises(CheckpointError, match="made by a newer ganforge"):
        tensor_file.read(path, "checkpoint")


def test_the_file_is_flushed_before_it_is_renamed_and_the_folder_after(path, monkeypatch):
    events = []
    fsync, replace = os.fsync, os.replace

    def note_fsync(descriptor):
        kind = "folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file"
        events.append(f"flush {kind}")
        fsync(descriptor)

    def note_rename(source, target, **keywords):
        events.append("rename")
        replace(source, target, **keywords)

    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(os, "replace", note_rename)
    tensor_file.write(path, "checkpoint", tensors(), {})
    assert events == ["flush file", "rename", "flush folder"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_a_failed_write_keeps_the_old_file_and_leaves_no_other(path, monkeypatch, code):
    before = path.read_bytes()

    def fail(descriptor):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(CheckpointError, match=os.strerror(code)):
        tensor_file.write(path, "checkpoint", {"w": torch.zeros(1)}, {})
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_files_have_the_mode_that_the_mask_allows(tmp_path):
    mask = os.umask(0o027)
    try:
        tensor_file.write(tmp_path / "x", "checkpoint", {"w": torch.zeros(1)}, {})
    finally:
        os.umask(mask)
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o640


MEMORY = """
import resource, sys
from pathlib import Path
import torch
from ganforge.device.memory import peak_memory
from ganforge.storage import tensor_file

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

path = Path(sys.argv[1])
tensors = {str(number): torch.rand(2_500_000) for number in range(60)}  # 600 MB
before = resident()
tensor_file.write(path, "checkpoint", tensors, {})
print(peak_memory() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
def test_saving_and_loading_hold_tensors_once(tmp_path):
    def measured(script):
        command = [sys.executable, "-c", script, str(tmp_path / "large.safetensors")]
        answer = subprocess.run(command, capture_output=True, text=True, check=True)
        return int(answer.stdout)

    largest = 10_000_000
    assert measured(MEMORY) < 1.1 * largest
    loading = MEMORY[: MEMORY.index("tensors = ")] + (
        "before = resident()\n"
        "tensors, _ = tensor_file.read(path, 'checkpoint')\n"
        "print(peak_memory() - before - sum(it.nbytes for it in tensors.values()))\n"
    )
    assert measured(loading) < 1.1 * largest


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"a": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]}}, "does not begin where"),
        ({"a": {"dtype": "F32", "shape": [3], "data_offsets": [0, 8]}}, "another size than its"),
        ({"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 8]}}, "a shape that is none"),
        ({"a": {"dtype": "odd", "shape": [2], "data_offsets": [0, 8]}}, "is incomplete"),
        ({"a": {"shape": [2]}}, "is incomplete"),
        ({"a": [1, 2]}, "is incomplete"),
    ],
)
def test_a_header_whose_entries_do_not_fit_is_refused_before_anything_is_read(entries, message):
    with pytest.raises(ValueError, match=message):
        next(read_tensors(io.BytesIO(), entries, 0))


def test_a_file_that_ends_too_soon_is_refused(tmp_path):
    path = tmp_path / "short"
    path.write_bytes(b"1234")
    entries = {"a": {"dtype": "U8", "shape": [8], "data_offsets": [0, 8]}}
    with path.open("rb") as file, pytest.raises(EOFError):
        next(read_tensors(file, entries, 0))
