"""How many runs are trained at once, and with how many threads."""

from __future__ import annotations

import pytest

from ganforge.sweeps.machine import Share, share, visible_gpus


@pytest.mark.parametrize(
    ("num_runs", "cores", "given", "environ", "jobs", "threads"),
    [
        (6, 2, {}, {}, 2, 1),
        (6, 16, {}, {}, 6, 2),
        (1, 8, {}, {}, 1, 8),
        (100, 16, {}, {}, 16, 1),
        (100, 16, {}, {"OMP_NUM_THREADS": "4"}, 4, 4),
        (100, 16, {"threads": 8}, {}, 2, 8),
        (100, 16, {"jobs": 4}, {}, 4, 4),
        (100, 2, {"jobs": 4}, {}, 4, 1),
        (100, 2, {"jobs": 3, "threads": 5}, {}, 3, 5),
        (6, 2, {}, {"OMP_NUM_THREADS": "many"}, 2, 1),
        (6, 2, {}, {"OMP_NUM_THREADS": "8"}, 1, 8),
    ],
)
def test_the_share_of_a_run(
    num_runs: int,
    cores: int,
    given: dict[str, int],
    environ: dict[str, str],
    jobs: int,
    threads: int,
) -> None:
    found = share(num_runs, **given, environ=environ, cores=cores)  # type: ignore[arg-type]
    assert found == Share(jobs=jobs, threads=threads)


def test_a_run_for_each_accelerator() -> None:
    environ = {"CUDA_VISIBLE_DEVICES": "0,3"}
    found = share(6, uses_gpu=True, environ=environ, cores=8)
    assert (found.jobs, found.threads, found.gpus) == (2, 4, ("0", "3"))
    assert [found.environment(slot)["CUDA_VISIBLE_DEVICES"] for slot in range(3)] == ["0", "3", "0"]
    assert share(6, uses_gpu=False, environ=environ, cores=8).gpus == ()
    assert visible_gpus({"CUDA_VISIBLE_DEVICES": ""}) == ()


def test_libraries_of_numbers_are_told() -> None:
    found = Share(jobs=2, threads=3).environment(0)
    assert found["OMP_NUM_THREADS"] == found["MKL_NUM_THREADS"] == "3"
    assert "CUDA_VISIBLE_DEVICES" not in found
