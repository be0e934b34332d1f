"""Samples as their own features."""

from __future__ import annotations

from torch import Tensor

from ganforge import Extracted, FeatureExtractor


class Identity(FeatureExtractor):
    """The numbers of a sample, in one row `[B, D]`."""

    convention = "the numbers of a sample"

    def extract(self, samples: Tensor) -> Extracted:
        return Extracted(samples.flatten(1).float())
