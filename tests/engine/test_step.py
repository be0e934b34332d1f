"""The engine's updates against the same updates written out by hand."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn.functional import softplus

from ganforge import Progress, Schedule
from ganforge.contracts import Batch, Draw, Inputs, Loss, Observed
from ganforge.engine.objective import Objective
from ganforge.engine.step import read_scores, update
from ganforge.errors import PluginError

from .steps import make_step, term

TINY_IMAGES = (
    "dataset.size=8",
    "training.batch_size=8",
    "training.steps=6",
    "training.conditional=false",
    "execution.device=cpu",
    "output.grid_samples=4",
)
HALFWAY = Progress(step=5, num_steps=10, images=40)


def weights(module):
    return {name: value.clone() for name, value in module.state_dict().items()}


def assert_equal(left, right):
    assert left.keys() == right.keys()
    for name, value in left.items():
        assert torch.equal(value, right[name]), name


@pytest.mark.parametrize("reuse", ["false", "true"])
def test_three_steps_equal_the_loop_of_the_paper(make_trainer, reuse):
    """Goodfellow et al., algorithm 1, with fresh latents for the generator, or the same fakes."""
    trainer = make_trainer(f"training.reuse_fakes={reuse}")
    a = trainer.assembly
    generator = copy.deepcopy(a.training.sides.generator.network)
    discriminator = copy.deepcopy(a.training.sides.discriminator.network)
    g_adam = torch.optim.Adam(generator.parameters(), 4e-4, (0.5, 0.999), fused=True)
    d_adam = torch.optim.Adam(discriminator.parameters(), 4e-4, (0.5, 0.999), fused=True)
    for step in range(3):
        real = a.data.batches.batch(step).samples
        z = a.training.feed.sampler.sample(
            8, generator=a.training.randomness.generator("inputs", step, 0, 0)
        ).values
        fake = generator(z)
        d_loss = (
            softplus(-discriminator(real)).mean() + softplus(discriminator(fake.detach())).mean()
        )
        d_adam.zero_grad()
        d_loss.backward()
        d_adam.step()
        if reuse == "false":
            z = a.training.feed.sampler.sample(
                8, generator=a.training.randomness.generator("inputs", step, 1, 0)
            ).values
            fake = generator(z)
        g_loss = softplus(-discriminator(fake)).mean()
        g_adam.zero_grad()
        g_loss.backward()
        g_adam.step()
        trainer.train_step()
    assert_equal(weights(a.training.sides.generator.network), weights(generator))
    assert_equal(weights(a.training.sides.discriminator.network), weights(discriminator))


def test_generator_update_leaves_no_gradient_on_the_discriminator(make_trainer):
    trainer = make_trainer()
    trainer.train_step()
    before = [p.grad.clone() for p in trainer.assembly.training.sides.discriminator.parameters]
    a = trainer.assembly
    draws = a.training.feed.draws(a.data.batches.batch(0), 9, 0)
    update(a.training, "generator", draws, a.training.progress(1), 0)
    for old, parameter in zip(before, a.training.sides.discriminator.parameters, strict=True):
        assert torch.equal(old, parameter.grad)
    assert all(parameter.requires_grad for parameter in a.training.sides.discriminator.parameters)


def test_accumulated_parts_equal_the_whole_batch(make_trainer):
    """Without batch statistics, two half batches give the gradient of the whole one."""
    trainer = make_trainer("training.num_accumulation_steps=2")
    a = trainer.assembly
    discriminator = copy.deepcopy(a.training.sides.discriminator.network)
    real = a.data.batches.batch(0).samples
    draws = a.training.feed.draws(Batch(real), 0, 0)
    with torch.no_grad():
        fake = torch.cat([a.training.sides.generator.network(draw.inputs.values) for draw in draws])
    loss = softplus(-discriminator(real)).mean() + softplus(discriminator(fake)).mean()
    gradients = torch.autograd.grad(loss, list(discriminator.parameters()))
    trainer.train_step()
    for expected, parameter in zip(
        gradients, a.training.sides.discriminator.parameters, strict=True
    ):
        torch.testing.assert_close(parameter.grad, expected)


def test_discriminator_steps_use_fresh_real_batches(make_trainer, monkeypatch):
    trainer = make_trainer("training.num_discriminator_steps=3")
    asked = []
    batch = trainer.assembly.data.batches.batch
    monkeypatch.setattr(
        trainer.assembly.data.batches, "batch", lambda number: asked.append(number) or batch(number)
    )
    trainer.train_step()
    trainer.train_step()
    assert asked == [0, 1, 2, 3, 4, 5]


def test_a_step_computes_only_what_is_read_and_once():
    calls = {"generator": 0, "discriminator": 0}

    def generator(inputs):
        calls["generator"] += 1
        return inputs * 2

    def discriminator(samples):
        calls["discriminator"] += 1
        return samples.sum(1)

    ones = torch.ones(4, 3)
    step = make_step("discriminator", Batch(ones), Inputs(ones), generator, discriminator)
    assert calls == {"generator": 0, "discriminator": 0}
    assert step.fake_scores.tolist() == [6.0] * 4
    assert step.fake_scores.tolist() == [6.0] * 4
    assert calls == {"generator": 1, "discriminator": 1}
    assert [kind for kind, _ in read_scores(step)] == ["fake"]


def test_gradient_flows_to_fakes_in_the_generators_update_only():
    generator = torch.nn.Linear(3, 3)
    discriminator = torch.nn.Linear(3, 1)
    ones = torch.ones(4, 3)
    for side, wanted in (("discriminator", False), ("generator", True)):
        step = make_step(side, Batch(ones), Inputs(ones), generator, discriminator)
        assert step.fake.requires_grad is wanted
        assert step.real_scores.requires_grad is not wanted
        assert step.generate(ones).requires_grad is wanted
        assert step.discriminate(ones).requires_grad


def test_fakes_are_kept_for_the_generators_update_with_their_gradient():
    generator, discriminator = torch.nn.Linear(3, 3), torch.nn.Linear(3, 1)
    draw = Draw(Batch(torch.ones(4, 3)), Inputs(torch.ones(4, 3)), keep=True)
    first = make_step("discriminator", draw.batch, draw.inputs, generator, discriminator)
    first.draw = draw
    assert not first.fake.requires_grad
    second = make_step("generator", draw.batch, draw.inputs, generator, discriminator)
    second.draw = draw
    assert second.fake.requires_grad
    assert first.fake.data_ptr() == second.fake.data_ptr()


def constant_loss(value):
    from ganforge import Loss

    class Constant(Loss):
        def generator_loss(self, step):
            return torch.tensor(value) if isinstance(value, float | list) else value

    return Constant()


def evaluated(objective, step):
    """The values of the terms that are due."""
    return {it.name: it.value("generator", None) for it in objective.due("generator", step)}


def test_objective_weighs_terms_and_multiplies_lazy_ones():
    objective = Objective(
        [
            term("a", constant_loss(1.0), weight=2.0),
            term("b", constant_loss(10.0), weight=0.5, every=4),
        ]
    )
    due = evaluated(objective, 8)
    assert objective.total(due, HALFWAY).item() == 2.0 + 0.5 * 4 * 10.0
    assert evaluated(objective, 9).keys() == {"a"}
    assert not objective.due("discriminator", 8)


def test_a_term_begins_where_it_is_told_to():
    objective = Objective([term("late", constant_loss(1.0), start=3, every=2)])
    assert [len(objective.due("generator", step)) for step in range(6)] == [0, 0, 0, 0, 1, 0]


def test_a_term_without_a_loss_is_told_of_both_sides_and_constrains():
    class Controller(Loss):
        def __init__(self):
            super().__init__()
            self.told = []

        def observe(self, observed):
            self.told.append(observed.side)

        def constrain_discriminator(self, discriminator):
            discriminator.weight.clamp_(-0.5, 0.5)

    controller = Controller()
    objective = Objective([term("a", constant_loss(1.0)), term("b", controller, trains=())])
    for side in ("discriminator", "generator"):
        assert objective.observes(side)
        objective.observe(
            Observed(side=side, progress=HALFWAY, batch_size=4, real_scores=None, fake_scores=None),
            {},
        )
    assert controller.told == ["discriminator", "generator"]
    assert [it.name for it in objective.due("generator", 0)] == ["a"]
    assert not objective.due("discriminator", 0)
    critic = nn.Linear(2, 1)
    with torch.no_grad():
        critic.weight.fill_(3.0)
        objective.constrain(critic)
    assert critic.weight.tolist() == [[0.5, 0.5]]


def test_the_weight_of_a_term_may_follow_a_schedule():
    falling = Schedule(from_=3.0, to=1.0)
    objective = Objective([term("a", constant_loss(10.0), weight=falling, every=2)])
    due = evaluated(objective, 2)
    assert objective.total(due, HALFWAY).item() == 2.0 * 2 * 10.0


def test_a_term_is_told_how_far_the_run_is(make_trainer, monkeypatch):
    trainer = make_trainer("training.num_accumulation_steps=2")
    seen = []
    loss = type(trainer.assembly.training.objective.terms[0].loss)
    compute = loss.generator_loss

    def noting(self, step):
        seen.append(step.progress)
        return compute(self, step)

    monkeypatch.setattr(loss, "generator_loss", noting)
    trainer.train_step()
    trainer.train_step()
    assert seen == [Progress(step=step, num_steps=6, images=8 * step) for step in (0, 0, 1, 1)]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ([1.0, 2.0], r"not \[2\]"),
        ("nonsense", "not 'nonsense'"),
        (None, "not None; its spec says that it trains the generator"),
    ],
)
def test_a_loss_that_is_no_scalar_is_named(value, shown):
    odd = term("odd", constant_loss(value))
    with pytest.raises(PluginError, match=f"'odd' of test 1.0 must return a scalar.*{shown}"):
        odd.value("generator", None)


def with_objective(trainer, *terms):
    """Let a trainer train on other terms."""
    a = trainer.assembly
    training = replace(a.training, objective=Objective(terms))
    trainer.assembly = replace(a, training=training)


def test_a_loss_without_gradient_is_an_error(make_trainer):
    trainer = make_trainer()
    with_objective(trainer, term("flat", constant_loss(1.0)))
    with pytest.raises(PluginError, match="'flat' does not depend on its weights"):
        trainer.train_step()


def test_a_loss_of_the_other_networks_weights_alone_is_the_same_error(make_trainer):
    from ganforge import Loss

    class Elsewhere(Loss):
        def generator_loss(self, step):
            return step.discriminate(step.real).mean()

    trainer = make_trainer()
    with_objective(trainer, term("elsewhere", Elsewhere()))
    with pytest.raises(PluginError, match="generator's loss 'elsewhere' does not depend on its"):
        trainer.train_step()


def test_clipping_follows_every_discriminator_update(make_trainer):
    trainer = make_trainer("loss.wasserstein.clip=0.005", losses=("wasserstein",))
    trainer.train_step()
    largest = max(
        p.abs().max().item() for p in trainer.assembly.training.sides.discriminator.parameters
    )
    assert largest == pytest.approx(0.005)


def test_without_a_discriminator_only_the_generator_is_updated(make_trainer):
    trainer = make_trainer(
        "generator.name=autoencoder",
        "generator.widths=[4]",
        "sampler.name=reconstruct",
        "discriminator.name=none",
        base=TINY_IMAGES,
        losses=("mse",),
    )
    before = weights(trainer.assembly.training.sides.generator.network)
    trainer.train_step()
    trainer.log()
    after = weights(trainer.assembly.training.sides.generator.network)
    assert any(not torch.equal(before[name], after[name]) for name in before)
    assert "loss/discriminator" not in trainer.observer.seen[0]
