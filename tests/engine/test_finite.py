"""NaN and infinity stop a run before anything is updated with them, on both kinds of device."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from ganforge import Loss
from ganforge.contracts import Batch, Draw, Inputs
from ganforge.engine.finite import FiniteGuard
from ganforge.engine.objective import Objective
from ganforge.engine.optimizers import build_optimizer, takes_found_inf
from ganforge.engine.sides import Side
from ganforge.engine.step import update
from ganforge.errors import NonFiniteError

from .conftest import select_optimizer
from .steps import small_training, term

CPU = torch.device("cpu")


class Faulty(Loss):
    """The mean of the samples, or from step `at` on something that is not finite."""

    def __init__(self, at, how):
        super().__init__()
        self.at, self.how, self.step = at, how, 0

    def generator_loss(self, step):
        self.step += 1
        loss = step.fake.mean()
        if self.step <= self.at:
            return loss
        if self.how == "gradient":
            # The square root is 0 here, and its derivative infinite.
            return (loss - loss.detach()).abs().sqrt()
        return loss * float(self.how)


def trained(selection):
    torch.manual_seed(0)
    network = torch.nn.Linear(2, 3)
    parameters = list(network.parameters())
    assert takes_found_inf(selection, parameters)
    optimizer = build_optimizer(selection, parameters)
    return Side(network=network, optimizer=optimizer, parameters=parameters)


DRAW = Draw(Batch(torch.zeros(4, 3)), Inputs(torch.ones(4, 2)))


@pytest.mark.parametrize(
    ("name", "options"), [("adam", {}), ("adamw", {}), ("sgd", {"momentum": 0.5})]
)
@pytest.mark.parametrize("deferred", [False, True])
@pytest.mark.parametrize("how", ["nan", "inf", "gradient"])
def test_the_bad_step_is_named_and_updates_nothing(registry, name, options, deferred, how):
    generator = trained(select_optimizer(registry, name, **options))
    fine = term("fine", Faulty(100, "nan"), origin="p 1")
    bad = term("bad", Faulty(2, how), origin="q 2")
    objective = Objective([fine, bad])
    guard = FiniteGuard(objective.terms, CPU, deferred=deferred)
    guard.watch(generator.optimizer)
    training = small_training(generator, objective, guard)
    snapshots = []

    def run():
        for step in range(5):
            snapshots.append(generator.network.weight.detach().clone())
            update(training, "generator", [DRAW], training.progress(step), 0)
        snapshots.append(generator.network.weight.detach().clone())
        guard.check()

    with pytest.raises(NonFiniteError) as caught:
        run()
    message = str(caught.value)
    assert "generator's update of step 3" in message
    if how == "gradient":
        assert "the gradient of the loss" in message
    else:
        assert "the loss 'bad' of q 2 became" in message
        assert "fine" not in message
    assert len(snapshots) == (6 if deferred else 3)
    assert not torch.equal(snapshots[0], snapshots[2])
    for later in snapshots[2:]:
        assert torch.equal(later, snapshots[2])
    assert torch.equal(generator.network.weight, snapshots[2])


def test_finite_updates_pass_the_check():
    guard = FiniteGuard([], CPU, deferred=True)
    guard.check()
    assert guard._bad.item() == 0.0


def test_nothing_is_saved_after_a_bad_update(make_trainer):
    trainer = make_trainer()
    a = trainer.assembly
    guard = FiniteGuard(a.training.objective.terms, CPU, deferred=True)
    trainer.assembly = replace(a, training=replace(a.training, guard=guard))
    trainer.train_step()
    trainer.save()
    saved = sorted(trainer.run.checkpoints.iterdir())
    before = trainer.run.generator.read_bytes()
    with torch.no_grad():
        a.training.sides.generator.parameters[0].fill_(float("nan"))
    trainer.train_step()
    with pytest.raises(NonFiniteError, match=r"'nonsat' of ganforge .* of step 2"):
        trainer.save()
    assert sorted(trainer.run.checkpoints.iterdir()) == saved
    assert trainer.run.generator.read_bytes() == before
