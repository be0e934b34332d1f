"""Runs that die: forked from one process that has torch loaded, so that a hundred deaths are cheap.

    python forked_runs.py FOLDER kill COUNT SEED      SIGKILL at random moments
    python forked_runs.py FOLDER syscall COUNT SEED   SIGKILL before the n-th flush, rename or write
    python forked_runs.py FOLDER signal COUNT SEED    SIGTERM or SIGINT at random moments

Trains FOLDER/reference undisturbed and FOLDER/run with one death after another until it finishes,
and prints what it saw as JSON.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import torch
import torch._dynamo  # optimizers would import it in every fork

from ganforge.cli import main

ARGUMENTS = [
    "train", "--generator", "dcgan", "--latent-size", "4", "--batch-size", "8",
    "--steps", "60", "--device", "cpu", "--set", "generator.width=2",
    "--set", "discriminator.width=2", "--set", "output.checkpoint_every=5",
    "--set", "output.log_every=3", "--set", "output.sample_every=7",
    "--set", "output.grid_samples=4",
]  # fmt: skip


def fork(arguments: list[str], lethal_call: int | None = None) -> int:
    """A child that runs the command; before its `lethal_call`-th system call of a write it dies."""
    child = os.fork()
    if child:
        return child
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    if lethal_call is not None:
        arm(lethal_call)
    os._exit(main(arguments))


def arm(lethal_call: int) -> None:
    """Die by SIGKILL instead of making this call, among all flushes, renames and file openings."""
    left = [lethal_call]

    def deadly(function):
        def call(*arguments, **keywords):
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments, **keywords)

        return call

    for name in ("fsync", "replace", "fdopen", "fchmod"):
        setattr(os, name, deadly(getattr(os, name)))


def wait(child: int) -> int:
    """The exit code, or minus the signal, of a child."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def run(folder: Path, mode: str, count: int, seed: int) -> dict[str, object]:
    # Of the same name, which stands in the picture of the curves.
    twin = folder / "reference" / "run"
    reference = ["--out", str(twin)]
    started = time.perf_counter()
    assert wait(fork([*ARGUMENTS, *reference])) == 0
    duration = time.perf_counter() - started
    chooser = random.Random(seed)
    codes: list[int] = []
    out = folder / "run"
    for number in range(count):
        begun = (out / "config.toml").exists()
        arguments = ["train", "--resume", str(out)] if begun else [*ARGUMENTS, "--out", str(out)]
        child = fork(arguments, number + 1 if mode == "syscall" else None)
        if mode != "syscall":
            time.sleep(chooser.uniform(0.0, 0.7 * duration))
            numbers = [signal.SIGKILL] if mode == "kill" else [signal.SIGTERM, signal.SIGINT]
            os.kill(child, chooser.choice(numbers))
        codes.append(wait(child))
        if codes[-1] == 0 and mode != "syscall":
            break
    codes.append(wait(fork(["train", "--resume", str(out)])) if out.exists() else -1)
    leftovers = [str(path.relative_to(out)) for path in out.rglob("*") if "tmp" in path.name]
    return {
        "codes": codes,
        "differences": differences(twin, out),
        "leftovers": leftovers,
        "state": json.loads((out / "status.json").read_text())["state"],
    }


def differences(reference: Path, out: Path) -> list[str]:
    """Files of the two runs that differ, but for what tells the time."""
    found = []
    for path in sorted(reference.rglob("*")):
        twin = out / path.relative_to(reference)
        if path.is_dir() or path.name in ("status.json", "environment.json"):
            continue
        if not twin.exists():
            # A stop writes a checkpoint of its own, which displaces the oldest that is kept.
            if path.parent.name != "checkpoints" or "00000060" in path.name:
                found.append(f"{twin} is missing")
        elif path.name == "metrics.jsonl":
            if timeless(path) != timeless(twin):
                found.append("metrics.jsonl")
        elif path.suffix == ".safetensors":
            if tensors(path) != tensors(twin):
                found.append(path.name)
        elif path.read_bytes() != twin.read_bytes():
            found.append(path.name)
    return found


def tensors(path: Path) -> dict[str, bytes]:
    import safetensors.torch

    loaded = safetensors.torch.load_file(path)
    return {name: t.reshape(-1).view(torch.uint8).numpy().tobytes() for name, t in loaded.items()}


def timeless(path: Path) -> list[dict[str, object]]:
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [{key: value for key, value in line.items() if "second" not in key} for line in lines]


if __name__ == "__main__":
    torch.set_num_threads(1)
    folder, mode, count, seed = sys.argv[1:]
    print(json.dumps(run(Path(folder), mode, int(count), int(seed))))
