"""Differences among the samples of one class, beside those of real data."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from ganforge import DataError, Evaluation, Metric


class ClassSpread(Metric):
    """The spread within classes, generated over real: 1 where a class varies as its real samples.

    The spread of a class is the root of the variance summed over all numbers of a sample, its
    standard deviation as one distance. A network that is told the label can make the same sample
    of a class for every latent: the labels are right then, and most other measures see no harm.

    - `mean` and `smallest`: the ratio over the classes, and in the class where it is smallest. Far
      below 1 is collapse; above 1 there is noise, or other classes are among the samples.

    A class takes part that has two samples, whose real ones differ, on either side. DataError where
    there is none.
    """

    def measure(self, evaluation: Evaluation) -> Mapping[str, float]:
        labels, fake_labels = evaluation.labels, evaluation.fake_labels
        assert labels is not None  # the spec says that both are needed
        assert fake_labels is not None
        real = spreads(evaluation.real, labels)
        fake = spreads(evaluation.fake, fake_labels)
        ratios = [fake[it] / real[it] for it in real.keys() & fake.keys() if real[it] > 0]
        if not ratios:
            raise DataError(
                "the metric 'class-spread' needs two samples of a class, real and generated; raise "
                "evaluation.num_samples"
            )
        return {"mean": sum(ratios) / len(ratios), "smallest": min(ratios)}


def spreads(samples: Tensor, labels: Tensor) -> dict[int, float]:
    """The spread of each class with two samples or more: samples `[N, ...]`, labels `[N]`."""
    flat = samples.flatten(1).double()
    counts = torch.bincount(labels)
    # The deviations are from the mean of a sample's own class.
    totals = flat.new_zeros(len(counts), flat.shape[1]).index_add_(0, labels, flat)
    means = totals / counts.clamp_min(1)[:, None]
    squares = (flat - means[labels]).square().sum(1)
    summed = squares.new_zeros(len(counts)).index_add_(0, labels, squares)
    found = (summed / (counts - 1).clamp_min(1)).sqrt().tolist()
    return {number: found[number] for number, count in enumerate(counts.tolist()) if count > 1}
