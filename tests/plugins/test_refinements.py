"""Refinements on a pair whose answer is known: latents of the data have z[0] from N(2, 1)."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from ganforge import Inputs, Refined, Refinement
from ganforge.testing.fixtures.reference_pair import PLAIN, STEEPNESS, TOLD, ReferencePair
from ganforge_refinements import ChainOptions, LangevinOptions, RejectionOptions, TopOptions
from ganforge_refinements.chain import MetropolisHastings
from ganforge_refinements.langevin import Langevin
from ganforge_refinements.rejection import Rejection, Top


def refined(made: Refinement, pair: ReferencePair, num: int = 2048) -> tuple[Inputs, Refined]:
    with torch.no_grad():
        made.prepare(pair)
        inputs = pair.fresh(num)
        return inputs, made.refine(pair, inputs)


def moments(values: Tensor) -> tuple[float, float]:
    return values.mean().item(), values.std().item()


def test_a_long_chain_has_the_distribution_of_the_data():
    made = MetropolisHastings(PLAIN, ChainOptions(length=2000))
    _, found = refined(made, ReferencePair(PLAIN))
    mean, std = moments(found.inputs.values[:, 0])
    assert mean == pytest.approx(STEEPNESS, abs=0.08)
    assert std == pytest.approx(1.0, abs=0.08)
    for coordinate in (1, 2, 3):
        assert moments(found.inputs.values[:, coordinate]) == pytest.approx((0, 1), abs=0.08)
    assert found.num_proposed >= 2000 * 2048


def test_a_chain_that_never_moves_begins_again_at_a_sample_of_the_generator():
    pair = ReferencePair(PLAIN)
    pair.real_log_ratios = torch.full_like(pair.real_log_ratios, 1e9)
    _, found = refined(MetropolisHastings(PLAIN, ChainOptions(length=300)), pair)
    assert found.num_proposed == 2 * 300 * 2048
    assert moments(found.inputs.values[:, 0])[0] == pytest.approx(STEEPNESS, abs=0.1)


def test_langevin_dynamics_come_to_the_distribution_of_the_data():
    made = Langevin(PLAIN, LangevinOptions(steps=300, step_size=0.05))
    _, found = refined(made, ReferencePair(PLAIN))
    assert moments(found.inputs.values[:, 0]) == pytest.approx((STEEPNESS, 1.0), abs=0.08)
    assert moments(found.inputs.values[:, 1]) == pytest.approx((0.0, 1.0), abs=0.08)
    assert (found.num_proposed, found.num_accepted) == (0, 0)


def test_rejection_without_gamma_is_rejection_sampling():
    """The chance of equation 3 is exp(d - M); gamma is what moves it."""
    made = Rejection(PLAIN, RejectionOptions(burn_in=1000))
    made.bounds, made.shift = torch.tensor([3.0]), torch.tensor([0.0]).double()
    log_ratios = torch.tensor([-4.0, 0.0, 2.0, 2.9, 3.0])
    groups = torch.zeros(5, dtype=torch.int64)
    chances = made.chance(log_ratios, groups)
    torch.testing.assert_close(chances.float(), (log_ratios - 3).exp(), rtol=1e-5, atol=1e-6)


def test_gamma_is_the_percentile_at_which_a_sample_is_accepted_half_of_the_time():
    made = Rejection(PLAIN, RejectionOptions(burn_in=20_000, percentile=80.0))
    pair = ReferencePair(PLAIN)
    inputs, found = refined(made, pair)
    z = torch.full((1, 4), 0.0)
    z[0, 0] = 0.8416  # the 80th percentile of N(0, 1), and so of d
    chance = made.chance(pair.log_ratio(Inputs(z)), torch.tensor([0]))
    assert chance.item() == pytest.approx(0.5, abs=0.05)
    mean, _ = moments(found.inputs.values[:, 0])
    assert 0.8 < mean < STEEPNESS
    assert 0.15 < found.num_accepted / found.num_proposed < 0.35
    assert found.num_accepted == len(inputs)


def test_the_bound_rises_with_what_is_seen():
    made = Rejection(PLAIN, RejectionOptions(burn_in=100))
    refined(made, ReferencePair(PLAIN), num=64)
    before = made.bounds.item()
    made.chance(torch.tensor([before + 5]), torch.tensor([0]))
    assert made.bounds.item() == before + 5


@pytest.mark.parametrize("share", [0.25, 0.9])
def test_top_k_keeps_the_share_of_highest_score(share: float):
    made = Top(PLAIN, TopOptions(share=share, burn_in=20_000))
    _, found = refined(made, ReferencePair(PLAIN))
    threshold = torch.special.ndtri(torch.tensor(1 - share)).item()
    assert found.inputs.values[:, 0].min().item() > threshold - 0.05
    assert found.num_accepted / found.num_proposed == pytest.approx(share, abs=0.03)


def test_each_class_has_its_own_threshold():
    """The labels of the pair shift d, so that one threshold would leave the first class empty."""
    made = Top(TOLD, TopOptions(share=0.25, burn_in=20_000))
    inputs, found = refined(made, ReferencePair(TOLD))
    assert torch.equal(found.inputs.labels, inputs.labels)
    assert made.thresholds.diff() == pytest.approx([1.0, 1.0], abs=0.15)
    for label in range(3):
        ours = found.inputs.values[inputs.labels == label, 0]
        assert ours.min().item() == pytest.approx(0.6745, abs=0.08)


class Hopeless(ReferencePair):
    """A sample of the first class is never accepted."""

    def log_ratio(self, inputs: Inputs) -> Tensor:
        found = super().log_ratio(inputs)
        return torch.where(self.groups(inputs) == 0, found - self.penalty, found)

    penalty = 0.0


def test_what_is_never_accepted_is_the_best_that_was_found_and_counted(monkeypatch: Any):
    monkeypatch.setattr("ganforge_refinements.rejection.MOST", 50)
    made = Top(TOLD, TopOptions(share=0.5, burn_in=3000))
    pair = Hopeless(TOLD)
    with torch.no_grad():
        made.prepare(pair)
        pair.penalty = 100.0
        inputs = pair.fresh(30)
        found = made.refine(pair, inputs)
    assert found.num_failed == 10
    best = found.inputs.values[inputs.labels == 0, 0]
    # The best of fifty draws of N(0, 1) is 2.25 in the mean.
    assert best.mean().item() > 1.5
