"""Batches of a distribution: every one is drawn afresh."""

from __future__ import annotations

from collections.abc import Mapping

from ganforge.contracts import Batch, EndlessDataset
from ganforge.device.execution import Execution
from ganforge.device.randomness import Randomness
from ganforge.errors import PluginError
from ganforge.plugin.failures import failing_as
from ganforge.plugin.fields import SAMPLE, Field
from ganforge.printable import represented

from .batches import Batches
from .scaling import prepared


class DrawnBatches(Batches):
    """A distribution."""

    num_samples = None
    num_held_out = None

    def __init__(
        self,
        dataset: EndlessDataset,
        fields: Mapping[str, Field],
        batch_size: int,
        execution: Execution,
        randomness: Randomness,
        label: str = "the data set",
    ) -> None:
        self._dataset = dataset
        self._fields = fields
        self._batch_size = batch_size
        self._execution = execution
        self._randomness = randomness
        self._label = label

    def batch(self, number: int) -> Batch:
        return self._draw(self._batch_size, "data", number)

    def held_out(self, start: int, num: int) -> Batch:
        return self._draw(num, "held-out", start)

    def trained_on(self, start: int, num: int, of: int) -> Batch:
        return self._draw(min(num, of - start), "trained-on", start)

    def _draw(self, num: int, stream: str, number: int) -> Batch:
        with failing_as(f"{self._label} failed"):
            drawn = self._dataset.draw(num, self._randomness.generator(stream, number))
        if not isinstance(drawn, Batch):
            shown = represented(drawn)
            raise PluginError(f"{self._label} must draw a ganforge.Batch, not {shown}")
        others = {
            name: prepared(drawn.others[name], field)
            for name, field in self._fields.items()
            if name != SAMPLE and name in drawn.others
        }
        samples = prepared(drawn.samples, self._fields[SAMPLE])
        return Batch(self._execution.arrange(samples), **others)
