"""`Scores`: what an evaluation has found, and its form in JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ganforge.plugin.specs import Direction


@dataclass(frozen=True, kw_only=True)
class Floor:
    """The same number for real samples against real ones: what a perfect generator would get.

    `compared` says which; `num` of them stand in for generated ones, against `num_real` others.
    """

    value: float
    compared: str
    num_real: int
    num: int


@dataclass(frozen=True, kw_only=True)
class Score:
    """One number of a metric. `better` says which direction is; None for neither."""

    name: str
    value: float
    better: Direction | None
    features: str | None
    floor: Floor | None


@dataclass(frozen=True, kw_only=True)
class Evaluated:
    """The scores of some samples against real ones of a split, and how they came about.

    `step` is that of the generator, where it says. `extractors` describe, by their names, what
    metrics looked through; `left_out` says why a metric was not measured, `failed` why it could not
    be.
    """

    source: str
    dataset: str
    split: str
    num_real: int
    num: int
    seed: int | None
    scores: tuple[Score, ...]
    extractors: Mapping[str, str]
    fingerprints: Mapping[str, str]
    left_out: Mapping[str, str]
    failed: Mapping[str, str]
    generator: str | None = None
    truncation: float | None = None

    def __getitem__(self, name: str) -> float:
        """A score by its name: `evaluated["fid"]`, `evaluated["modes/kl"]`."""
        for score in self.scores:
            if score.name == name:
                return score.value
        raise KeyError(name)

    def document(self) -> dict[str, Any]:
        """Everything as plain JSON."""
        return asdict(self)
