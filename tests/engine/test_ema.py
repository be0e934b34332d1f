"""Averages with a half-life in images, which may follow a schedule."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ganforge import Progress, Schedule
from ganforge.config.settings import EMASettings
from ganforge.engine.ema import EMA


def after(images: int) -> Progress:
    return Progress(step=1, num_steps=4, images=images)


def test_a_weight_counts_half_after_the_half_life():
    network = nn.Linear(1, 1)
    nn.init.zeros_(network.weight)
    ema = EMA(network, 1000.0)
    nn.init.ones_(network.weight)
    for update in range(10):
        ema.update(batch_size=100, progress=after(100 * (update + 1)))
    assert ema.module.weight.item() == pytest.approx(0.5, abs=1e-6)


def test_early_averages_follow_the_network():
    network = nn.Linear(1, 1)
    ramp = Schedule(from_=0.0, to=1_000_000.0, until_images=20_000_000)
    ema = EMA(network, ramp)
    nn.init.constant_(network.weight, 7.0)
    ema.update(batch_size=64, progress=after(64))
    assert after(64).value(ramp) == pytest.approx(3.2)
    assert ema.module.weight.item() == pytest.approx(7.0, abs=1e-4)


def test_the_usual_half_life_is_a_twentieth_of_the_images_seen_up_to_40000():
    usual = EMASettings().half_life
    for images in (1, 64, 1216, 77_777, 799_999, 800_000, 10**7):
        assert after(images).value(usual) == pytest.approx(min(40_000, 0.05 * images))


def test_while_the_half_life_is_0_the_average_is_the_network():
    network = nn.Linear(3, 2)
    ema = EMA(network, Schedule(from_=0.0, to=100.0, start=0.5))
    nn.init.constant_(network.weight, 7.0)
    ema.update(batch_size=8, progress=after(8))
    assert torch.equal(ema.module.weight, network.weight)


def test_batch_statistics_are_averaged_and_counters_copied():
    network = nn.BatchNorm1d(2)
    ema = EMA(network, 100.0)
    network.running_mean.fill_(4.0)
    network.num_batches_tracked.fill_(9)
    ema.update(batch_size=100, progress=after(100))
    assert ema.module.running_mean.tolist() == [2.0, 2.0]
    assert ema.module.num_batches_tracked.item() == 9


def test_the_average_wants_no_gradient_and_is_in_evaluation_mode():
    ema = EMA(nn.Sequential(nn.Linear(1, 1), nn.Dropout()), 5000.0)
    assert not any(parameter.requires_grad for parameter in ema.module.parameters())
    assert not ema.module.training


def test_a_half_life_of_0_keeps_no_average(make_assembly):
    assert make_assembly("ema.half_life=0").training.sides.ema is None
    assert make_assembly("ema.half_life={from=0,to=0}").training.sides.ema is not None
