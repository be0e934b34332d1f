"""Worker processes that die, stand still or cannot send: told in words, and never waited for."""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
import torch

from ganforge import MapDataset
from ganforge.config.settings import ExecutionSettings
from ganforge.data import workers
from ganforge.data.batches import Batches, open_batches
from ganforge.data.sending import fault_of_exit, fault_of_receiving
from ganforge.device.execution import Execution
from ganforge.device.randomness import Randomness
from ganforge.errors import PluginError, WorkerError
from ganforge.plugin.fields import Field

NUM = 32


class Odd(MapDataset):
    """Items that are their numbers; what happens in a worker that reads item 9 is up to a test."""

    def __init__(self, happens: Callable[[], object] = lambda: None) -> None:
        self._happens = happens

    def __len__(self) -> int:
        return NUM

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        if index == 9 and torch.utils.data.get_worker_info() is not None:
            self._happens()
        return {"sample": torch.full((2,), float(index))}


@pytest.fixture
def read() -> Iterator[Callable[..., Batches]]:
    opened: list[Batches] = []

    def make(dataset: MapDataset, num_workers: int = 2) -> Batches:
        execution = Execution.from_settings(ExecutionSettings(device="cpu"))
        batches = open_batches(
            dataset,
            {"sample": Field(kind="vector", shape=(2,))},
            batch_size=4,
            execution=execution,
            randomness=Randomness(0, execution.device),
            num_workers=num_workers,
            label="the dataset 'odd'",
        )
        opened.append(batches)
        return batches

    yield make
    for batches in opened:
        batches.close()
    assert multiprocessing.active_children() == []


def failure(batches: Batches) -> str:
    with pytest.raises(WorkerError) as caught:
        batches.fetch(0, NUM // 4)
    return str(caught.value)


def ask_to(number: int) -> Callable[[], object]:
    return lambda: (os.kill(os.getpid(), number), time.sleep(60))


def test_a_worker_that_is_killed_is_told_of_with_what_to_do(read, capfd):
    message = failure(read(Odd(ask_to(signal.SIGKILL))))
    assert re.fullmatch(
        r"a worker process that reads the dataset 'odd' ended: process \d+ was killed \(out of "
        r"memory\?\)\. `--workers 0` \(execution\.num_workers=0\) reads in the main process "
        r"instead",
        message,
    )
    assert capfd.readouterr().err == ""


def test_a_worker_that_is_stopped_is_not_waited_for_and_does_not_stay(read, monkeypatch):
    monkeypatch.setattr(workers, "STOPPED_SECONDS", 0.3)
    began = time.monotonic()
    message = failure(read(Odd(ask_to(signal.SIGSTOP))))
    assert "is stopped, and gives no batch" in message
    assert "--workers 0" in message
    assert time.monotonic() - began < 10


def test_a_bus_error_is_one_of_shared_memory_and_prints_nothing(read, capfd):
    message = failure(read(Odd(ask_to(signal.SIGBUS))))
    assert "found no room in /dev/shm, which holds" in message
    assert "--workers 0" in message
    assert capfd.readouterr().err == ""


def test_shared_memory_without_room_is_an_error_and_no_traceback(read, monkeypatch, capfd):
    def full(self: torch.Tensor) -> None:
        raise RuntimeError(
            "unable to allocate shared memory(shm) for file </torch_1>: No space left (28)"
        )

    monkeypatch.setattr(torch.Tensor, "share_memory_", full)
    assert "found no room in /dev/shm" in failure(read(Odd()))
    assert capfd.readouterr().err == ""


def test_a_batch_that_cannot_be_sent_is_not_waited_for(read, monkeypatch, capfd):
    from torch.multiprocessing import reductions

    def no_handles(*arguments: object) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(torch.UntypedStorage, "_share_fd_cpu_", no_handles)
    monkeypatch.setattr(reductions, "reduce_storage", no_handles)
    message = failure(read(Odd()))
    assert "no file handles left, of which" in message
    assert "ulimit -n" in message
    assert "Traceback" not in capfd.readouterr().err


def test_workers_that_cannot_be_started_for_want_of_handles(read, capfd):
    resource = pytest.importorskip("resource")
    batches = read(Odd())
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken: list[int] = []
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (128, limits[1]))
        with suppress(OSError):
            while True:
                taken.append(os.open(os.devnull, os.O_RDONLY))
        message = failure(batches)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        for handle in taken:
            os.close(handle)
    assert "cannot be started: had no file handles left" in message
    assert capfd.readouterr().err == ""


def test_items_that_do_not_fit_together_are_named_as_that(read):
    class Uneven(Odd):
        def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
            return {"sample": torch.zeros(2 + index % 2)}

    with pytest.raises(PluginError, match="the items of a batch do not fit together"):
        read(Uneven()).batch(0)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (-signal.SIGKILL, "was killed (out of memory?)"),
        (-signal.SIGSEGV, "was ended by the signal SIGSEGV"),
        (-100, "was ended by the signal 100"),
        (3, "ended by itself, with exit code 3"),
        (83, "could not send a batch to the main process"),
    ],
)
def test_what_an_exit_code_says(code, words):
    assert fault_of_exit(code) == words


def test_what_an_error_at_the_receiving_end_says():
    assert "ulimit -n" in fault_of_receiving(RuntimeError("received 0 items of ancdata"))
    assert fault_of_receiving(ValueError("odd")) == "ValueError: odd"


def test_batches_that_are_fetched_are_those_that_are_taken_in_any_order(read):
    straight, ahead = read(Odd(), 0), read(Odd())
    ahead.fetch(0, 3)
    started = multiprocessing.active_children()
    for number in (1, 0, 2, 3, 3):  # a step in which the generator moves first asks twice
        assert torch.equal(ahead.batch(number).samples, straight.batch(number).samples)
    assert multiprocessing.active_children() == started
    assert len(started) == 2


def test_the_death_of_a_worker_interrupts_nothing_else(read):
    before = signal.getsignal(signal.SIGCHLD)
    batches = read(Odd())
    batches.batch(0)
    assert signal.getsignal(signal.SIGCHLD) == before
    for process in multiprocessing.active_children():
        process.kill()
    time.sleep(0.1)  # torch would raise here
    assert "was killed" in failure(batches)
