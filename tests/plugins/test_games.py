"""The bundled games: what is real and what is fake in each, who is told what, and past fakes."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.functional import softplus

from ganforge import Batch, DataError, Draw, Field, Game, Inputs, Problem
from ganforge.plugin.discovery import discover
from ganforge.plugin.specs import GameSpec
from ganforge_games.inference import negated
from ganforge_games.pool import Pool
from tests.engine.steps import make_update

REGISTRY = discover(third_party=False, environ={}).registry
PROBLEM = Problem(sample_shape=(3,), input_shape=(2,))
SIDES = ("generator", "discriminator")


class Coder(nn.Module):
    """G, and E beside it."""

    def __init__(self, problem: Problem) -> None:
        super().__init__()
        fed, made = problem.input_shape[0], problem.sample_shape[0]
        self.decoder, self.encoder = nn.Linear(fed, made), nn.Linear(made, fed)

    def forward(self, inputs: Tensor, *, label: Tensor | None = None) -> Tensor:
        return self.decoder(inputs) if label is None else self.decoder(inputs) + label[:, None]

    def encode(self, samples: Tensor, *, label: Tensor | None = None) -> Tensor:
        return self.encoder(samples if label is None else samples - label[:, None])


class Critic(nn.Module):
    """Scores of a sample, and of the code that it is told."""

    def __init__(self, problem: Problem) -> None:
        super().__init__()
        self.score = nn.Linear(problem.sample_shape[0], 1)
        sizes = [it.known_shape[0] for it in problem.conditions.values() if it.kind == "vector"]
        self.code = nn.Linear(sizes[0], 1) if sizes else None

    def forward(self, samples: Tensor, *, vector: Tensor | None = None) -> Tensor:
        scores = self.score(samples).squeeze(1)
        return scores if self.code is None else scores + self.code(vector).squeeze(1)


def build(name: str, problem: Problem = PROBLEM, **options: object) -> Game:
    component = REGISTRY.find(GameSpec, name)
    game = component.build(problem, component.spec.options(**options))
    assert isinstance(game, Game)
    return game


def sides(game: Game, judged: Problem | None = None) -> tuple[nn.Module, nn.Module]:
    torch.manual_seed(0)
    generator = game.build_generator(Coder)
    return generator, game.build_discriminator(Critic, judged or game.problem)


def drawn(problem: Problem = PROBLEM, num: int = 4, **told: Tensor) -> Draw:
    generator = torch.Generator().manual_seed(1)
    samples = torch.randn(num, *problem.sample_shape, generator=generator)
    inputs = torch.randn(num, *problem.input_shape, generator=generator)
    return Draw(Batch(samples, **told), Inputs(inputs, **told))


def has_gradient(value: Tensor, module: nn.Module) -> bool:
    if not value.requires_grad:
        return False
    found = torch.autograd.grad(
        value.sum(), list(module.parameters()), allow_unused=True, retain_graph=True
    )
    return any(it is not None for it in found)


def test_every_game_is_tried_here() -> None:
    names = [component.name for component in REGISTRY.of_kind(GameSpec)]
    assert names == ["adversarial", "autoencoder", "inference", "cycle"]


@pytest.mark.parametrize("side", SIDES)
def test_the_usual_game_is_g_of_z_against_samples(side) -> None:
    game = build("adversarial")
    generator, discriminator = sides(game)
    draw = drawn()
    (step,) = game.steps(make_update(side, generator, discriminator), draw)
    assert torch.equal(step.real, draw.batch.samples)
    assert torch.equal(step.fake, generator(draw.inputs.values))
    assert has_gradient(step.fake, generator) == (side == "generator")
    assert torch.equal(game.generate(generator, draw.inputs.values), step.fake)


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("judge", ["samples", "reconstructions", "codes"])
def test_an_autoencoder_has_codes_whatever_is_judged(judge, side) -> None:
    game = build("autoencoder", judge=judge)
    code = Problem(sample_shape=(2,), input_shape=(2,))
    generator, discriminator = sides(game, code if judge == "codes" else PROBLEM)
    draw = drawn()
    x, z = draw.batch.samples, draw.inputs.values
    (step,) = game.steps(make_update(side, generator, discriminator), draw)
    codes = generator.encode(x)
    assert torch.equal(step.codes, codes)
    assert torch.equal(step.reconstruction, generator(codes))
    fake = {"samples": generator(z), "reconstructions": generator(codes), "codes": codes}
    assert torch.equal(step.real, z if judge == "codes" else x)
    assert torch.equal(step.fake, fake[judge])
    for value in (step.codes, step.reconstruction, step.fake):
        assert has_gradient(value, generator) == (side == "generator")
    assert step.real_scores.shape == step.fake_scores.shape == (4,)
    assert torch.equal(game.reconstruct(generator, x, z), step.reconstruction)


def test_an_autoencoder_encodes_and_decodes_with_the_label_of_the_sample() -> None:
    """Not with the one that G is asked for: the two belong to different rows."""
    game = build("autoencoder", judge="reconstructions")
    generator, discriminator = sides(game)
    one, other = torch.tensor([0, 1, 2, 3]), torch.tensor([3, 3, 3, 3])
    draw = drawn()
    draw = Draw(Batch(draw.batch.samples, one), Inputs(draw.inputs.values, other))
    update = replace(
        make_update("generator", generator, discriminator),
        generator_keywords={"label": ("label",)},
    )
    (step,) = game.steps(update, draw)
    codes = generator.encode(draw.batch.samples, label=one)
    assert torch.equal(step.codes, codes)
    assert torch.equal(step.fake, generator(codes, label=one))
    assert step.fake_conditions is step.conditions
    made = game.reconstruct(generator, draw.batch.samples, draw.inputs.values, label=one)
    assert torch.equal(made, step.fake)


def inferring(side):
    game = build("inference")
    told = Problem(
        sample=PROBLEM.sample,
        input_shape=(2,),
        conditions={"code": Field(kind="vector", shape=(2,))},
    )
    generator, discriminator = sides(game, told)
    draw = drawn()
    update = replace(
        make_update(side, generator, discriminator), discriminator_keywords={"vector": ("code",)}
    )
    return game, generator, discriminator, draw, game.steps(update, draw)


def test_pairs_are_judged_with_their_codes() -> None:
    game, generator, discriminator, draw, steps = inferring("discriminator")
    (step,) = steps
    x, z = draw.batch.samples, draw.inputs.values
    assert torch.equal(step.real_scores, discriminator(x, vector=generator.encode(x)))
    assert torch.equal(step.fake_scores, discriminator(generator(z), vector=z))
    assert not has_gradient(step.real_scores, generator)
    assert not has_gradient(step.fake_scores, generator)
    expected = generator(generator.encode(x))
    assert torch.equal(step.reconstruction, expected)
    assert torch.equal(game.reconstruct(generator, x, z), expected)


def test_the_encoder_wants_its_pairs_taken_for_those_of_the_generator() -> None:
    """Cross-entropy over both steps is equation 3 with the labels turned, for G and for E."""
    _, generator, discriminator, draw, steps = inferring("generator")
    pair, encoder = steps
    x, z = draw.batch.samples, draw.inputs.values
    loss = sum(softplus(-step.fake_scores).mean() for step in steps)
    real = discriminator(x, vector=generator.encode(x))
    fake = discriminator(generator(z), vector=z)
    torch.testing.assert_close(loss, softplus(-fake).mean() + softplus(real).mean())
    assert has_gradient(encoder.fake_scores, generator.encoder)
    assert not has_gradient(encoder.fake_scores, generator.decoder)
    assert has_gradient(pair.fake_scores, generator.decoder)
    assert torch.equal(encoder.real_scores, -pair.fake_scores)
    assert encoder.codes is pair.codes
    assert encoder.reconstruction is pair.reconstruction


def test_a_list_of_scores_is_negated_one_by_one() -> None:
    found = negated([torch.tensor([1.0, -2.0]), torch.tensor([[3.0]])])
    assert [it.tolist() for it in found] == [[-1.0, 2.0], [[-3.0]]]


SAME = Problem(sample_shape=(3,), input_shape=(3,))


def cycling(side, problem=SAME, **options):
    game = build("cycle", problem, **options)
    generator, discriminator = sides(game)
    draw = drawn(problem)
    return game, generator, draw, game.steps(make_update(side, generator, discriminator), draw)


@pytest.mark.parametrize("side", SIDES)
def test_a_cycle_goes_both_ways(side) -> None:
    game, generator, draw, (there, back) = cycling(side, pool=0)
    a, b = draw.inputs.values, draw.batch.samples
    g, f = generator["there"], generator["back"]
    assert not torch.equal(g.decoder.weight, f.decoder.weight)
    assert torch.equal(there.real, b)
    assert torch.equal(there.fake, g(a))
    assert torch.equal(there.reconstruction, g(f(b)))
    assert torch.equal(there.identity, g(b))
    assert torch.equal(back.real, a)
    assert torch.equal(back.fake, f(b))
    assert torch.equal(back.reconstruction, f(g(a)))
    assert torch.equal(back.identity, f(a))
    assert has_gradient(there.reconstruction, f) == (side == "generator")
    assert has_gradient(there.fake_scores, g) == (side == "generator")
    assert torch.equal(game.generate(generator, a), g(a))
    assert torch.equal(game.reconstruct(generator, b, a), g(f(b)))


def test_what_a_cycle_has_made_is_reused_in_the_update_of_the_generator() -> None:
    game = build("cycle", SAME, pool=0)
    generator, discriminator = sides(game)
    plain = drawn(SAME)
    draw = Draw(plain.batch, plain.inputs, keep=True)
    calls: list[Tensor] = []
    for network in generator.values():
        network.register_forward_hook(lambda module, given, made: calls.append(made))
    for side in ("discriminator", "generator"):
        update = make_update(side, generator, discriminator)
        for step in game.steps(update, draw):
            assert step.fake.requires_grad == (side == "generator")
            assert step.fake.shape == (4, 3)
    assert len(calls) == 2


def test_the_two_sets_of_a_cycle_may_have_different_shapes() -> None:
    _, generator, draw, (there, back) = cycling("generator", PROBLEM, pool=0)
    assert generator["there"](draw.inputs.values).shape == (4, 3)
    assert generator["back"](draw.batch.samples).shape == (4, 2)
    assert there.reconstruction.shape == (4, 3)
    assert back.reconstruction.shape == (4, 2)
    with pytest.raises(DataError, match="takes 2 and makes 3"):
        _ = there.identity


def test_a_cycle_without_discriminators_has_no_scores_and_still_reconstructs() -> None:
    game = build("cycle", SAME, pool=0)
    generator, _ = sides(game)
    there, _ = game.steps(make_update("generator", generator, None), drawn(SAME))
    assert there.reconstruction.shape == (4, 3)


def test_past_fakes_are_for_the_discriminators_and_are_kept() -> None:
    game, generator, draw, (there, _) = cycling("discriminator", pool=3)
    assert [*game.state_dict()] == [
        "pools.there.past",
        "pools.there.taken",
        "pools.back.past",
        "pools.back.taken",
    ]
    assert not game.pools["there"].taken.any()
    shown = there.fake
    assert not shown.requires_grad
    assert game.pools["there"].taken.all()
    assert not game.pools["back"].taken.any()  # nobody has read the other way yet
    before = game.pools["there"].past.clone()
    there, _ = game.steps(make_update("generator", generator, None), draw)
    assert torch.equal(there.fake, generator["there"](draw.inputs.values))
    assert torch.equal(game.pools["there"].past, before)


@settings(max_examples=40, deadline=None)
@given(
    size=st.integers(1, 6),
    batches=st.lists(st.integers(1, 5), min_size=1, max_size=8),
    seed=st.integers(0, 2**31),
)
def test_a_pool_neither_loses_nor_invents_a_fake(size: int, batches: list[int], seed: int) -> None:
    """Of each fake that goes in, or of the past one in its place, one is shown and one is kept."""
    pool, generator = Pool(size, (1,)), torch.Generator().manual_seed(seed)
    state, came = torch.get_rng_state(), 0
    for num in batches:
        fakes = torch.arange(came, came + num, dtype=torch.float32)[:, None] + 1
        before = pool.past[pool.taken].flatten().tolist()
        shown = pool.exchanged(fakes, generator)
        after = pool.past[pool.taken].flatten().tolist()
        new, came = fakes.flatten().tolist(), came + num
        assert shown.shape == fakes.shape
        for one, own in zip(shown.flatten().tolist(), new, strict=True):
            assert one == own or one in before
        # What was not shown is in the pool, and what is in the pool has come some time.
        assert {*before, *new} <= {*after, *shown.flatten().tolist()}
        assert {*after} <= {*before, *new}
        assert shown[size:].flatten().tolist() == new[size:]
    assert pool.taken.sum().item() >= min(size, max(batches))
    assert torch.equal(state, torch.get_rng_state())


def test_half_of_the_fakes_of_a_full_pool_are_past_ones() -> None:
    pool, generator = Pool(50, (1,)), torch.Generator().manual_seed(0)
    pool.exchanged(torch.zeros(50, 1), generator)
    past, num = 0, 0
    for number in range(1, 60):
        fakes = torch.full((50, 1), float(number))
        past += int((pool.exchanged(fakes, generator) != number).sum())
        num += 50
    assert 0.46 < past / num < 0.54
