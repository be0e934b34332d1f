"""Error of a generator's reconstructions of real samples."""

from __future__ import annotations

from collections.abc import Mapping

from ganforge import Evaluation, Metric, NoOptions, Problem


class MeanAbsoluteError(Metric):
    """`mae`: the mean of |G(x) - x| over samples and their values.

    Images, which lie in [-1, 1], are compared on a scale from 0 to 1, where the difference is half
    as large; vectors in their own units.
    """

    def __init__(self, problem: Problem, options: NoOptions) -> None:
        self.scale = 0.5 if len(problem.sample_shape) == 3 else 1.0

    def measure(self, evaluation: Evaluation) -> Mapping[str, float]:
        error = (evaluation.reconstruction - evaluation.real).abs().mean()
        return {"mae": self.scale * error.item()}
