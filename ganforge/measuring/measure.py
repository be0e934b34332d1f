"""Metrics taken of a comparison: their numbers, named as files and tables name them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch

from ganforge.config.run_config import MetricSelection
from ganforge.contracts import Metric
from ganforge.errors import PluginError
from ganforge.printable import represented

from .comparison import Comparison
from .extraction import ReadyExtractor


@dataclass(frozen=True, kw_only=True)
class ChosenMetric:
    """A metric, ready to measure."""

    selection: MetricSelection
    metric: Metric

    def measure(self, comparison: Comparison, extractor: ReadyExtractor | None) -> dict[str, float]:
        """Its numbers as a run names them, `mae` or `modes/high_quality`. Raises PluginError.

        The only number of a metric that bears the metric's name is called after it alone.
        """
        values = self.metric_values(comparison, extractor)
        return {self.selection.full_name(key, [*values]): it for key, it in values.items()}

    def metric_values(
        self, comparison: Comparison, extractor: ReadyExtractor | None
    ) -> dict[str, float]:
        """Its numbers by the names that it gives them, as it sees samples through an extractor.

        Raises PluginError where they are no finite numbers.
        """
        component = self.selection.component
        with torch.inference_mode():
            seen = comparison.through(extractor)
            values = component.call("failed", self.metric.measure, seen)
        numbers = isinstance(values, Mapping) and values
        if not numbers or not all(
            type(value) in (int, float) and math.isfinite(value) for value in values.values()
        ):
            raise PluginError(
                f"the metric {component.name!r} of {component.origin} must give finite numbers by "
                f"name, not {represented(values, 200)}"
            )
        return {str(name): float(value) for name, value in values.items()}
