"""The formulas against those of torch-fidelity, on the same features."""

from __future__ import annotations

import numpy as np
import pytest

from ganforge_metrics.class_scores import split_scores
from ganforge_metrics.frechet import frechet_distance, gaussian_of
from ganforge_metrics.kernel_distance import kernel_distance
from ganforge_metrics.manifolds import prdc

from .measured import correlated, gaussian

pytest.importorskip("torch_fidelity", reason="torch-fidelity is not installed")

REAL, FAKE = correlated(1500, 96, 0), correlated(1200, 96, 1, mean=0.05)


def test_the_frechet_distance_to_six_digits():
    from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric

    statistics = [fid_features_to_statistics(it) for it in (REAL, FAKE)]
    (expected,) = fid_statistics_to_metric(*statistics, verbose=False).values()
    found = frechet_distance(gaussian_of(REAL), gaussian_of(FAKE))
    assert found == pytest.approx(expected, rel=1e-6)


def test_the_kernel_distance_of_the_same_subsets():
    from torch_fidelity.metric_kid import kid_features_to_metric

    found = kid_features_to_metric(
        REAL, FAKE, kid_subsets=20, kid_subset_size=1000, rng_seed=5, verbose=False
    )
    draws = np.random.RandomState(5)
    values = []
    for _ in range(20):
        one = draws.choice(len(REAL), 1000, replace=False)
        other = draws.choice(len(FAKE), 1000, replace=False)
        values.append(kernel_distance(REAL[one], FAKE[other]))
    mean, std = found.values()
    assert np.mean(values) == pytest.approx(mean, rel=1e-3)
    assert np.std(values) == pytest.approx(std, rel=1e-3)


def test_the_inception_score():
    from torch_fidelity.metric_isc import isc_features_to_metric

    logits = 3 * gaussian(1003, 10, 0)
    mean, std = isc_features_to_metric(logits, splits=10, shuffle=False).values()
    found = split_scores(logits, 10)
    assert found.mean().item() == pytest.approx(mean, rel=1e-6)
    assert found.std(correction=0).item() == pytest.approx(std, rel=1e-6)


def test_precision_and_recall():
    from torch_fidelity.metric_prc import prc_features_to_metric

    # What is measured is the first.
    expected = prc_features_to_metric(
        FAKE, REAL, prc_neighborhood=3, prc_batch_size=500, save_cpu_ram=False, verbose=False
    )
    found = prdc(REAL, FAKE, 3, 5)
    assert 0 < found["precision"] < 1
    assert found["precision"] == pytest.approx(expected["precision"], abs=2e-3)
    assert found["recall"] == pytest.approx(expected["recall"], abs=2e-3)
