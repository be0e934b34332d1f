"""Averages with a half-life in images, and learning rates as functions of the step."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from ganforge.config.settings import (
    AdamSettings,
    AdamWSettings,
    EMASettings,
    RMSpropSettings,
    SGDSettings,
)
from ganforge.engine.ema import EMA
from ganforge.engine.optimizers import build_optimizer, learning_rate


def test_a_weight_counts_half_after_the_half_life():
    network = nn.Linear(1, 1)
    nn.init.zeros_(network.weight)
    ema = EMA(network, EMASettings(half_life=1000, ramp_up=0.0))
    nn.init.ones_(network.weight)
    for update in range(10):
        ema.update(batch_size=100, images_seen=100 * (update + 1))
    assert ema.module.weight.item() == pytest.approx(0.5, abs=1e-6)


def test_early_averages_follow_the_network():
    network = nn.Linear(1, 1)
    ema = EMA(network, EMASettings(half_life=1_000_000, ramp_up=0.05))
    nn.init.constant_(network.weight, 7.0)
    ema.update(batch_size=64, images_seen=64)
    assert ema.half_life(64) == pytest.approx(3.2)
    assert ema.module.weight.item() == pytest.approx(7.0, abs=1e-4)


def test_batch_statistics_are_averaged_and_counters_copied():
    network = nn.BatchNorm1d(2)
    ema = EMA(network, EMASettings(half_life=100, ramp_up=0.0))
    network.running_mean.fill_(4.0)
    network.num_batches_tracked.fill_(9)
    ema.update(batch_size=100, images_seen=100)
    assert ema.module.running_mean.tolist() == [2.0, 2.0]
    assert ema.module.num_batches_tracked.item() == 9


def test_the_average_wants_no_gradient_and_is_in_evaluation_mode():
    ema = EMA(nn.Sequential(nn.Linear(1, 1), nn.Dropout()), EMASettings())
    assert not any(parameter.requires_grad for parameter in ema.module.parameters())
    assert not ema.module.training


@pytest.mark.parametrize(
    ("schedule", "step", "expected"),
    [
        ("constant", 99, 1.0),
        ("linear", 0, 1.0),
        ("linear", 49, 1.0),
        ("linear", 75, 0.5 + 0.5 * 0.1),
        ("linear", 100, 0.1),
        ("cosine", 50, 1.0),
        ("cosine", 75, 0.5 + 0.5 * 0.1),
        ("cosine", 100, 0.1),
        ("cosine", 200, 0.1),
    ],
)
def test_schedules(schedule, step, expected):
    settings = AdamSettings(learning_rate=1.0, schedule=schedule, decay_from=0.5, final_factor=0.1)
    assert learning_rate(settings, step, 100) == pytest.approx(expected)


def test_cosine_is_a_cosine():
    settings = AdamSettings(learning_rate=2.0, schedule="cosine")
    expected = 2.0 * 0.5 * (1 + math.cos(math.pi * 0.25))
    assert learning_rate(settings, 25, 100) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        (
            AdamSettings(learning_rate=0.1, betas=(0.0, 0.9), epsilon=1e-6, weight_decay=0.3),
            {"lr": 0.1, "betas": (0.0, 0.9), "eps": 1e-6, "weight_decay": 0.3, "fused": True},
        ),
        (
            AdamWSettings(betas=(0.1, 0.2)),
            {"lr": 4e-4, "betas": (0.1, 0.2), "weight_decay": 0.01, "fused": True},
        ),
        (
            RMSpropSettings(smoothing=0.8, momentum=0.4, epsilon=1e-5, weight_decay=0.2),
            {"lr": 5e-5, "alpha": 0.8, "momentum": 0.4, "eps": 1e-5, "weight_decay": 0.2},
        ),
        (SGDSettings(momentum=0.7, weight_decay=0.1), {"lr": 0.01, "momentum": 0.7}),
    ],
)
def test_optimizers_get_every_setting(settings, wanted):
    optimizer = build_optimizer(settings, nn.Linear(2, 2).parameters(), torch.device("cpu"))
    (group,) = optimizer.param_groups
    assert {key: group[key] for key in wanted} == wanted


def test_a_frozen_parameter_is_not_trained():
    network = nn.Linear(2, 2)
    network.bias.requires_grad_(False)
    optimizer = build_optimizer(AdamSettings(), network.parameters(), torch.device("cpu"))
    assert [p is network.weight for p in optimizer.param_groups[0]["params"]] == [True]
