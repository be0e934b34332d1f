"""Verification without torch finds what torch finds, in every type of number."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from ganforge.errors import CheckpointError
from ganforge.storage import tensor_file
from ganforge.storage.tensor_header import CHECKSUM_KEY, METADATA_KEY, NO_CHECKSUM, signed
from ganforge.storage.verification import CHUNK, NotFinite, verify

FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_numbers_that_are_not_finite_are_counted(tmp_path: Path, dtype: torch.dtype) -> None:
    path = tmp_path / "x.safetensors"
    torch.manual_seed(0)
    # More than a chunk, every bit pattern of the narrow types, and both ends.
    values = torch.randint(0, 256, (2 * CHUNK + 8 * 1001,), dtype=torch.uint8).view(dtype)
    values[0] = values[-1] = float("nan")
    values[1] = float("-inf")
    parts = torch.view_as_real(values) if dtype.is_complex else values
    expected = NotFinite(nan=int(parts.isnan().sum()), infinite=int(parts.isinf().sum()))
    assert expected.nan >= 2
    assert expected.infinite >= 1
    largest = torch.full((5,), torch.finfo(dtype).max, dtype=dtype)
    tensor_file.write(path, "x", {"values": values, "largest": largest, "few": values[:1]}, {})
    found = verify(path)
    assert found.not_finite["values"] == expected
    assert "largest" not in found.not_finite
    assert "few" in found.not_finite


def test_a_sound_file(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    tensors = {"w": torch.ones(2, 3), "n": torch.tensor(7), "e": torch.empty(0, 4)}
    tensor_file.write(path, "checkpoint", tensors, {"step": 3})
    found = verify(path, "checkpoint")
    assert (found.kind, found.num_tensors, found.size) == ("checkpoint", 3, path.stat().st_size)
    assert (found.document["step"], found.not_finite) == (3, {})
    with pytest.raises(CheckpointError, match="is a ganforge checkpoint, not a generator"):
        verify(path, "generator")


W = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


@pytest.mark.parametrize(
    "entries",
    [
        {"w": {**W, "shape": [3]}},
        {"w": {**W, "dtype": "F99"}},
        {"w": {**W, "data_offsets": [8, 16]}},
        {"w": W, "v": {**W, "data_offsets": [4, 12]}},
        {"w": W, "v": {**W, "data_offsets": [16, 24]}},
        {"w": {**W, "shape": "22"}},
        {"w": {**W, "data_offsets": [0, 8, 8]}},
    ],
)
def test_tensors_that_do_not_lie_as_the_header_says(tmp_path: Path, entries: dict) -> None:
    document = {"kind": "x", "format": 1, "crc32": dict.fromkeys(entries, 0)}
    metadata = {METADATA_KEY: json.dumps(document), CHECKSUM_KEY: NO_CHECKSUM}
    text = json.dumps({"__metadata__": metadata, **entries}, separators=(",", ":"))
    header = signed(text.encode())
    size = max(it["data_offsets"][1] for it in entries.values())
    path = tmp_path / "x.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(size))
    with pytest.raises(CheckpointError, match="its tensors do not lie as it says"):
        verify(path)
