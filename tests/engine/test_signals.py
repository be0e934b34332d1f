"""Which signals end a session in good order, and which are an order."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from ganforge.engine import signals
from ganforge.engine.signals import Stopped, StopRequest
from ganforge.errors import UsageError
from ganforge.terminal import ENDING_SIGNALS


@contextmanager
def handled(number: int, handler: object) -> Iterator[None]:
    before = signal.signal(number, handler)  # type: ignore[arg-type]
    try:
        yield
    finally:
        signal.signal(number, before)


@pytest.fixture
def request_() -> Iterator[StopRequest]:
    """A request of a loop that has begun to ask."""
    request = StopRequest()
    with ExitStack() as stack:
        for number in ENDING_SIGNALS:  # whoever runs the tests may ignore some, as nohup does
            stack.enter_context(handled(number, signal.SIG_DFL))
        stack.enter_context(request.listening())
        request()
        yield request


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, *ENDING_SIGNALS])
def test_every_signal_that_ends_a_session_asks_first(
    request_: StopRequest, number: signal.Signals
) -> None:
    signal.raise_signal(number)
    assert request_() == ("interrupted" if number == signal.SIGINT else "terminated")
    assert request_.number == number


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_one_is_an_order_and_an_echo_is_not(
    request_: StopRequest, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    signal.raise_signal(number)
    signal.raise_signal(number)  # `timeout` tells the process, and then its group
    assert request_() is not None
    monkeypatch.setattr(signals, "_ECHO_SECONDS", 0.0)
    with pytest.raises(Stopped):
        signal.raise_signal(number)


@pytest.mark.parametrize(
    ("first", "second"), [("SIGHUP", "SIGHUP"), ("SIGXCPU", "SIGXCPU"), ("SIGUSR1", "SIGTERM")]
)
def test_what_systems_send_again_waits_for_the_checkpoint(
    request_: StopRequest, monkeypatch: pytest.MonkeyPatch, first: str, second: str
) -> None:
    if not hasattr(signal, first):
        pytest.skip(f"there is no {first} here")
    monkeypatch.setattr(signals, "_ECHO_SECONDS", 0.0)
    signal.raise_signal(signal.Signals[first])
    time.sleep(0.001)
    signal.raise_signal(signal.Signals[second])
    assert request_() == "terminated"
    with pytest.raises(Stopped):  # a person at the keyboard is another matter
        signal.raise_signal(signal.SIGINT)


def test_before_the_loop_asks_a_signal_ends_at_once() -> None:
    with StopRequest().listening(), pytest.raises(Stopped) as stopped:
        signal.raise_signal(signal.SIGTERM)
    assert stopped.value.state == "terminated"


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="there is no SIGHUP here")
def test_a_hangup_that_nohup_ignores_stays_ignored_and_a_handler_of_a_program_stays() -> None:
    came: list[int] = []
    with (
        handled(signal.SIGHUP, signal.SIG_IGN),
        handled(signal.SIGUSR1, lambda number, frame: came.append(number)),
    ):
        request = StopRequest()
        with request.listening():
            request()
            signal.raise_signal(signal.SIGHUP)
            signal.raise_signal(signal.SIGUSR1)
            assert request() is None
        assert came == [signal.SIGUSR1]
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_handlers_are_those_of_the_program_again() -> None:
    numbers = [signal.SIGINT, signal.SIGTERM, *ENDING_SIGNALS]
    before = [signal.getsignal(number) for number in numbers]
    with StopRequest().listening():
        assert [signal.getsignal(number) for number in numbers] != before
    assert [signal.getsignal(number) for number in numbers] == before


def test_outside_the_main_thread_signals_are_the_programs() -> None:
    before = signal.getsignal(signal.SIGTERM)
    seen: list[object] = []

    def listen() -> None:
        with StopRequest().listening():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join(60)
    assert seen == [before]


@pytest.mark.parametrize(
    ("name", "message"),
    [("NAME", "is not the name of a signal"), ("kill", "no process can handle")],
)
def test_a_signal_for_preemption_that_cannot_be_is_an_error(
    monkeypatch: pytest.MonkeyPatch, name: str, message: str
) -> None:
    monkeypatch.setenv(signals.PREEMPT_VARIABLE, name)
    with pytest.raises(UsageError, match=message):
        StopRequest()
