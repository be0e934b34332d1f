"""Synthetic curves: the lines of metrics of a run that is well, and what is changed of them."""

from __future__ import annotations

from collections.abc import Mapping

#: numbers of a run in which nothing goes wrong
HEALTHY = {
    "loss/discriminator": 1.2,
    "loss/generator": 0.9,
    "score/real": 0.4,
    "score/fake": -0.3,
    "ranking": 0.8,
    "relative_gradient/discriminator": 0.9,
    "relative_gradient/generator": 1.1,
    "weight_growth/discriminator": 1.2,
    "weight_growth/generator": 1.3,
    "diversity/generated": 0.45,
    "diversity/real": 0.48,
    "diversity_within_classes/generated": 0.3,
    "diversity_within_classes/real": 0.35,
    "saturated/generated": 0.3,
    "saturated/real": 0.4,
    "nearest/generated": 0.5,
    "nearest/real": 0.55,
}


def curve(num: int, **changed: float) -> list[dict[str, float]]:
    """`num` lines, 25 steps apart; `changed` are numbers by the last part of their names."""
    return [line(number, changed) for number in range(1, num + 1)]


def line(number: int, changed: Mapping[str, float]) -> dict[str, float]:
    names = {it.removesuffix("/generated").replace("/", "_"): it for it in HEALTHY}
    found = {**HEALTHY, **{names[key]: value for key, value in changed.items()}}
    return {"step": 25 * number, **found}


def then(first: list[dict[str, float]], num: int, **changed: float) -> list[dict[str, float]]:
    """The lines of `first`, and `num` more with other numbers."""
    return [*first, *(line(len(first) + number, changed) for number in range(1, num + 1))]
