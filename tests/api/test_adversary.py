"""An adversarial term in a loop of one's own is the engine's, to the bit."""

from __future__ import annotations

import io
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import ganforge
from ganforge.config.arguments import from_arguments
from ganforge.config.layers import Layer
from ganforge.config.resolve import resolve
from ganforge.contracts.step import arguments
from ganforge.engine.assemble import Assembly, assemble
from ganforge.engine.step import train_step
from ganforge.plugin.registry import Registry

SHAPE = (1, 8, 8)


def assembly(registry: Registry, **settings: Any) -> Assembly:
    """A run on small digits, without a directory."""
    usual = {
        "dataset": {"name": "digits", "size": 8},
        "generator": {"name": "mlp", "hidden": [16]},
        "discriminator": {"name": "mlp", "hidden": [16]},
        "training": {"batch_size": 8, "steps": 10, "seed": 3},
        "sampler": {"name": "normal", "size": 4},
        "execution": {"device": "cpu"},
    }
    layers: list[Layer] = [from_arguments({**usual, **settings}, whole=True)]
    return assemble(resolve(layers, registry))


def critic(**settings: Any) -> ganforge.Adversary:
    usual = {"discriminator": {"name": "mlp", "hidden": [16]}, "sample": SHAPE}
    return ganforge.Adversary(**{**usual, **settings})


def batch(seed: int = 0, num: int = 8) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    return torch.rand(num, *SHAPE, generator=random) * 2 - 1


def assert_equal(one: nn.Module, other: nn.Module) -> None:
    theirs = other.state_dict()
    for name, tensor in one.state_dict().items():
        assert torch.equal(tensor, theirs[name]), name


@pytest.mark.parametrize(
    ("loss", "augmentation"),
    [
        (["nonsat"], []),
        (["hinge", {"name": "r1", "every": 2}], []),
        ({"wasserstein": {"weight": 0.5}, "gradient-penalty": {}}, []),
        (["rpgan", "r1", "r2"], []),
        (["hinge"], ["diffaugment"]),
        (["nonsat"], ["ada"]),
    ],
    ids=["plain", "lazy penalty", "draws of its own", "relativistic", "augmented", "adaptive"],
)
@pytest.mark.parametrize("joint", [False, True], ids=["apart", "joint"])
def test_its_updates_are_those_of_the_engine_to_the_bit(
    loss: Any, augmentation: Any, joint: bool, bundled: Registry
) -> None:
    chosen = {"loss": loss, "augmentation": augmentation}
    training = {"batch_size": 8, "steps": 10, "seed": 3, "joint_batch": joint}
    engine = assembly(bundled, **chosen, training=training).training
    feed = assembly(bundled, **chosen, training=training).training.feed
    network = ganforge.build_network("mlp", sample=SHAPE, input_shape=(4,), hidden=[16], seed=3)
    adversary = critic(**chosen, seed=3, joint_batch=joint)
    options = engine.sides.generator.optimizer.param_groups[0]
    optimizer = type(engine.sides.generator.optimizer)(
        network.parameters(), lr=options["lr"], betas=options["betas"], fused=options["fused"]
    )
    for step in range(4):
        ours = [dict(it) for it in train_step(engine, step)]
        real = feed.real(step)
        with torch.no_grad():
            fake = network(feed.draws(real, step, 0)[0].inputs.values)
        # What draws from the global generator draws from that of the program.
        engine.randomness.reseed_globals(step)
        theirs = adversary.update(real.samples, fake)
        made = network(feed.draws(real, step, 1)[0].inputs.values)
        total = adversary.generator_loss(made, real.samples)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        assert {k: float(v) for k, v in theirs.items()} == {k: float(v) for k, v in ours[0].items()}
        assert total.item() == float(ours[1]["loss/generator"])
    assert_equal(engine.sides.generator.network, network)
    assert_equal(engine.sides["discriminator"].network, adversary.network)


def test_conditions_reach_the_discriminator_as_in_a_run(bundled: Registry) -> None:
    chosen = {
        "loss": "nonsat",
        "generator": {"name": "conditional", "width": 2},
        "discriminator": {"name": "conditional", "widths": [2]},
        "training": {"batch_size": 8, "steps": 10, "conditional": True},
    }
    engine = assembly(bundled, **chosen).training
    feed = assembly(bundled, **chosen).training.feed
    adversary = critic(discriminator=chosen["discriminator"], conditions={"label": 10})
    assert_equal(engine.sides["discriminator"].network, adversary.network)
    real = feed.real(0)
    draw = feed.draws(real, 0, 0)[0]
    told = arguments(draw.inputs.others, engine.keywords["generator"])
    with torch.no_grad():
        fake = engine.sides.generator.network(draw.inputs.values, **told)
    ours = next(iter(train_step(engine, 0)))
    theirs = adversary.update(real.samples, fake, conditions=real.others)
    assert float(theirs["loss/discriminator"]) == float(ours["loss/discriminator"])
    assert_equal(engine.sides["discriminator"].network, adversary.network)


def test_a_supervised_loop_learns_with_it() -> None:
    torch.manual_seed(0)
    network, adversary = nn.Conv2d(1, 1, 3, padding=1), critic(loss=["hinge"])
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    before = next(adversary.network.parameters()).detach().clone()
    for number in range(3):
        target = batch(number)
        output = network(target.roll(1, 2))
        loss = (output - target).abs().mean() + 0.1 * adversary.generator_loss(output)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        metrics = adversary.update(target, output)
        assert {"loss/discriminator", "score/real", "score/fake"} <= metrics.keys()
    assert adversary.num_updates == 3
    assert not torch.equal(before, next(adversary.network.parameters()))


def test_the_generators_loss_reaches_no_weight_of_the_discriminator() -> None:
    adversary = critic()
    fake = batch().requires_grad_()
    adversary.generator_loss(fake).backward()
    assert fake.grad is not None
    assert fake.grad.abs().max() > 0
    assert [it.grad for it in adversary.network.parameters()] == [None] * 4
    assert all(it.requires_grad for it in adversary.network.parameters())


def test_a_module_of_ones_own_is_a_discriminator() -> None:
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.LeakyReLU(), nn.Conv2d(4, 1, 3))
    adversary = critic(discriminator=network, loss=["hinge", "r1"])
    assert adversary.network is network
    before = [it.detach().clone() for it in network.parameters()]
    adversary.update(batch(0), batch(1))
    moved = [it.detach() for it in network.parameters()]
    assert not torch.equal(before[0], moved[0])


def test_it_works_in_mixed_precision() -> None:
    network, adversary, plain = nn.Conv2d(1, 1, 3, padding=1), critic(), critic()
    real = batch()
    with torch.autocast("cpu", torch.bfloat16):
        fake = network(real)
        assert fake.dtype == torch.bfloat16
        loss = adversary.generator_loss(fake)
        assert loss.dtype == torch.float32
        loss.backward()
        adversary.update(real, fake)
    assert network.weight.grad is not None
    plain.update(real, fake.float().detach())
    assert_equal(plain.network, adversary.network)


def test_it_goes_on_from_its_state_to_the_bit() -> None:
    settings = {"loss": ["nonsat", {"name": "r1", "every": 2}], "augmentation": ["ada"]}
    whole, parts = critic(**settings), critic(**settings)
    for number in range(5):
        whole.update(batch(number), batch(number + 50))
    for number in range(3):
        parts.update(batch(number), batch(number + 50))
    stored = io.BytesIO()
    torch.save(parts.state_dict(), stored)
    stored.seek(0)
    other = critic(**settings, seed=9)
    other.load_state_dict(torch.load(stored, weights_only=True))
    assert other.num_updates == 3
    for number in range(3, 5):
        other.update(batch(number), batch(number + 50))
    assert_equal(whole.network, other.network)
    fake = batch(7).requires_grad_()
    assert torch.equal(whole.generator_loss(fake), other.generator_loss(fake))


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({}, "this is no state of a ganforge.Adversary"),
        (critic().state_dict() | {"modules": {}}, "this is the state of other parts: none"),
        (critic(discriminator={"name": "mlp", "hidden": [8]}).state_dict(), "does not fit"),
    ],
    ids=["nothing", "no modules", "another size"],
)
def test_the_state_of_something_else_is_an_error(state: dict[str, Any], message: str) -> None:
    with pytest.raises(ganforge.UsageError, match=message):
        critic().load_state_dict(state)


def test_the_program_is_left_as_it_is() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    adversary = critic(augmentation=["diffaugment"])
    adversary.update(batch(0), batch(1))
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"discriminator": "mpl"}, "discriminator=: there is no discriminator called 'mpl'"),
        ({"discriminator": "none"}, "an adversary needs one"),
        ({"discriminator": {"name": "mlp", "hiden": 3}}, "did you mean 'hidden'?"),
        ({"discriminator": "dcgan", "sample": (2,)}, "the discriminator 'dcgan' handles"),
        ({"discriminator": "conditional"}, "the discriminator 'conditional' needs labels"),
        ({"loss": "hing"}, "loss=: there is no loss called 'hing'; did you mean 'hinge'?"),
        ({"loss": ["hinge", "l1"]}, "the loss 'l1' compares real samples with what"),
        ({"loss": "r1"}, "no loss trains the generator"),
        ({"optimizer": "adma"}, "optimizer=: there is no optimizer called 'adma'"),
        ({"augmentation": "adda"}, "augmentation=: there is no augmentation called 'adda'"),
        (
            {"conditions": {"mask": (1, 8, 8)}},
            "the discriminator 'mlp' takes no image as a condition",
        ),
        ({"sample": (1, 2, 3, 4, 5)}, "no kind of field has a shape like (1, 2, 3, 4, 5)"),
        ({"sample": (1, 0, 8)}, "'sample': the shape of a field of kind image"),
        ({"device": "cuda:99"}, "the device 'cuda:99' is not there"),
        ({"seed": -1}, "training.seed"),
        (
            {"optimizer": {"name": "adam", "learning_rate": {"from": 1e-3, "to": 0.0}}},
            "learning_rate of 'adam' follow the share of the training",
        ),
    ],
)
def test_what_does_not_fit_is_one_clear_error(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ganforge.UsageError) as caught:
        critic(**settings)
    assert message in str(caught.value)


def test_a_schedule_in_shares_follows_the_length_that_is_given() -> None:
    schedule = {"from": 1e-3, "to": 0.0}
    adversary = critic(optimizer={"name": "adam", "learning_rate": schedule}, num_steps=4)
    rates = []
    for number in range(4):
        adversary.update(batch(number), batch(number + 50))
        rates.append(adversary.optimizer.param_groups[0]["lr"])
    assert rates == pytest.approx([1e-3, 7.5e-4, 5e-4, 2.5e-4])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda it: it.update(batch()[:, :, :4], batch()), r"real must be a tensor \[B, 1, 8, 8\]"),
        (lambda it: it.update(batch(), [1]), r"fake must be a tensor \[B, 1, 8, 8\], not list"),
        (lambda it: it.update(batch(), batch(num=4)), "there are 8 real samples for 4 fake ones"),
        (lambda it: it.update(batch().mul(9).to(torch.uint8), batch()), "real must be of floats"),
        (lambda it: it.update(batch(), batch().to("meta")), "fake is on meta, and the adversary"),
        (
            lambda it: it.update(batch(), batch(), conditions={"label": 1}),
            "must have none, and has",
        ),
        (lambda it: it.generator_loss(batch()), "fake carries no gradient"),
    ],
)
def test_what_is_no_batch_is_an_error(call: Any, message: str) -> None:
    adversary = critic()
    with pytest.raises(ganforge.UsageError, match=message):
        call(adversary)
    assert adversary.num_updates == 0


def test_labels_are_checked() -> None:
    adversary = critic(
        discriminator={"name": "conditional", "widths": [2]}, conditions={"label": 3}
    )
    with pytest.raises(ganforge.UsageError, match="conditions= must have 'label', and has none"):
        adversary.update(batch(), batch())
    with pytest.raises(ganforge.UsageError, match=r"conditions= 'label' must be \[8\], not \[3\]"):
        adversary.update(batch(), batch(), conditions={"label": torch.zeros(3)})
    labels = {"label": torch.zeros(8, dtype=torch.int64)}
    others = {"label": torch.ones(8, dtype=torch.int64)}
    one = adversary.generator_loss(batch().requires_grad_(), conditions=labels)
    two = adversary.generator_loss(
        batch().requires_grad_(), conditions=labels, fake_conditions=others
    )
    assert not torch.equal(one, two)


def test_a_loss_that_compares_wants_real_samples_for_the_generator_too() -> None:
    adversary = critic(loss="rpgan")
    fake = batch(1).requires_grad_()
    with pytest.raises(ganforge.UsageError, match="give them by real= to generator_loss"):
        adversary.generator_loss(fake)
    assert adversary.generator_loss(fake, batch(0)).requires_grad


def test_what_is_not_finite_stops_before_the_update() -> None:
    adversary = critic()
    before = [it.detach().clone() for it in adversary.network.parameters()]
    with pytest.raises(ganforge.NonFiniteError, match="'nonsat'"):
        adversary.update(batch(0), batch(1) * float("nan"))
    assert all(
        torch.equal(one, other)
        for one, other in zip(before, adversary.network.parameters(), strict=True)
    )


def test_a_term_that_rests_costs_nothing() -> None:
    adversary = critic(loss={"nonsat": {"start": 2}})
    assert adversary.generator_loss(batch().requires_grad_()).item() == 0.0
    assert [adversary.update(batch(0), batch(1)) for _ in range(2)] == [{}, {}]
    assert "loss/discriminator" in adversary.update(batch(0), batch(1))
