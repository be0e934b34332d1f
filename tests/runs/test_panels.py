"""Quantities of a run as panels: grouped, thinned, and on scales on which all is seen."""

from __future__ import annotations

import math

import pytest

from ganforge.runs.panels import MOST_CURVES, panels_of
from ganforge.runs.scales import Scale, scale_of, shown
from ganforge.runs.thinning import CAPACITY, Thinned


def of(values: list[float], every: int = 25) -> Thinned:
    thinned = Thinned()
    thinned.extend((number * every, value) for number, value in enumerate(values, 1))
    return thinned


def test_few_values_are_points_of_their_own() -> None:
    points = of([3.0, 1.0, 2.0]).points
    assert [(it.step, it.mean, it.low, it.high) for it in points] == [
        (25, 3.0, 3.0, 3.0),
        (50, 1.0, 1.0, 1.0),
        (75, 2.0, 2.0, 2.0),
    ]


def test_many_values_are_means_between_the_lowest_and_the_highest() -> None:
    values = [math.sin(number) for number in range(10_000)]
    points = of(values, every=1).points
    assert CAPACITY / 2 < len(points) <= CAPACITY
    each = 32  # 400 * 32 is the first doubling that holds 10,000
    assert len(points) == math.ceil(10_000 / each)
    for number in (0, 100, len(points) - 1):
        part = values[number * each : (number + 1) * each]
        assert points[number].mean == pytest.approx(sum(part) / len(part))
        assert (points[number].low, points[number].high) == (min(part), max(part))
    assert points[-1].step == 10_000


def test_groups_are_those_that_people_compare() -> None:
    names = [
        "images",
        "seconds",
        "images_per_second",
        "gradient_norm/generator",
        "loss/discriminator",
        "loss/discriminator/nonsat",
        "loss/discriminator/r1",
        "loss/generator",
        "loss/generator/nonsat",
        "score/fake",
        "score/real",
        "metric/modes/kl",
        "metric/modes/modes",
        "augmentation/ada/p",
        "speed",
        "ranking",
        "diversity/real",
        "diversity/generated",
    ]
    panels = panels_of({name: of([1.0, 2.0]) for name in names})
    assert [(panel.title, [curve.name for curve in panel.curves]) for panel in panels] == [
        ("Losses", ["discriminator", "generator"]),
        ("Terms of the discriminator's loss", ["nonsat", "r1"]),
        ("Scores of the discriminator", ["fake", "real"]),
        ("Diversity within a batch", ["generated", "real"]),
        ("modes/kl", ["modes/kl"]),
        ("modes/modes", ["modes/modes"]),
        ("Gradient norms", ["generator"]),
        ("Share of pairs that the discriminator ranks right", ["ranking"]),
        ("augmentation/ada", ["p"]),
        ("speed", ["speed"]),
    ]


def test_a_panel_has_no_more_curves_than_can_be_told_apart() -> None:
    panels = panels_of({f"odd/{number}": of([1.0]) for number in range(MOST_CURVES + 2)})
    assert [len(panel.curves) for panel in panels] == [MOST_CURVES, 2]


def test_names_are_safe_to_show() -> None:
    (panel,) = panels_of({"metric/\x1b[2Jbad\u202e\nname": of([1.0])})
    assert panel.title == panel.curves[0].name == "[2Jbad name"


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([0.4, 0.7, 1.2], "linear"),
        ([-3.0, 2.0, 40.0], "linear"),
        ([0.0, 0.0, 0.0], "linear"),
        ([5.0], "linear"),
        ([1e-4, 2e-2, 0.7], "log"),
        ([0.5, -0.2, 1.0, 0.1, -7e14], "symlog"),
        ([0.0, 0.5, 0.7, 300.0], "symlog"),
    ],
)
def test_a_scale_shows_every_value(values: list[float], kind: str) -> None:
    scale = scale_of(values)
    assert scale.kind == kind
    shares = [scale.share(value) for value in sorted(values)]
    assert shares == sorted(shares)
    assert all(0 <= share <= 1 for share in shares)
    ticks = scale.ticks()
    assert 1 <= len(ticks) <= 8
    assert all(-1e-9 <= scale.share(value) <= 1 + 1e-9 for value, _ in ticks)
    assert len({text for _, text in ticks}) == len(ticks)


def test_no_curve_is_flat_beside_another() -> None:
    """A loss of 1e17 beside one of 1e12, as where a run has diverged, and both of any sign."""
    (panel,) = panels_of({"loss/a": of([5e17, 4e17]), "loss/b": of([-1e12, 2e12])})
    assert panel.up.kind == "symlog"
    assert panel.up.share(2e12) - panel.up.share(-1e12) > 0.1
    (panel,) = panels_of({"score/a": of([0.5, -0.2]), "score/b": of([0.001, 0.1])})
    assert panel.up.kind == "linear"


def test_a_name_has_one_colour() -> None:
    panels = panels_of({f"{it}/{side}": of([1.0]) for it in "xy" for side in (it, "z", "a")})
    assert [[curve.name for curve in panel.curves] for panel in panels] == [
        ["a", "x", "z"],
        ["a", "y", "z"],
    ]


def test_small_and_large_values_are_apart_on_a_logarithmic_scale() -> None:
    scale = scale_of([1e-4, 1e-2, 1.0])
    assert scale.share(1e-2) == pytest.approx(0.5)
    assert [text for _, text in scale.ticks()] == ["1e-4", "0.001", "0.01", "0.1", "1"]


def test_numbers_beside_an_axis_are_short() -> None:
    assert [text for _, text in Scale(low=0, high=30_000).ticks(6)] == [
        *("0", "5,000", "10,000", "15,000", "20,000", "25,000", "30,000")
    ]
    assert [shown(it) for it in (0, 250_000, 2.5e6, 3e12, 1e-6, -0.25)] == [
        *("0", "250k", "2.5M", "3e12", "1e-6", "-0.25")
    ]
