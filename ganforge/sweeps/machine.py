"""The machine that a sweep runs on: cores, threads and accelerators, and how many runs fit."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

#: what libraries of numbers read when they are loaded
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass(frozen=True, kw_only=True)
class Share:
    """Numbers of runs at once and of threads for each, and the accelerators that they are on."""

    jobs: int
    threads: int
    gpus: tuple[str, ...] = ()

    def environment(self, slot: int) -> dict[str, str]:
        """The variables of the environment of the run in a slot, from 0."""
        found = dict.fromkeys(THREAD_VARIABLES, str(self.threads))
        if self.gpus:
            found["CUDA_VISIBLE_DEVICES"] = self.gpus[slot % len(self.gpus)]
        return found


def share(
    num_runs: int,
    *,
    jobs: int | None = None,
    threads: int | None = None,
    uses_gpu: bool = False,
    environ: Mapping[str, str] = os.environ,
    cores: int | None = None,
) -> Share:
    """The share of each run: one core each while there are runs enough, more where there are not.

    A small network gains little by a second thread, and two processes with a thread for each core
    wait for one another. On accelerators it is a run for each.
    """
    cores = cores or available_cores()
    gpus = visible_gpus(environ) if uses_gpu else ()
    said = environ.get("OMP_NUM_THREADS", "")
    if threads is None and said.isdigit() and int(said) > 0:
        threads = int(said)
    if jobs is None:
        jobs = len(gpus) or max(cores // (threads or 1), 1)
    jobs = max(min(jobs, num_runs), 1)
    return Share(jobs=jobs, threads=threads or max(cores // jobs, 1), gpus=gpus)


def available_cores() -> int:
    """The cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0)) or 1
    except AttributeError:  # a system without affinities
        return os.cpu_count() or 1


def visible_gpus(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The CUDA devices that a process may use, told without torch."""
    said = environ.get("CUDA_VISIBLE_DEVICES")
    if said is not None:
        return tuple(it.strip() for it in said.split(",") if it.strip() not in ("", "-1"))
    found = [path.name.removeprefix("nvidia") for path in Path("/dev").glob("nvidia[0-9]*")]
    return tuple(sorted(found, key=int))
