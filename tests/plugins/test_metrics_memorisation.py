"""Copies and repeats: what real samples score, and what each way of copying does."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ganforge import DataError, Problem
from ganforge_metrics import MemorisationOptions
from ganforge_metrics.memorisation import Memorisation, neighbourhoods

from .measured import Looked, gaussian

D = 8


def measured(fake: Tensor, *, held_out: Tensor, training: Tensor, level: float = 0.01):
    metric = Memorisation(
        Problem(sample_shape=(D,), input_shape=(2,)), MemorisationOptions(level=level)
    )
    return metric.measure(Looked(real=held_out, fake=fake, training=training))


def crowded(n: int, seed: int) -> Tensor:
    """Samples of two kinds, one a hundred times as crowded as the other."""
    samples = gaussian(n, D, seed)
    samples[: n // 2] *= 0.01
    return samples


@pytest.mark.parametrize(("num_training", "num_held_out"), [(1000, 1000), (4000, 600)])
@pytest.mark.parametrize("draw", [lambda n, seed: gaussian(n, D, seed), crowded])
def test_a_perfect_generator_has_what_real_samples_have(draw, num_training, num_held_out):
    training, held_out = draw(num_training, 0), draw(num_held_out, 1)
    found = measured(draw(1000, 2), held_out=held_out, training=training)
    assert found["nn_ratio"] == pytest.approx(1, abs=0.08)
    assert found["copies"] < 0.04
    assert found["repeats"] < 0.04


def test_copies_are_counted_whatever_is_added_to_them():
    training, held_out = gaussian(1000, D, 0), gaussian(1000, D, 1)
    copied = measured(training, held_out=held_out, training=training)
    assert copied["copies"] == 1
    assert copied["nn_ratio"] < 1e-4
    assert copied["repeats"] < 0.05
    noisy = measured(training + 0.05 * gaussian(1000, D, 2), held_out=held_out, training=training)
    assert noisy["copies"] > 0.95
    assert noisy["nn_ratio"] < 0.2
    some = torch.cat([training[:300], gaussian(700, D, 3)])
    found = measured(some, held_out=held_out, training=training)
    assert found["copies"] == pytest.approx(0.3 + 0.7 * 0.01, abs=0.02)


def test_samples_of_a_crowded_kind_are_no_copies():
    # Each lies nearer to a training sample than nearly all real samples of the other kind do.
    training, held_out = crowded(1000, 0), crowded(1000, 1)
    found = measured(0.01 * gaussian(1000, D, 2), held_out=held_out, training=training)
    assert found["copies"] < 0.04


def test_copies_of_held_out_samples_are_none_of_training_samples():
    training, held_out = gaussian(500, D, 0), gaussian(500, D, 1)
    found = measured(held_out, held_out=held_out, training=training)
    assert found["copies"] == 0
    assert found["nn_ratio"] > 1e3


def test_repeats_are_counted_and_are_no_copies():
    training, held_out = gaussian(1000, D, 0), gaussian(1000, D, 1)
    repeated = gaussian(100, D, 2).repeat(10, 1)
    found = measured(repeated, held_out=held_out, training=training)
    assert found["repeats"] == 1
    assert found["copies"] < 0.05
    nearly = repeated + 0.01 * gaussian(1000, D, 3)
    assert measured(nearly, held_out=held_out, training=training)["repeats"] > 0.95


def test_numbers_of_both_kinds_are_made_equal_before_repeats_are_counted():
    training, held_out = gaussian(1000, D, 0), gaussian(300, D, 1)
    found = neighbourhoods(gaussian(5000, D, 2), held_out, training)
    assert len(found.apart) == len(found.held_out_apart) == 300
    assert found.apart.median() == pytest.approx(found.held_out_apart.median().item(), rel=0.1)


def test_rows_that_are_in_the_data_twice_are_nobodys_copies():
    values = torch.arange(30.0)[:, None].expand(30, D)

    def draw(seed):
        return values[torch.randint(30, (600,), generator=torch.Generator().manual_seed(seed))]

    found = measured(draw(2), held_out=draw(1), training=draw(0))
    assert found["copies"] < 0.02
    assert found["nn_ratio"] == pytest.approx(1)
    assert found["repeats"] == 1  # as real ones have


def test_the_level_is_the_share_of_real_samples_that_count():
    training, held_out = gaussian(2000, D, 0), gaussian(2000, D, 1)
    found = measured(gaussian(2000, D, 2), held_out=held_out, training=training, level=0.2)
    assert found["copies"] == pytest.approx(0.2, abs=0.05)
    assert found["repeats"] == pytest.approx(0.2, abs=0.05)


def test_too_few_samples_are_refused():
    few, many = gaussian(19, D, 0), gaussian(50, D, 1)
    with pytest.raises(DataError, match="needs 20 samples of each kind, and there are 19 held-out"):
        measured(many, held_out=few, training=many)
