"""The bundled optimizers get every option."""

from __future__ import annotations

import pytest
from torch import nn

import ganforge_optimizers
from ganforge import Schedule
from ganforge_optimizers import AdamOptions, AdamWOptions, RMSpropOptions, SGDOptions, builders

SPECS = {spec.name: spec for spec in ganforge_optimizers.ganforge_optimizers()}


@pytest.mark.parametrize(
    ("build", "options", "wanted"),
    [
        (
            builders.build_adam,
            AdamOptions(learning_rate=0.1, betas=(0.0, 0.9), epsilon=1e-6, weight_decay=0.3),
            {"lr": 0.1, "betas": (0.0, 0.9), "eps": 1e-6, "weight_decay": 0.3, "fused": True},
        ),
        (
            builders.build_adamw,
            AdamWOptions(learning_rate=4e-4, betas=(0.1, 0.2)),
            {"lr": 4e-4, "betas": (0.1, 0.2), "weight_decay": 0.01, "fused": True},
        ),
        (
            builders.build_rmsprop,
            RMSpropOptions(smoothing=0.8, momentum=0.4, epsilon=1e-5, weight_decay=0.2),
            {"lr": 5e-5, "alpha": 0.8, "momentum": 0.4, "eps": 1e-5, "weight_decay": 0.2},
        ),
        (
            builders.build_sgd,
            SGDOptions(momentum=0.7, weight_decay=0.1),
            {"lr": 0.01, "momentum": 0.7, "weight_decay": 0.1, "fused": True},
        ),
    ],
)
def test_optimizers_get_every_option(build, options, wanted):
    (group,) = build([*nn.Linear(2, 2).parameters()], options).param_groups
    assert {key: group[key] for key in wanted} == wanted


def test_the_usual_options_of_a_gan():
    assert AdamOptions() == AdamOptions(
        learning_rate=Schedule(from_=1e-3, to=0.0, start=0.5, shape="cosine"),
        betas=(0.0, 0.99),
        epsilon=1e-8,
        weight_decay=0.0,
    )
    assert [name for name, spec in SPECS.items() if spec.found_inf] == ["adam", "adamw", "sgd"]


def test_options_are_found_in_the_parameter_groups():
    keys = ("learning_rate", "epsilon", "smoothing", "weight_decay")
    assert [SPECS["rmsprop"].key_of(it) for it in keys] == ["lr", "eps", "alpha", "weight_decay"]
