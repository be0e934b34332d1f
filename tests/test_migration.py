"""What 0.1 wrote in other words is read, and means the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ganforge.config.layers import from_file, from_run, from_text
from ganforge.config.migration import half_life_schedule, learning_rate_schedule
from ganforge.config.resolve import resolve
from ganforge.errors import ConfigError, OutdatedWarning
from ganforge.plugin.registry import Registry
from ganforge.plugin.schedule import Schedule

RUN = Path(__file__).parent / "data" / "run-0.1"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            {
                "learning_rate": 2e-3,
                "schedule": "cosine",
                "decay_from": 0.5,
                "final_factor": 0.0,
                "betas": [0.0, 0.9],
            },
            {
                "learning_rate": {"from": 2e-3, "to": 0.0, "start": 0.5, "shape": "cosine"},
                "betas": [0.0, 0.9],
            },
        ),
        (
            {"learning_rate": 1, "schedule": "linear", "final_factor": 0.1},
            {"learning_rate": {"from": 1, "to": 0.1, "start": 0.0, "shape": "linear"}},
        ),
        (
            {"learning_rate": 1.0, "schedule": "constant", "decay_from": 0.0, "final_factor": 0.1},
            {"learning_rate": 1.0},
        ),
        ({"schedule": "constant"}, {}),
    ],
)
def test_a_falling_learning_rate_becomes_a_schedule(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    learning_rate_schedule(before)
    assert before == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            {"half_life": 5000, "ramp_up": 0.05},
            {"half_life": {"from": 0.0, "to": 5000, "until_images": 100_000}},
        ),
        ({"half_life": 5000, "ramp_up": 0.0}, {"half_life": 5000}),
        ({"half_life": 0, "ramp_up": 0.05}, {"half_life": 0}),
        (
            {"half_life": 1, "ramp_up": 1},
            {"half_life": {"from": 0.0, "to": 1, "until_images": 1}},
        ),
    ],
)
def test_a_ramp_becomes_a_schedule(before: dict[str, Any], after: dict[str, Any]) -> None:
    half_life_schedule(before)
    assert before == after


UNTELLABLE: list[tuple[Any, dict[str, Any]]] = [
    (learning_rate_schedule, {"schedule": "cosine"}),
    (learning_rate_schedule, {"decay_from": 0.5, "learning_rate": 1.0}),
    (learning_rate_schedule, {"schedule": "cosin", "learning_rate": 1.0}),
    (learning_rate_schedule, {"schedule": "cosine", "learning_rate": "fast"}),
    (learning_rate_schedule, {"schedule": "cosine", "learning_rate": {"from": 1, "to": 0}}),
    (half_life_schedule, {"ramp_up": 0.5}),
    (half_life_schedule, {"half_life": 5000, "ramp_up": "slow"}),
    (half_life_schedule, {"half_life": {"from": 0, "to": 9}, "ramp_up": 0.5}),
    (half_life_schedule, {"half_life": 5000}),
]


@pytest.mark.parametrize(("replace", "table"), UNTELLABLE)
def test_what_cannot_be_told_from_the_file_alone_stays(replace: Any, table: dict[str, Any]) -> None:
    before = dict(table)
    replace(table)
    assert table == before


def test_what_stays_is_an_unknown_option_at_its_line(bundled: Registry) -> None:
    text = "[generator_optimizer]\nschedule = 'cosine'\n[ema]\nramp_up = 0.1\n"
    with pytest.raises(ConfigError) as caught:
        resolve([from_text(text, "run.toml")], bundled)
    first, second = caught.value.complaints
    assert str(first).startswith("run.toml:2: generator_optimizer.schedule of the optimizer 'adam'")
    assert str(second).startswith("run.toml:4: ema.ramp_up: unknown option 'ramp_up'")


def test_what_is_migrated_keeps_its_line(bundled: Registry) -> None:
    text = "[generator_optimizer]\nschedule = 'cosine'\nlearning_rate = -1.0\n"
    with pytest.raises(ConfigError, match=r"run\.toml:3: .* -1\.0 is out of range"):
        resolve([from_text(text, "run.toml")], bundled)


def test_the_configuration_of_a_run_of_0_1_resolves_to_what_it_was(bundled: Registry) -> None:
    with pytest.warns(OutdatedWarning, match=r"until 1\.0: generator_optimizer\.schedule, gen"):
        file = from_file(RUN / "config.toml")
    stored = from_run(RUN / "config.toml")  # without a word
    assert [(it.path, it.value) for it in file.entries] == [
        (it.path, it.value) for it in stored.entries
    ]
    config = resolve([file], bundled)
    generator, discriminator = config.generator_optimizer, config.discriminator_optimizer
    assert generator.options.learning_rate == Schedule(
        from_=1e-3, to=0.0, start=0.25, shape="cosine"
    )
    assert discriminator.config_name == "rmsprop"
    assert discriminator.options.learning_rate == Schedule(from_=5e-5, to=5e-5 * 0.1)
    assert config.ema.half_life == Schedule(from_=0.0, to=1000.0, until_images=10_000)
    assert resolve([from_text(config.to_toml(), "run.toml")], bundled) == config
