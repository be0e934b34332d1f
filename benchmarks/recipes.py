"""Trains recipes as a user would, several seeds of each, and prints what they measure.

    python benchmarks/recipes.py ring grid --seeds 0 1 2 --out results -- --steps 20000

Each run is a process of its own; its CPU seconds are those of that process and its children. What
follows `--` is added to the command. The figures of docs/recipes were made with this.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path


def train(recipe: str, seed: int, out: Path, extra: list[str], threads: int) -> dict[str, object]:
    """One run: its command, seconds, and the last numbers of each of its metrics."""
    command = [str(Path(sys.executable).with_name("ganforge")), "train", "--recipe", recipe]
    command += ["--seed", str(seed), "--out", str(out), *extra]
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    environ = os.environ | {"OMP_NUM_THREADS": str(threads)}
    subprocess.run(command, check=True, env=environ, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    last: dict[str, object] = {}
    for line in lines:
        last |= {key: value for key, value in line.items() if key.startswith("metric/")}
    return {
        "recipe": recipe,
        "seed": seed,
        "steps": lines[-1]["step"],
        "cpu_seconds": round(
            after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 1
        ),
        "seconds": round(time.perf_counter() - started, 1),
        **last,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipes", nargs="+")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--out", type=Path, default=Path("results"))
    parser.add_argument("--threads", type=int, default=1)
    arguments = sys.argv[1:]
    extra: list[str] = []
    if "--" in arguments:
        at = arguments.index("--")
        arguments, extra = arguments[:at], arguments[at + 1 :]
    given = parser.parse_args(arguments)
    given.out.mkdir(parents=True, exist_ok=True)
    for recipe in given.recipes:
        for seed in given.seeds:
            out = given.out / f"{recipe}-{seed}"
            result = train(recipe, seed, out, extra, given.threads)
            print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
