"""Checks of games: two sides of all that was made, and steps that keep their promises."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ganforge.contracts import Batch, Draw, Step
from ganforge.plugin.fields import LABEL
from ganforge.plugin.specs import SIDES, GameSpec, Side
from ganforge.testing.fixtures.building import seeded
from ganforge.testing.fixtures.company import PACKS
from ganforge.testing.fixtures.conduct import near, require_same, same, shown_where_it_fails
from ganforge.testing.fixtures.playing import Match, matches, rearranged, swapped
from ganforge.testing.framework import CheckFailure, NotApplicable, Subject, check, require

SCORES = ("real_scores", "fake_scores")


@check(
    "each side is a module that holds every network made for it",
    GameSpec,
    fix="return a network that make(problem) has built, or several in an nn.ModuleDict",
)
def sides_are_built(subject: Subject[GameSpec]) -> None:
    for match in matches(subject):
        for side, made in match.made.items():
            module = match.generator if side == "generator" else match.discriminator
            sound = isinstance(module, nn.Module) and bool(made)
            require(sound, f"a {type(module).__name__} of {len(made)} networks for the {side}")
            held = {id(it) for it in module.parameters()}
            for network in made:
                inside = all(id(it) in held for it in network.parameters())
                require(inside, f"a network of the {side}'s that is not in its module")


@check(
    "a step has what the spec names in `provides`, for each sample of the batch",
    GameSpec,
    fix="make it a cached property of the step, or leave it out of `provides`; several samples "
    "share a score where `packing` says how many",
)
def quantities_are_there(subject: Subject[GameSpec]) -> None:
    for match in matches(subject):
        for side in SIDES:
            for step in match.steps(side):
                try:
                    found = [*match.values(step)]
                except NotApplicable as missing:
                    raise CheckFailure(str(missing)) from missing
                for name, value in found:
                    batch = match.company.batch
                    wanted = batch if name in subject.says("provides") else PACKS
                    shape = list(value.shape) if isinstance(value, Tensor) else [type(value)]
                    got = f"step.{name} of the {side}'s update is {shape} for {batch} samples"
                    require(shape[:1] == [wanted], got)


@check(
    "an update is a function of the batch, the inputs, the seed and the state",
    GameSpec,
    fix="draw from update.random, and keep what is remembered in buffers",
)
def same_draws_give_the_same_values(subject: Subject[GameSpec]) -> None:
    for one, other in zip(matches(subject), matches(subject), strict=True):
        for side in SIDES:
            values = []
            for seed, match in enumerate((one, other)):
                with seeded(seed):
                    values.append([[*match.values(step)] for step in match.steps(side)])
            require_same(values, f"others in the {side}'s update")


@check(
    "in the discriminator's update nothing has a gradient for the generator; in the generator's "
    "what is fake has one",
    GameSpec,
    fix="override make_real and make_fake, detach nothing, and compute more under "
    "torch.set_grad_enabled(update.trains_generator)",
)
def gradients_go_to_the_side_that_moves(subject: Subject[GameSpec]) -> None:
    for match in matches(subject):
        ours, theirs = ([*it.parameters()] for it in (match.generator, match.discriminator))
        for step in match.steps("discriminator"):
            for name, value in match.values(step):
                still = not _reaches(value, ours)
                require(still, f"a gradient of step.{name} in the discriminator's update")
            scored = any(_reaches(it, theirs) for it in _scores(match, step))
            require(scored, "scores without a gradient for the discriminator in its update")
        fakes = [
            it for step in match.steps("generator") for it in _scores(match, step, "fake_scores")
        ]
        moves = any(_reaches(it, ours) for it in fakes)
        require(moves, "fake scores without a gradient for the generator in its update")


def _scores(match: Match, step: Step, *names: str) -> list[Tensor]:
    return [value for name, value in match.values(step) if name in (names or SCORES)]


def _reaches(value: Tensor, parameters: list[nn.Parameter]) -> bool:
    """True where a value has a gradient for some of the parameters."""
    if not value.requires_grad:
        return False
    found = torch.autograd.grad(value.sum(), parameters, allow_unused=True, retain_graph=True)
    return any(gradient is not None for gradient in found)


@check(
    "what is judged is made of the data, and every score is that of one sample with its own "
    "conditions",
    GameSpec,
    fix="keep the order of the batch, and give real_conditions and fake_conditions of the samples "
    "that make_real and make_fake are made of",
)
def scores_follow_their_samples(subject: Subject[GameSpec]) -> None:
    for match in matches(subject, told=subject.spec.conditions):
        draw, other = match.draw(0), match.draw(1)
        turned, fresh = rearranged(draw, swapped), Draw(other.batch, draw.inputs)
        for side in SIDES:
            scores = _judged(match, side, draw)
            if not same(scores, _judged(match, side, draw, seed=1)):
                continue  # it draws for each place in the batch
            require(not same(scores, _judged(match, side, fresh)), "the same for other samples")
            for name, value in _judged(match, side, turned).items():
                if len(value) == PACKS:
                    own = near(value, scores[name][swapped(torch.arange(PACKS))])
                    require(own, f"{name} of the {side}'s update that mix samples of the batch")
            if LABEL in match.problem.conditions:
                _expect_own_conditions(match, side, scores)


def _expect_own_conditions(match: Match, side: Side, scores: dict[str, Tensor]) -> None:
    """Scores that do not follow the real samples do not follow their labels, and likewise fakes."""
    draw, other = match.draw(0), match.draw(1)
    for what, fresh, relabelled in (
        ("real", Draw(other.batch, draw.inputs), Draw(_relabelled(draw.batch), draw.inputs)),
        ("fake", Draw(draw.batch, other.inputs), Draw(draw.batch, _relabelled(draw.inputs))),
    ):
        moved, told = (_judged(match, side, it) for it in (fresh, relabelled))
        for name, value in scores.items():
            own = not torch.equal(value, moved[name]) or torch.equal(value, told[name])
            require(own, f"{name} that depend on the conditions of {what} samples alone")


def _relabelled(drawn: Any) -> Any:
    """A batch or inputs with another label for each."""
    values = drawn.samples if isinstance(drawn, Batch) else drawn.values
    return type(drawn)(values, **{**drawn.others, LABEL: drawn.others[LABEL].roll(1, 0)})


def _judged(match: Match, side: Side, draw: Draw, seed: int = 0) -> dict[str, Tensor]:
    """The scores of all steps of an update, by name, as of a new game."""
    played = match.again()
    found = [it for step in played.steps(side, draw, seed) for it in played.values(step)]
    scores = [(name, value) for name, value in found if name in SCORES]
    return {f"{name} {number}": value for number, (name, value) in enumerate(scores, start=1)}


@check(
    "a trained generator gives a sample for each input",
    GameSpec,
    fix="return what the generator's side makes for users: one sample an input",
)
def samples_are_generated(subject: Subject[GameSpec]) -> None:
    for match in matches(subject):
        draw, generator = match.draw(), match.generator.eval()
        real, inputs = draw.batch.samples, draw.inputs.values
        told = {name: draw.inputs.others[name] for name in match.problem.conditions}
        with torch.inference_mode(), shown_where_it_fails("it", samples=real, inputs=inputs):
            made = {"generate()": match.game.generate(generator, inputs, **told)}
            if "reconstruction" in subject.says("provides"):
                again = match.game.reconstruct(generator, real, inputs, **told)
                made["reconstruct()"] = again
        for name, samples in made.items():
            found = list(samples.shape) if isinstance(samples, Tensor) else repr(samples)
            wanted = [len(real), *match.problem.sample_shape]
            require(found == wanted, f"{found} from {name}", expected=f"samples {wanted}")
