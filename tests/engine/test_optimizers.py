"""Optimizers that plugins build, and the schedules that their parameter groups follow."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ganforge import Progress
from ganforge.config.layers import from_settings
from ganforge.config.resolve import resolve
from ganforge.engine.optimizers import build_optimizer, scheduled_optimizer, takes_found_inf
from ganforge.engine.signals import StopRequest
from ganforge.engine.trainer import Trainer
from ganforge.errors import PluginError
from ganforge.plugin.discovery import discover
from ganforge.storage import tensor_file

from .conftest import TINY, select_optimizer, trainer_in
from .test_resume import assert_same_run


def at(step: int) -> Progress:
    return Progress(step=step, num_steps=100, images=8 * step)


def test_a_frozen_parameter_is_not_trained(registry):
    network = nn.Linear(2, 2)
    network.bias.requires_grad_(False)
    optimizer = build_optimizer(select_optimizer(registry, "adam"), [*network.parameters()])
    assert [p is network.weight for p in optimizer.param_groups[0]["params"]] == [True]


def test_a_schedule_begins_with_its_first_value_and_sets_the_others(registry):
    selection = select_optimizer(
        registry,
        "adam",
        learning_rate={"from": 0.5, "to": 0.0, "start": 0.5},
        betas={"from": [0.0, 0.9], "to": [0.0, 0.99], "until_images": 400},
    )
    optimizer = build_optimizer(selection, [*nn.Linear(2, 2).parameters()])
    (group,) = optimizer.param_groups
    assert (group["lr"], group["betas"]) == (0.5, (0.0, 0.9))
    scheduled = scheduled_optimizer(selection, optimizer)
    for step, rate, beta in ((0, 0.5, 0.9), (25, 0.5, 0.945), (75, 0.25, 0.99), (100, 0.0, 0.99)):
        scheduled.update(at(step))
        assert group["lr"] == pytest.approx(rate)
        assert group["betas"] == (0.0, pytest.approx(beta))
    assert group["eps"] == 1e-8


class Counting(dict):
    """A parameter group that counts how often something in it is set."""

    num_set = 0

    def __setitem__(self, key, value):
        self.num_set += 1
        super().__setitem__(key, value)


def test_what_has_not_changed_is_not_set_again(registry):
    selection = select_optimizer(
        registry, "sgd", learning_rate={"from": 1.0, "to": 0.0, "start": 0.2, "until": 0.4}
    )
    optimizer = build_optimizer(selection, [*nn.Linear(2, 2).parameters()])
    optimizer.param_groups[0] = Counting(optimizer.param_groups[0])
    scheduled = scheduled_optimizer(selection, optimizer)
    for step in range(100):
        scheduled.update(at(step))
    assert optimizer.param_groups[0].num_set == 20


def test_where_nothing_is_scheduled_there_is_nothing_to_update(make_assembly):
    assert make_assembly().training.schedules._optimizers == ()
    (scheduled,) = make_assembly(
        "generator_optimizer.learning_rate={from=1,to=0}"
    ).training.schedules._optimizers
    assert scheduled.schedules.keys() == {"lr"}


def test_rates_are_set_before_the_updates_of_a_step(make_trainer):
    trainer = make_trainer("generator_optimizer.learning_rate={from=6,to=0}")
    (group,) = trainer.assembly.training.sides.generator.optimizer.param_groups
    seen = []
    while trainer.step < 6:
        trainer.train_step()
        seen.append(group["lr"])
    assert seen == pytest.approx([6.0, 5.0, 4.0, 3.0, 2.0, 1.0])


def test_complex_parameters_are_not_kept_from_a_step_by_the_device(registry):
    real, complex_ = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2) * 1j)
    adam, rmsprop = (select_optimizer(registry, name) for name in ("adam", "rmsprop"))
    assert takes_found_inf(adam, [real])
    assert not takes_found_inf(adam, [real, complex_])
    assert not takes_found_inf(rmsprop, [real])
    assert not build_optimizer(adam, [real, complex_]).param_groups[0]["fused"]


OUTSIDE = """
from dataclasses import dataclass

import ganforge
from ganforge import OptimizerSpec, Schedule, hookimpl, option


@dataclass(frozen=True, kw_only=True)
class LionOptions:
    learning_rate: float | Schedule = option(1e-3, help="step size", minimum=0.0, scheduled=True)
    memory: float | Schedule = option(0.9, help="of the sign", below=1.0, scheduled=True)
    reach: float | Schedule = option(1.0, help="of nothing", scheduled=True)
    broken: str = option("", help="what to do wrong")


@hookimpl
def ganforge_optimizers():
    yield OptimizerSpec(
        name="lion",
        summary="The sign of a moving average (Chen et al., 2023)",
        build="ganforge_lion:build",
        options=LionOptions,
        param_groups={"memory": "beta"},
    )


def build(parameters, options):
    import torch

    class Lion(torch.optim.Optimizer):
        @torch.no_grad()
        def step(self):
            for group in self.param_groups:
                for parameter in group["params"]:
                    if parameter.grad is None:
                        continue
                    state = self.state[parameter]
                    if not state:
                        state["average"] = torch.zeros_like(parameter)
                    if options.broken == "state":
                        state["steps"] = 1
                    state["average"].lerp_(parameter.grad, 1 - group["beta"])
                    parameter.add_(state["average"].sign(), alpha=-group["lr"])

    if options.broken == "nothing":
        return None
    kept = parameters[1:] if options.broken == "forgetful" else parameters
    return Lion(kept, {"lr": options.learning_rate, "beta": options.memory})
"""


@pytest.fixture
def lion(fake_plugin):
    """The components that are there with an optimizer of somebody else."""
    fake_plugin("ganforge-lion", OUTSIDE, version="2.0")
    return discover().registry


@pytest.fixture
def make_lion(lion, tmp_path):
    """A trainer of a run whose networks are both trained by the optimizer of somebody else."""

    def make(*more: str, name: str = "run") -> Trainer:
        chosen = [f"{side}_optimizer.name=lion" for side in ("generator", "discriminator")]
        assignments = (*TINY, *chosen, "output.checkpoint_every=1", "output.log_every=1", *more)
        return trainer_in(tmp_path / name, resolve([from_settings(assignments)], lion))

    return make


@pytest.mark.parametrize(
    "more",
    [
        (),
        ("training.num_accumulation_steps=2", "training.num_discriminator_steps=2"),
        (
            "generator_optimizer.learning_rate={from=1e-2,to=1e-4,shape='exponential'}",
            "generator_optimizer.memory={from=0.5,to=0.9,until_images=30}",
        ),
    ],
    ids=["plain", "accumulated", "scheduled"],
)
def test_an_optimizer_of_another_package_trains_and_resumes_to_the_bit(make_lion, more):
    straight = make_lion(*more, name="straight")
    before = [it.clone() for it in straight.assembly.training.sides.generator.parameters]
    assert straight.train() == "finished"
    after = straight.assembly.training.sides.generator.parameters
    assert not any(torch.equal(*pair) for pair in zip(before, after, strict=True))
    stopped = make_lion(*more)
    stopped.train(StopRequest(lambda: "interrupted" if stopped.step == 3 else None))
    resumed = make_lion(*more)
    resumed.resume()
    assert resumed.step == 3
    resumed.train()
    assert_same_run(straight, resumed)


def test_the_records_of_a_run_name_its_optimizers(make_lion):
    trainer = make_lion("generator_optimizer.memory=0.5")
    trainer.train()
    stored = trainer.run.config.read_text()
    assert "[generator_optimizer]                   # The sign of a moving average" in stored
    assert stored.count('name = "ganforge-lion/lion"') == 2
    _, document = tensor_file.read(trainer.run.checkpoint(6), "checkpoint")
    assert document["components"]["generator_optimizer"] == {
        "name": "ganforge-lion/lion",
        "package": "ganforge-lion",
        "version": "2.0",
        "options": {"learning_rate": 1e-3, "memory": 0.5, "reach": 1.0, "broken": ""},
    }


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (
            "broken=nothing",
            "the optimizer 'lion' of ganforge-lion 2.0 must build a torch.optim.Optimizer, not "
            "NoneType",
        ),
        (
            "broken=forgetful",
            "the optimizer 'lion' of ganforge-lion 2.0 must train each of the 4 parameters it is "
            "given",
        ),
        (
            "reach={from=1,to=0}",
            "reach of the optimizer 'lion' of ganforge-lion 2.0 is scheduled, and none of its "
            "parameter groups has 'reach', so it would never change",
        ),
    ],
)
def test_an_optimizer_that_breaks_its_contract_is_named(make_lion, setting, message):
    with pytest.raises(PluginError) as caught:
        make_lion(f"generator_optimizer.{setting}")
    assert str(caught.value) == message


def test_state_that_no_file_can_hold_is_an_error(make_lion):
    trainer = make_lion("generator_optimizer.broken=state")
    with pytest.raises(PluginError, match="Lion keeps 'steps' as int in the state of a parameter"):
        trainer.train()
