"""Checkpoints and generators with anything in them: an error that names the file, and no other.

The checksums are made to fit, so that what is wrong gets past them.
"""

from __future__ import annotations

import json
import resource
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganforge.errors import CheckpointError
from ganforge.storage import tensor_file
from ganforge.storage.tensor_header import CHECKSUM_KEY, METADATA_KEY, NO_CHECKSUM, signed
from tests.conftest import Command

from .conftest import T
from .fuzzing import EDITS, VALUES, edited, thorough

KINDS = {
    "checkpoint": "checkpoints/step-00000005.safetensors",
    "generator": "generator.safetensors",
}


@pytest.fixture
def run(cli: Command) -> Path:
    """A run of five steps, here."""
    assert cli(*T, "--steps", "5", "--set", "output.sample_every=100", "--out", "run").code == 0
    return Path("run").absolute()


def parts(path: Path) -> tuple[dict[str, Any], dict[str, Any], bytes]:
    """The header of safetensors, the document within it, and the tensors."""
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    return header, json.loads(header["__metadata__"][METADATA_KEY]), data[8 + size :]


def joined(header: dict[str, Any], document: Any, body: bytes) -> bytes:
    """A file with checksums that fit its header."""
    described = {METADATA_KEY: json.dumps(document), CHECKSUM_KEY: NO_CHECKSUM}
    text = json.dumps({**header, "__metadata__": described}, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + signed(text) + body


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@pytest.mark.parametrize("kind", KINDS)
def test_fuzzed_headers_and_bodies_are_read_or_refused(run: Path, kind: str) -> None:
    path = run / KINDS[kind]
    header, document, body = parts(path)
    tensors_only = {name: entry for name, entry in header.items() if name != "__metadata__"}
    first = peak()

    @thorough(4)
    @given(
        headers=st.none() | EDITS,
        documents=st.none() | EDITS,
        cut=st.none() | st.integers(0, 3000),
        bits=st.lists(st.integers(0, 10**6), max_size=3),
        more=st.binary(max_size=20),
    )
    def read(headers: Any, documents: Any, cut: int | None, bits: list[int], more: bytes) -> None:
        data = bytearray(
            joined(
                tensors_only if headers is None else edited(tensors_only, headers),
                document if documents is None else edited(document, documents),
                body,
            )
        )
        for bit in bits:
            data[bit // 8 % len(data)] ^= 1 << bit % 8
        path.write_bytes(bytes(data[:cut]) + more)
        began = time.perf_counter()
        try:
            tensor_file.read(path, kind)
        except CheckpointError as error:
            told = str(error)
        else:
            told = path.name
        assert path.name in told
        assert told.isprintable()
        assert time.perf_counter() - began < 5  # one on a machine without other work

    read()
    assert peak() - first < 300


@pytest.mark.parametrize("filling", [b"[", b'{"":', b"[],", b"0,", b'"",', b"1e400,"])
def test_a_header_of_a_hundred_megabytes_takes_neither_time_nor_memory(
    tmp_path: Path, filling: bytes
) -> None:
    path = tmp_path / "x.safetensors"
    text = b'{"__metadata__":[' + filling * (90_000_000 // len(filling)) + b"0]}"
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"0" * 8)
    del text
    first, began = peak(), time.perf_counter()
    with pytest.raises(CheckpointError, match=r"x\.safetensors is not a ganforge checkpoint"):
        tensor_file.read(path, "checkpoint")
    assert peak() - first < 300
    assert time.perf_counter() - began < 5


def assert_told(answer: Any) -> None:
    assert answer.code in (0, 1, 2)
    assert "Traceback" not in answer.err
    errors = [line for line in answer.err.splitlines() if line.startswith("Error: ")]
    assert len(errors) == (answer.code != 0), answer.err


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_fuzzed_generators_are_sampled_from_or_refused(run: Path, cli: Command) -> None:
    path = run / KINDS["generator"]
    header, document, body = parts(path)
    del header["__metadata__"]

    @thorough(0.3)
    @given(EDITS)
    def sample(edits: Any) -> None:
        path.write_bytes(joined(header, edited(document, edits), body))
        answer = cli("sample", path, "--num", 4, "--out", "x.npz")
        assert_told(answer)
        assert answer.code == 0 or path.name in answer.err, answer.err

    sample()


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_fuzzed_checkpoints_are_resumed_or_refused(run: Path, cli: Command) -> None:
    path = run / KINDS["checkpoint"]
    header, document, body = parts(path)
    del header["__metadata__"]

    @thorough(0.2)
    @given(EDITS)
    def resume(edits: Any) -> None:
        shutil.copytree(run, "again")
        try:
            twin = Path("again") / KINDS["checkpoint"]
            twin.write_bytes(joined(header, edited(document, edits), body))
            answer = cli("train", "--resume", "again")
            assert_told(answer)
            assert answer.code == 0 or "again" in answer.err, answer.err
        finally:
            shutil.rmtree("again")

    resume()


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    "name", ["status.json", "environment.json", "metrics.jsonl", "config.toml"]
)
def test_fuzzed_records_of_a_run_are_read_or_refused(run: Path, cli: Command, name: str) -> None:
    path = run / name
    before = path.read_bytes()

    @thorough(0.2)
    @given(
        st.binary(max_size=30),
        st.integers(0, 10**6),
        st.integers(0, 10),
        VALUES,
        st.sampled_from(["runs", "compare", "diagnose", "report", "train"]),
    )
    def read(junk: bytes, at: int, gone: int, value: Any, command: str) -> None:
        at %= len(before)
        data = before[:at] + junk + before[at + gone :]
        if name != "config.toml" and gone == 10:
            data = json.dumps(value).encode()
        path.write_bytes(data)
        arguments = {"train": ["train", "--resume", run, "--dry-run"], "runs": ["runs", run.parent]}
        answer = cli(*arguments.get(command, [command, run]))
        assert_told(answer)

    read()
