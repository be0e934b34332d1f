"""Checks of games: two sides of all that was made, and steps that keep their promises."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ganforge.contracts import Step
from ganforge.plugin.specs import SIDES, GameSpec, Side
from ganforge.testing.fixtures.building import seeded
from ganforge.testing.fixtures.playing import BATCH, Match, matches
from ganforge.testing.framework import (
    Check,
    NotApplicable,
    Subject,
    check_of,
)
from ganforge.testing.framework import (
    OldFailure as CheckFailure,
)


def sides_are_built(subject: Subject[GameSpec]) -> None:
    for match in matches(subject):
        for side, made in match.made.items():
            module = match.generator if side == "generator" else match.discriminator
            if not isinstance(module, nn.Module) or not made:
                raise CheckFailure(
                    f"a module for the {side}'s side, of networks that make(problem) has built",
                    came=f"a {type(module).__name__} of {len(made)} networks",
                    mend="return a network, or several in an nn.ModuleDict",
                )
            held = {id(it) for it in module.parameters()}
            if any(id(it) not in held for network in made for it in network.parameters()):
                raise CheckFailure(
                    f"every network that was made for the {side}'s side in its module",
                    came="one whose parameters are not there, which nothing would train",
                    mend="hold several networks in an nn.ModuleDict or an nn.ModuleList",
                )


def quantities_are_there(subject: Subject[GameSpec]) -> None:
    for match in matches(subject):
        for side in SIDES:
            for step in match.steps(side):
                try:
                    found = [*match.quantities(step)]
                except NotApplicable as missing:
                    raise CheckFailure(
                        "everything in a step that the spec names in `provides`",
                        came=str(missing),
                        mend="make it a cached property of the step, or leave it out of `provides`",
                    ) from missing
                for name, value in found:
                    if not isinstance(value, Tensor) or value.shape[:1] != (BATCH,):
                        shape = list(value.shape) if isinstance(value, Tensor) else repr(value)
                        raise CheckFailure(
                            f"step.{name} of the {side}'s update for {BATCH} samples",
                            came=str(shape),
                            mend="give one for each sample of the batch",
                        )


def same_draws_give_the_same_values(subject: Subject[GameSpec]) -> None:
    for one, other in zip(matches(subject), matches(subject), strict=True):
        for side in SIDES:
            values = []
            for seed, match in enumerate((one, other)):
                with seeded(seed):
                    values.append(_values(match, side))
            if any(not torch.equal(*pair) for pair in zip(*values, strict=True)):
                raise CheckFailure(
                    f"the same values in the {side}'s update for the same batch and inputs",
                    came="others",
                    mend="draw from update.random, and keep what is remembered in buffers",
                )


def _values(match: Match, side: Side) -> list[Tensor]:
    """All quantities of all steps of an update."""
    return [value for step in match.steps(side) for _, value in match.quantities(step)]


def gradients_go_to_the_side_that_moves(subject: Subject[GameSpec]) -> None:
    for match in matches(subject):
        of = [*match.generator.parameters()]
        for step in match.steps("discriminator"):
            for name, value in match.quantities(step):
                if _reaches(value, of):
                    raise CheckFailure(
                        f"step.{name} of the discriminator's update without a gradient for the "
                        "generator",
                        came="one with a gradient",
                        mend="override make_real and make_fake rather than real and fake, and "
                        "compute more under torch.set_grad_enabled(update.trains_generator)",
                    )
            if not _reaches(_scores(match, step), [*match.discriminator.parameters()]):
                raise CheckFailure(
                    "scores with a gradient for the discriminator in its update",
                    came="none",
                    mend="score what is real and what is fake with the update's discriminator",
                )
        moved = [_reaches(_scores(match, step), of) for step in match.steps("generator")]
        if not any(moved):
            raise CheckFailure(
                "scores with a gradient for the generator in its update",
                came="none",
                mend="make what is fake with the update's generator, and detach nothing",
            )


def _scores(match: Match, step: Step) -> Tensor:
    """The sum of all scores of a step."""
    named = match.quantities(step)
    return torch.stack([it.sum() for name, it in named if name.endswith("_scores")]).sum()


def _reaches(value: Tensor, parameters: list[nn.Parameter]) -> bool:
    """True where a value has a gradient for some of the parameters."""
    if not value.requires_grad:
        return False
    found = torch.autograd.grad(value.sum(), parameters, allow_unused=True, retain_graph=True)
    return any(gradient is not None for gradient in found)


def samples_are_generated(subject: Subject[GameSpec]) -> None:
    for match in matches(subject):
        draw, generator = match.draw(), match.generator.eval()
        with torch.inference_mode():
            made = {"generate()": match.game.generate(generator, draw.inputs.values)}
            if "reconstruction" in subject.says("provides"):
                made["reconstruct()"] = match.game.reconstruct(
                    generator, draw.batch.samples, draw.inputs.values
                )
        for name, samples in made.items():
            shape = [BATCH, *match.problem.sample_shape]
            if not isinstance(samples, Tensor) or list(samples.shape) != shape:
                shown = list(samples.shape) if isinstance(samples, Tensor) else repr(samples)
                raise CheckFailure(
                    f"samples {shape} from {name}",
                    came=str(shown),
                    mend="return what the generator's side makes for users: one sample an input",
                )


_check = check_of("game")


CHECKS: tuple[Check, ...] = (
    _check(
        "sides-are-built",
        "each side is a module that holds every network made for it",
        sides_are_built,
    ),
    _check(
        "quantities-are-there",
        "a step has what the spec names in `provides`, for each sample of the batch",
        quantities_are_there,
    ),
    _check(
        "same-draws-give-the-same-values",
        "an update is a function of the batch, the inputs, the seed and the state",
        same_draws_give_the_same_values,
    ),
    _check(
        "gradients-go-to-the-side-that-moves",
        "in the discriminator's update nothing has a gradient for the generator",
        gradients_go_to_the_side_that_moves,
    ),
    _check(
        "samples-are-generated",
        "a trained generator gives a sample for each input",
        samples_are_generated,
    ),
)
