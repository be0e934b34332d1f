"""Schedules: their ends, their shapes, their two ways to count, and what is none."""

from __future__ import annotations

import itertools
import math
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganforge import Progress, Schedule
from ganforge.plugin.schedule import is_schedule, schedule_from

SHAPES = ("linear", "cosine", "exponential", "step")


def at(step: int, num_steps: int = 100, batch_size: int = 8) -> Progress:
    return Progress(step=step, num_steps=num_steps, images=step * batch_size)


def values(schedule: Schedule, steps: tuple[int, ...]) -> list[Any]:
    return [at(step).value(schedule) for step in steps]


def test_what_is_no_schedule_is_returned_as_it_is() -> None:
    betas = (0.5, 0.9)
    assert at(3).value(7.5) == 7.5
    assert at(3).value(betas) is betas


def test_progress_is_a_share_of_the_run() -> None:
    assert [at(step).share for step in (0, 25, 99)] == [0.0, 0.25, 0.99]


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ("linear", [4.0, 4.0, 3.25, 2.5, 1.0, 1.0]),
        ("cosine", [4.0, 4.0, 4.0 - 1.5 * (1 - math.sqrt(0.5)), 2.5, 1.0, 1.0]),
        ("exponential", [4.0, 4.0, 4.0 * 0.25**0.25, 2.0, 1.0, 1.0]),
    ],
)
def test_a_shape_goes_from_one_value_to_the_other(shape: Any, expected: list[float]) -> None:
    schedule = Schedule(from_=4.0, to=1.0, start=0.2, until=0.6, shape=shape)
    assert values(schedule, (0, 20, 30, 40, 60, 100)) == pytest.approx(expected)


def test_a_step_jumps_where_it_ends() -> None:
    share = Schedule(from_=1.0, to=0.0, until=0.5, shape="step")
    assert values(share, (0, 49, 50, 100)) == [1.0, 1.0, 0.0, 0.0]
    images = Schedule(from_=0.0, to=2.0, until_images=400, shape="step")
    assert values(images, (0, 49, 50, 100)) == [0.0, 0.0, 2.0, 2.0]


def test_tuples_go_element_by_element() -> None:
    schedule = Schedule(from_=(0.0, 0.9), to=(0.5, 0.99))
    assert values(schedule, (0, 50, 100)) == [
        (0.0, 0.9),
        (0.25, pytest.approx(0.945)),
        (0.5, 0.99),
    ]


def test_a_schedule_in_images_is_the_same_in_a_longer_run() -> None:
    images = Schedule(from_=1.0, to=0.0, start_images=80, until_images=400)
    shares = Schedule(from_=1.0, to=0.0, start=0.1, until=0.5)
    for step in range(100):
        assert at(step).value(images) == at(step, num_steps=1000).value(images)
    assert at(30).value(shares) == at(300, num_steps=1000).value(shares) == 0.5
    assert (shares.in_shares, images.in_shares) == (True, False)


def learning_rate_of_0_1(
    rate: float, shape: str, decay_from: float, step: int, num_steps: int
) -> float:
    """What 0.1 computed, to the letter, for a final factor of 0."""
    start = decay_from * num_steps
    if step < start or num_steps <= start:
        return rate
    progress = min(1.0, (step - start) / (num_steps - start))
    remaining = 1.0 - progress
    if shape == "cosine":
        remaining = 0.5 * (1.0 + math.cos(math.pi * progress))
    return rate * (0.0 + 1.0 * remaining)


@given(
    rate=st.floats(1e-6, 1.0),
    shape=st.sampled_from(("linear", "cosine")),
    start=st.floats(0.0, 0.99),
    run=st.integers(1, 100_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
)
def test_what_ends_at_0_has_the_bits_of_0_1(
    rate: float, shape: Any, start: float, run: tuple[int, int]
) -> None:
    schedule = Schedule(from_=rate, to=0.0, start=start, shape=shape)
    assert at(*run).value(schedule) == learning_rate_of_0_1(rate, shape, start, *run)


@given(half_life=st.integers(1, 10**6), images=st.integers(1, 10**8))
def test_a_ramp_from_0_in_images_has_the_bits_of_a_share_of_the_images(
    half_life: int, images: int
) -> None:
    ramp = Schedule(from_=0.0, to=float(half_life), until_images=20 * half_life)
    now = Progress(step=1, num_steps=2, images=images)
    if images != 20 * half_life:  # where the rounding of the product may stay below the end
        assert now.value(ramp) == min(half_life, 0.05 * images)


ENDS = st.floats(1e-6, 1e6)


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    shape = draw(st.sampled_from(SHAPES))
    ends = ENDS if shape == "exponential" else st.floats(-1e6, 1e6)
    places: dict[str, Any] = {}
    counted = draw(st.sampled_from(("whole", "shares", "images")))
    if counted == "shares":
        first, last = sorted(draw(st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 1.0))))
        places = {"start": first, "until": last} if first < last else {}
    elif counted == "images":
        first = draw(st.integers(0, 1000))
        places = {"start_images": first, "until_images": first + draw(st.integers(1, 1000))}
    if shape == "step":
        places = {key: it for key, it in places.items() if key.startswith("until")}
        if places.get("until", 1.0) == 1.0 and "until_images" not in places:
            places = {"until": 0.5}
    return Schedule(from_=draw(ends), to=draw(ends), shape=shape, **places)


@given(schedules(), st.integers(1, 300))
def test_a_schedule_is_monotone_between_its_ends(schedule: Schedule, num_steps: int) -> None:
    found = [at(step, num_steps).value(schedule) for step in range(num_steps + 1)]
    low, high = sorted((schedule.from_, schedule.to))
    assert found[0] == schedule.from_
    assert all(low <= value <= high for value in found)  # type: ignore[operator]
    rising = schedule.to >= schedule.from_  # type: ignore[operator]
    # The exponential's logarithm and power may each round the other way.
    slack = 1e-12 * float(high) if schedule.shape == "exponential" else 0.0  # type: ignore[arg-type]
    for before, after in itertools.pairwise(found):
        assert (after >= before - slack) if rising else (after <= before + slack)


@given(schedules(), st.integers(1, 300))
def test_a_schedule_has_its_ends_exactly(schedule: Schedule, num_steps: int) -> None:
    start = schedule.start if schedule.in_shares else schedule.start_images
    until = schedule.until if schedule.in_shares else schedule.until_images
    assert start is not None
    assert until is not None
    for step in range(num_steps + 1):
        now = at(step, num_steps)
        done: float = step if schedule.in_shares else now.images
        unit = num_steps if schedule.in_shares else 1
        if done <= start * unit:
            assert now.value(schedule) == schedule.from_
        elif done >= until * unit:
            assert now.value(schedule) == schedule.to


@given(schedules())
def test_a_schedule_goes_through_toml_and_back(schedule: Schedule) -> None:
    table = schedule.to_toml()
    assert is_schedule(table)
    assert schedule_from(table) == schedule


def test_what_says_nothing_is_not_written() -> None:
    whole = Schedule(from_=1.0, to=0.0, start=0.0, until=1.0, shape="linear")
    assert whole == Schedule(from_=1.0, to=0.0)
    assert whole.to_toml() == {"from": 1.0, "to": 0.0}
    images = Schedule(from_=1.0, to=0.0, until_images=8)
    assert images == Schedule(from_=1.0, to=0.0, start_images=0, until_images=8)
    assert images.to_toml() == {"from": 1.0, "to": 0.0, "until_images": 8}


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"from": 1.0}, "a schedule needs from and to, and to is not given"),
        ({"to": 1.0}, "a schedule needs from and to, and from is not given"),
        ({"from": 1.0, "to": 0.0, "util": 1}, "has no key 'util'; did you mean 'until'?"),
        ({"from": 1.0, "to": 0.0, "x": 1}, "no key 'x'; it has from, to, start, until, start_i"),
        ({"from": 1.0, "to": (0.0,)}, "must be two numbers, or two lists of the same length"),
        ({"from": (1.0, 2.0), "to": (0.0,)}, "must be two numbers, or two lists of the same le"),
        ({"from": 1.0, "to": math.inf}, "inf is not a finite number"),
        ({"from": 1.0, "to": 0.0, "shape": "cosin"}, "and step; did you mean 'cosine'?"),
        ({"from": 1.0, "to": 0.0, "shape": 3}, "shape of a schedule must be a string, not 3"),
        ({"from": 1.0, "to": 0.0, "shape": "exponential"}, "needs ends above 0, not 0.0"),
        ({"from": 1.0, "to": 0.0, "start": True}, "start of a schedule must be a number, not Tr"),
        ({"from": 1.0, "to": 0.0, "until_images": 1.5}, "must be a whole number, not 1.5"),
        ({"from": 1.0, "to": 0.0, "until": 1.5}, "below until, which is at most 1; they are 0.0"),
        ({"from": 1.0, "to": 0.0, "until": math.nan}, "start must be at least 0 and below until"),
        ({"from": 1.0, "to": 0.0, "start": 0.5, "until": 0.5}, "they are 0.5 and 0.5"),
        ({"from": 1.0, "to": 0.0, "start": -0.5}, "start must be at least 0"),
        ({"from": 1.0, "to": 0.0, "until_images": 0}, "below until_images; they are 0 and 0"),
        ({"from": 1.0, "to": 0.0, "start_images": 3}, "that has start_images needs until_images"),
        ({"from": 1.0, "to": 0.0, "start": 0.5, "until_images": 3}, "not in both"),
        ({"from": 1.0, "to": 0.0, "start": 0.5, "shape": "step"}, "no start: it jumps at until"),
        ({"from": 1.0, "to": 0.0, "shape": "step"}, "a step needs until below 1, or until_images"),
    ],
)
def test_what_is_no_schedule_says_why(table: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        schedule_from(table)
