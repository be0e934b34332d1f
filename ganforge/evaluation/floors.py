"""Floors: real samples in the place of generated ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ganforge.config.run_config import MetricSelection
from ganforge.measuring.comparison import Comparison, Side
from ganforge.measuring.streams import Progress, Stream

from .plan import Plan
from .sides import RealData


class Floors:
    """The comparisons that give the floors of metrics, each made once."""

    def __init__(
        self, comparison: Comparison, real: RealData, plan: Plan, progress: Progress
    ) -> None:
        self._comparison = comparison
        self._real = real
        self._plan = plan
        self._progress = progress
        self._made: dict[str, Comparison] = {}

    def of(self, metric: MetricSelection) -> tuple[Comparison, str] | None:
        """The comparison that gives the floor of a metric, and what is compared, in words.

        Samples that were trained on stand in for generated ones, against those held out. Where a
        metric compares with what was trained on, or nothing was held out, real samples are cut in
        halves. None for a metric of reconstructions, of which real samples have none.
        """
        reads = metric.spec.reads
        if "reconstruction" in reads:
            return None
        if "training" in reads:
            words, make = "one half of the held-out samples against the other", self._halves_held
        elif not self._plan.has_held_out:
            words, make = "one half of the real samples against the other", self._halves_trained_on
        elif self._plan.split == "held-out":
            words, make = "training samples against held-out ones", self._trained_on
        else:
            words, make = "held-out samples against training ones", self._held
        if words not in self._made:
            self._made[words] = make()
        return self._made[words], words

    def _trained_on(self) -> Comparison:
        known = self._comparison.training
        stream = self._real.training(self._num)
        # The samples that others compare with serve here, where they are as many.
        side = known if known is not None and known.num == stream.num else self._side(stream)
        return replace(self._comparison, fake=side, training=None, reconstruct=None)

    def _held(self) -> Comparison:
        side = self._side(self._real.held(self._num))
        return replace(self._comparison, fake=side, training=None, reconstruct=None)

    def _halves_held(self) -> Comparison:
        return self._halves(self._real.held)

    def _halves_trained_on(self) -> Comparison:
        return self._halves(self._real.training)

    def _halves(self, read: Callable[..., Stream]) -> Comparison:
        first = self._side(read(self._num, first=True))
        second = self._side(read(self._num, first=False))
        return replace(self._comparison, real=first, fake=second, reconstruct=None)

    @property
    def _num(self) -> int:
        return self._comparison.fake.num

    def _side(self, stream: Stream) -> Side:
        return Side(stream, self._progress)
