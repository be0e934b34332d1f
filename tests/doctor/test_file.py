"""`ganforge doctor FILE`: every flipped bit, every truncation, and files that are none of ours."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from ganforge.doctor.run import examine_file
from ganforge.plugin.discovery import Discovery, discover
from ganforge.storage import tensor_file
from tests.conftest import Command

from .conftest import Doctor

CHECKPOINT = Path("r/checkpoints/step-00000012.safetensors")
FLIPS = 2000


@pytest.fixture(scope="module")
def discovery() -> Discovery:
    return discover(third_party=False, environ={})


@pytest.mark.parametrize(
    ("name", "first"),
    [
        (str(CHECKPOINT.relative_to("r")), "checkpoint"),
        ("generator.safetensors", "generator"),
        ("best.safetensors", "generator"),
    ],
)
def test_a_sound_file_says_what_it_is(run: Path, doctor: Doctor, name: str, first: str) -> None:
    word = doctor(run / name)
    assert (word.code, word.troubles) == (0, {})
    assert word.facts[first].startswith("sound: ")
    assert word.facts["plugins"].startswith("ganforge ")


def test_every_flipped_bit_is_detected(run: Path, discovery: Discovery) -> None:
    """2,000 of 2,000 over the bytes of a checkpoint; safetensors alone notices some 2 %."""
    body = CHECKPOINT.read_bytes()
    detected = 0
    with CHECKPOINT.open("r+b", buffering=0) as file:
        for position in random.Random(0).sample(range(len(body) * 8), FLIPS):
            byte, bit = divmod(position, 8)
            file.seek(byte)
            file.write(bytes([body[byte] ^ 1 << bit]))
            detected += not examine_file(CHECKPOINT, discovery).sound
            file.seek(byte)
            file.write(body[byte : byte + 1])
    assert examine_file(CHECKPOINT, discovery).sound
    assert detected == FLIPS


def test_every_truncation_is_detected(run: Path, discovery: Discovery) -> None:
    """At 0 and at each fiftieth of the size."""
    size = CHECKPOINT.stat().st_size
    for part in range(50):
        os.truncate(CHECKPOINT, size * (49 - part) // 50)
        (trouble,) = examine_file(CHECKPOINT, discovery).troubles
        assert "step-00000012.safetensors" in trouble.text
    assert CHECKPOINT.stat().st_size == 0


def _zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("../../x", "y")


FOREIGN: dict[str, Callable[[Path], object]] = {
    "png": lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(500)),
    "zip": _zip,
    "pickle": lambda path: torch.save({"x": torch.ones(3)}, path),
    "text": lambda path: path.write_text("hello " * 100),
    "fifo": os.mkfifo,
    "zero": lambda path: path.symlink_to("/dev/zero"),
    "sparse": lambda path: (path.touch(), os.truncate(path, 20 * 2**30)),
    "large-header": lambda path: path.write_bytes((90_000_000).to_bytes(8, "little") + b"{" * 10),
    "deep": lambda path: path.write_bytes((9000).to_bytes(8, "little") + b"[" * 9000),
}


@pytest.mark.parametrize("make", FOREIGN.values(), ids=FOREIGN)
def test_a_foreign_file_is_refused_at_once(
    cli: Command, doctor: Doctor, make: Callable[[Path], object]
) -> None:
    make(Path("x.safetensors"))
    started = time.process_time()
    word = doctor("x.safetensors")
    assert time.process_time() - started < 2
    assert (word.code, [*word.troubles]) == (1, ["damaged-file"])
    assert "x.safetensors" in word.troubles["damaged-file"]["text"]


def test_a_file_that_is_not_finite(cli: Command, doctor: Doctor) -> None:
    tensors = {"a": torch.tensor([1.0, float("inf")]), "b": torch.full((3,), float("nan"))}
    tensor_file.write(Path("x.safetensors"), "checkpoint", tensors, {"step": 3})
    found = doctor("x.safetensors").troubles["weights-that-are-not-finite"]
    assert found["text"] == (
        "x.safetensors holds numbers that are NaN or infinite: 1 in a and 1 other tensor"
    )


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="needs /proc")
def test_it_needs_no_torch_and_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.safetensors"
    tensor_file.write(path, "checkpoint", {"x": torch.zeros(25_000_000)}, {"step": 1})
    code = (
        "import sys; from ganforge.cli import main\n"
        f"code = main(['doctor', {str(path)!r}])\n"
        "assert 'torch' not in sys.modules and 'numpy' not in sys.modules\n"
        # Not ru_maxrss, which a process has from the one that started it.
        "lines = open('/proc/self/status').read().splitlines()\n"
        "print(code, *(it.split()[1] for it in lines if it.startswith('VmHWM')))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert answer.returncode == 0, answer.stderr
    code_of_it, peak = answer.stdout.splitlines()[-1].split()
    assert code_of_it == "0"
    assert int(peak) < 80_000  # kB, for a file of 100 MB
