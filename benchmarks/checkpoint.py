"""Checkpoints beside `torch.save` and `torch.load`: time at 100 MB, and memory at 400 MB.

    python benchmarks/checkpoint.py [--megabytes 100] [--repeats 15] [--folder DIR]

Both write beside the place, flush the file, rename it and flush the folder, in turns in one
process; ganforge computes and compares checksums besides. Medians, their ratio, and the smallest
and largest ratio of a pair. Memory is what a fresh process has at its peak beyond the tensors.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from ganforge.storage import tensor_file
from ganforge.storage.files import flush_folder

KIND = "checkpoint"
MEMORY_MEGABYTES = 400
NUM_TENSORS = 40  # beside one that is a tenth of all


def tensors(megabytes: int) -> dict[str, Tensor]:
    """Weights as a network has them: many, one of them large."""
    total = megabytes * 1_000_000 // 4
    large = total // 10
    each = (total - large) // NUM_TENSORS
    generator = torch.Generator().manual_seed(0)
    found = {
        f"generator/{number}.weight": torch.randn(each, generator=generator)
        for number in range(NUM_TENSORS)
    }
    return {"generator/large.weight": torch.randn(large, generator=generator), **found}


def save_with_torch(path: Path, state: dict[str, Tensor]) -> None:
    temporary = path.with_suffix(".tmp")
    with temporary.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    flush_folder(path.parent)


def save(path: Path, state: dict[str, Tensor]) -> None:
    tensor_file.write(path, KIND, state, {"step": 1})


def load_with_torch(path: Path) -> dict[str, Tensor]:
    found: dict[str, Tensor] = torch.load(path, weights_only=True)
    return found


def load(path: Path) -> dict[str, Tensor]:
    return tensor_file.read(path, KIND)[0]


def compare(name: str, ours: Callable[[], object], theirs: Callable[[], object], n: int) -> None:
    """Take turns, each first every other time, and print medians."""
    pairs = []
    for number in range(n + 1):
        times = {}
        order = (ours, theirs) if number % 2 else (theirs, ours)
        for function in order:
            began = time.perf_counter()
            function()
            times[function] = time.perf_counter() - began
        if number:  # the first is for warming up
            pairs.append((times[ours], times[theirs]))
    mine, other = (statistics.median(it) for it in zip(*pairs, strict=True))
    ratios = [one / two for one, two in pairs]
    print(
        f"{name:5} ganforge {1000 * mine:6.1f} ms   torch {1000 * other:6.1f} ms   "
        f"ratio of medians {mine / other:.2f}   median of ratios {statistics.median(ratios):.2f} "
        f"({min(ratios):.2f} to {max(ratios):.2f})"
    )


def peak() -> float:
    """The most memory that this process has had, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def resident() -> float:
    """Memory that this process has now, in megabytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def measure_memory(what: str, path: Path) -> None:
    """In a process of its own: the peak beyond what was there before, in megabytes."""
    if what == "save":
        state = tensors(MEMORY_MEGABYTES)
        before = resident()
        save(path, state)
        extra = peak() - before
    else:
        before = resident()
        state = load(path)
        extra = peak() - before - MEMORY_MEGABYTES
    assert len(state) == NUM_TENSORS + 1
    print(json.dumps(extra))


def memory(what: str, folder: Path) -> float:
    command = [sys.executable, __file__, "--memory", what, "--folder", str(folder)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(answer.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--memory", choices=["save", "load"], help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.memory:
        measure_memory(given.memory, given.folder / "large.safetensors")
        return
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        folder = Path(name)
        state = tensors(given.megabytes)
        ours, theirs = folder / "ours.safetensors", folder / "theirs.pt"
        print(f"{given.megabytes} MB in {len(state)} tensors, {given.repeats} of each")
        compare(
            "save", lambda: save(ours, state), lambda: save_with_torch(theirs, state), given.repeats
        )
        compare("load", lambda: load(ours), lambda: load_with_torch(theirs), given.repeats)
        large = MEMORY_MEGABYTES / 10
        for what in ("save", "load"):
            extra = memory(what, folder)
            print(
                f"{what} of {MEMORY_MEGABYTES} MB: {extra:.0f} MB beyond the tensors, of which the "
                f"largest has {large:.0f} MB"
            )


if __name__ == "__main__":
    main()
