"""Synthetic curves: the lines of metrics of a run that is well, and what is changed of them."""

from __future__ import annotations

from collections.abc import Mapping

#: numbers of a run in which nothing goes wrong
HEALTHY = {
    "loss/discriminator": 1.2,
    "loss/generator": 0.9,
    "score/real": 0.4,
    "score/fake": -0.3,
    "score/ranking": 0.8,
    "relative_gradient/discriminator": 0.9,
    "relative_gradient/generator": 1.1,
    "weight_growth/discriminator": 1.2,
    "weight_growth/generator": 1.3,
    "diversity": 0.45,
    "real_diversity": 0.48,
    "diversity_within_classes": 0.3,
    "real_diversity_within_classes": 0.35,
    "saturated": 0.3,
    "real_saturated": 0.4,
    "nearest": 0.5,
    "real_nearest": 0.55,
}


def curve(num: int, **changed: float) -> list[dict[str, float]]:
    """`num` lines, 25 steps apart; `changed` are numbers by the last part of their names."""
    return [line(number, changed) for number in range(1, num + 1)]


def line(number: int, changed: Mapping[str, float]) -> dict[str, float]:
    names = {name.replace("/", "_"): name for name in HEALTHY}
    found = {**HEALTHY, **{names[key]: value for key, value in changed.items()}}
    return {"step": 25 * number, **found}


def then(first: list[dict[str, float]], num: int, **changed: float) -> list[dict[str, float]]:
    """The lines of `first`, and `num` more with other numbers."""
    return [*first, *(line(len(first) + number, changed) for number in range(1, num + 1))]
