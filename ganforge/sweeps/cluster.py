"""Runs of a sweep as jobs of a cluster, through submitit.

submitit hands a job over by pickling it, in a folder of its own beside the runs; what a run itself
writes and reads stays free of it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ganforge.errors import UsageError
from ganforge.printable import described
from ganforge.sweeps.folder import SweepFolder
from ganforge.sweeps.local import OtherTask, Task, train_command
from ganforge.sweeps.machine import THREAD_VARIABLES

CLUSTERS = ("slurm", "local", "debug")
#: states of a job of slurm that is to be trained yet
_ALIVE = ("PENDING", "RUNNING", "REQUEUED", "CONFIGURING", "SUSPENDED", "COMPLETING")
_GRACE_SECONDS = 60.0


class TrainingJob:
    """A job: begins a run, or goes on with it, on whichever machine it is given.

    Where the job is about to be ended, by its time limit or by one with precedence, the run saves,
    and the job is queued again.
    """

    def __init__(self, folder: Path, name: str, flags: Sequence[str], threads: int | None) -> None:
        self._arguments = (folder, name, tuple(flags), threads)
        self._process: subprocess.Popen[bytes] | None = None

    def __call__(self) -> int:
        path, name, flags, threads = self._arguments
        folder = SweepFolder(path)
        environment = dict.fromkeys(THREAD_VARIABLES, str(threads)) if threads else {}
        with folder.log(name).open("ab") as log:
            self._process = subprocess.Popen(
                train_command(folder, name, flags),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **environment},
            )
        # Asked for again and again, since waiting holds a lock that `checkpoint` would wait for.
        while (code := self._process.poll()) is None:
            time.sleep(0.2)
        return code

    def checkpoint(self) -> Any:
        """Called by submitit before the job is ended; what it returns is queued again."""
        from submitit.helpers import DelayedSubmission

        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            deadline = time.monotonic() + _GRACE_SECONDS
            while self._process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.2)
        return DelayedSubmission(TrainingJob(*self._arguments))


class ClusterLauncher:
    """Submits a job for each run, all at once unless `jobs` limits them."""

    def __init__(
        self,
        folder: SweepFolder,
        cluster: str,
        parameters: Mapping[str, Any],
        *,
        slots: int,
        threads: int | None,
        flags: Sequence[str] = (),
    ) -> None:
        self.slots = slots
        self._folder = folder
        self._threads = threads
        self._flags = flags
        self._cluster = cluster
        self._logs = folder.path / "jobs"
        self._executor = _executor(self._logs, cluster, parameters)

    def start(self, name: str, slot: int) -> Task:
        job = self._executor.submit(
            TrainingJob(self._folder.path.absolute(), name, self._flags, self._threads)
        )
        record = {"cluster": self._cluster, "id": job.job_id}
        self._record(name).write_text(json.dumps(record) + "\n")
        return JobTask(self._folder, name, job)

    def adopt(self, name: str) -> Task | None:
        """A job that is queued or running, or a run that is being trained."""
        if (job := self._submitted(name)) is not None:
            return JobTask(self._folder, name, job)
        run = self._folder.open_run(name)
        return OtherTask(run) if run is not None and run.status.state == "running" else None

    def _record(self, name: str) -> Path:
        return self._folder.path / f"{name}.job"

    def _submitted(self, name: str) -> Any:
        """The job of an earlier session, where the cluster still knows it."""
        import submitit

        if self._cluster != CLUSTERS[0]:
            return None  # the others have no queue
        with suppress(OSError, ValueError, KeyError):
            record = json.loads(self._record(name).read_text())
            job: Any = submitit.SlurmJob(folder=self._logs, job_id=str(record["id"]))
            if record["cluster"] == self._cluster and job.state.split()[0] in _ALIVE:
                return job
        return None


class JobTask:
    """A job that was submitted. It goes on without the sweep."""

    detached = True

    def __init__(self, folder: SweepFolder, name: str, job: Any) -> None:
        self._folder = folder
        self._name = name
        self._job = job

    def poll(self) -> int | None:
        try:
            if not self._job.done():
                return None
            return int(self._job.result())
        except Exception as error:  # whatever the cluster has to say of a job that it lost
            with self._folder.log(self._name).open("a", encoding="utf-8") as log:
                log.write(f"Error: the job {self._job.job_id} failed: {described(error)}\n")
            return 1

    def stop(self) -> None:
        """The job is left to the cluster."""


def _executor(logs: Path, cluster: str, parameters: Mapping[str, Any]) -> Any:
    """The executor of submitit. Raises UsageError where it, or the cluster, is not there."""
    try:
        import submitit
    except ImportError as error:
        raise UsageError(
            "--cluster needs the package submitit: pip install 'ganforge[cluster]'"
        ) from error
    try:
        executor = submitit.AutoExecutor(folder=logs, cluster=cluster)
        executor.update_parameters(name="ganforge", **parameters)
    except Exception as error:
        raise UsageError(f"--cluster {cluster}: {described(error)}") from error
    return executor
