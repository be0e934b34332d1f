"""A long run, killed and resumed, watched from outside: memory, handles, threads, disk, time.

    python benchmarks/soak.py --minutes 15 --session 150

Prints a table and one line of JSON, and ends with 1 where something grows: memory by 1 MB per 1,000
steps or more, handles or threads at all, the disk beyond what is kept. docs/reliability.md has what
it found. Needs Linux, for /proc.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

COMMAND = [sys.executable, "-c", "import sys; from ganforge.cli import main; sys.exit(main())"]
TINY = (
    "train", "--dataset", "ring", "--generator", "mlp", "--batch-size", "8", "--device", "cpu",
    "--steps", "10000000", "--metric", "moments", "--metric", "modes", "--logger", "csv",
    "--set", "generator.hidden=[16]", "--set", "discriminator.hidden=[16]",
    "--set", "output.log_every=20", "--set", "output.sample_every=500",
    "--set", "output.checkpoint_every=100", "--set", "evaluation.every=100",
    "--set", "evaluation.num_samples=500",
)  # fmt: skip
WARM_UP = 1500  # steps of a session that are not counted
LIMIT = 1.0  # MB per 1,000 steps


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Figures of one moment of a session."""

    step: int
    memory: float  # MB
    handles: int
    threads: int


@dataclass(frozen=True, kw_only=True)
class Session:
    """From one start to one end."""

    code: int
    samples: list[Sample]

    @property
    def slope(self) -> float:
        """MB per 1,000 steps, by a linear fit of what came after the warm-up."""
        steps = [it.step / 1000 for it in self.samples]
        return float(np.polyfit(steps, [it.memory for it in self.samples], 1)[0])


def last_step(run: Path) -> int:
    lines = (run / "metrics.jsonl").read_bytes()[-4000:].split(b"\n")[:-1]
    return int(json.loads(lines[-1])["step"]) if len(lines) > 1 else 0


def look(process: subprocess.Popen[bytes], run: Path) -> Sample:
    place = Path(f"/proc/{process.pid}")
    status = dict(line.split(":", 1) for line in (place / "status").read_text().splitlines())
    return Sample(
        step=last_step(run),
        memory=int(status["VmRSS"].split()[0]) / 1024,
        handles=len(list((place / "fd").iterdir())),
        threads=int(status["Threads"]),
    )


def train(run: Path, seconds: float, number: int) -> Session:
    """One session, which is ended by `number`."""
    command = ["train", "--resume", str(run)] if run.exists() else [*TINY, "--out", str(run)]
    samples = []
    began = time.monotonic()
    with subprocess.Popen([*COMMAND, *command], stdout=subprocess.DEVNULL) as process:
        while time.monotonic() - began < seconds:
            time.sleep(1)
            if process.poll() is not None:
                sys.exit(f"the run ended by itself, with {process.returncode}")
            if (run / "metrics.jsonl").exists():
                samples.append(look(process, run))
        process.send_signal(number)
    first = samples[0].step if samples else 0
    counted = [it for it in samples if it.step >= first + WARM_UP]
    if len({it.step for it in counted}) < 2:
        sys.exit("a session was too short for its warm-up; see --session")
    return Session(code=process.returncode, samples=counted)


def size_of(folder: Path, pattern: str) -> float:
    return sum(it.stat().st_size for it in folder.glob(pattern) if it.is_file()) / 2**20


def step_times(run: Path) -> tuple[list[float], list[float]]:
    """Milliseconds per step by the clock and of the processor, from one line to the next."""
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    lines = [line for line in lines if "seconds" in line]  # the others are evaluations
    clock, processor = [], []
    for before, after in pairwise(lines):
        if after["seconds"] < before["seconds"]:
            continue  # another session
        steps = after["step"] - before["step"]
        clock.append((after["seconds"] - before["seconds"]) / steps * 1000)
        processor.append((after["cpu_seconds"] - before["cpu_seconds"]) / steps * 1000)
    return clock, processor


def soak(folder: Path, minutes: float, session: float) -> int:
    run = folder / "run"
    chooser = random.Random(0)
    sessions: list[Session] = []
    deadline = time.monotonic() + 60 * minutes
    print("session  ended by  steps   MB at the end   MB/1,000 steps   handles   threads")
    while not sessions or time.monotonic() + session <= deadline:
        number = chooser.choice([signal.SIGKILL, signal.SIGTERM])
        sessions.append(train(run, session, number))
        done = sessions[-1]
        expected = 143 if number == signal.SIGTERM else -signal.SIGKILL
        if done.code != expected:
            sys.exit(f"a session ended with {done.code} instead of {expected}")
        first, last = done.samples[0], done.samples[-1]
        print(
            f"{len(sessions):7}  {number.name:8}  {last.step - first.step:5}   {last.memory:13.1f}"
            f"   {done.slope:14.3f}   {first.handles:3} -> {last.handles:2}"
            f"   {first.threads:2} -> {last.threads:2}",
            flush=True,
        )
    clock, processor = step_times(run)
    of_clock, of_processor = (np.percentile(it, [50, 99]).tolist() for it in (clock, processor))
    slopes = [it.slope for it in sessions]
    weights = [it.samples[-1].step - it.samples[0].step for it in sessions]
    found = {
        "minutes": minutes,
        "steps": sessions[-1].samples[-1].step,
        "sessions": len(sessions),
        "slope_mb_per_1000_steps": float(np.average(slopes, weights=weights)),
        "handles": sorted({it.samples[-1].handles for it in sessions}),
        "threads": sorted({it.samples[-1].threads for it in sessions}),
        "checkpoints": len(list((run / "checkpoints").iterdir())),
        "checkpoints_mb": size_of(run, "checkpoints/*"),
        "grids": len(list((run / "samples").iterdir())),
        "leftovers": len(list(run.rglob(".tmp-*"))),
        "ms_per_step": dict(zip(("p50", "p99"), of_clock, strict=True)),
        "cpu_ms_per_step": dict(zip(("p50", "p99"), of_processor, strict=True)),
        "cores": os.cpu_count(),
    }
    print(json.dumps(found))
    grown = [
        found["slope_mb_per_1000_steps"] >= LIMIT,
        any(it.samples[-1].handles > it.samples[0].handles + 2 for it in sessions),
        any(it.samples[-1].threads > it.samples[0].threads for it in sessions),
        found["checkpoints"] > 3,
    ]
    return int(any(grown))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A long run that is killed and resumed.")
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--session", type=float, default=150, help="seconds between deaths")
    parser.add_argument("--folder", type=Path, help="where to train; kept (default: temporary)")
    given = parser.parse_args()
    place = given.folder or Path(tempfile.mkdtemp())
    try:
        code = soak(place, given.minutes, given.session)
    finally:
        if given.folder is None:
            shutil.rmtree(place)
    sys.exit(code)
