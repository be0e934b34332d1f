"""Games that are wrong in one way each, and fail the check of that way alone."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import pytest
import torch
from torch import nn

from ganforge import Game, GameSpec, Step
from ganforge.testing import check_component
from ganforge.testing.checks import games
from ganforge.testing.finding import subject_of
from ganforge.testing.framework import perform_all


class MiddleStep(Step):
    """A step with samples half-way between real and fake."""

    @cached_property
    def middle(self):
        return torch.lerp(self.samples, self._generated[0], 0.5)


class Correct(Game):
    step_class = MiddleStep


class Together(Correct):
    """Correct: two generators, whose mean is taken."""

    def build_generator(self, make):
        return Mean([make(self.problem), make(self.problem)])


class Mean(nn.ModuleList):
    def forward(self, inputs, **told):
        return torch.stack([network(inputs, **told) for network in self]).mean(0)


class Listed(Together):
    """The second network is in a list, where nothing would train it."""

    def build_generator(self, make):
        network = make(self.problem)
        network.others = [make(self.problem)]
        return network


class Lacking(Correct):
    step_class = Step


class MeanStep(MiddleStep):
    @cached_property
    def middle(self):
        return super().middle.mean(0)


class Averaging(Correct):
    step_class = MeanStep


class NoisyStep(MiddleStep):
    def make_real(self):
        return self.samples + 0.1 * torch.randn_like(self.samples)


class Noisy(Correct):
    step_class = NoisyStep


class PastStep(MiddleStep):
    def make_real(self):
        return self.samples if self.before is None else 0.5 * (self.samples + self.before)


class Remembering(Correct):
    """It mixes in a fake of the update before, which a resumed run does not have."""

    step_class = PastStep
    before: Any = None

    def steps(self, update, draw):
        (step,) = super().steps(update, draw)
        step.before = self.before
        self.before = step.make_fake().detach().mean(0)
        return [step]


class LeakingStep(MiddleStep):
    @cached_property
    def middle(self):
        with torch.enable_grad():
            made = self.update.generator(self.inputs, **self.told(self.draw.inputs.others))
        return torch.lerp(self.samples, made, 0.5)


class Leaking(Correct):
    step_class = LeakingStep


class DetachedStep(MiddleStep):
    def make_fake(self):
        return super().make_fake().detach()


class Detached(Correct):
    step_class = DetachedStep


class Paired(Correct):
    def generate(self, generator, inputs, **conditions):
        samples = super().generate(generator, inputs, **conditions)
        return torch.stack([samples, samples], 1)


def game(built: type, **said: Any) -> GameSpec:
    target = f"{__name__}:{built.__name__}"
    given = {"provides": ("middle",), **said}
    return GameSpec(name="wrong", summary="A game", build=target, **given)


WRONG_GAMES = [
    (Listed, "sides-are-built"),
    (Lacking, "quantities-are-there"),
    (Averaging, "quantities-are-there"),
    (Noisy, "same-draws-give-the-same-values"),
    (Leaking, "gradients-go-to-the-side-that-moves"),
    (Detached, "gradients-go-to-the-side-that-moves"),
    (Paired, "samples-are-generated"),
]


@pytest.mark.parametrize(
    ("built", "check"), WRONG_GAMES, ids=[it.__name__ for it, _ in WRONG_GAMES]
)
def test_a_wrong_game_fails_its_own_check_and_no_other(built, check):
    results = perform_all(games.CHECKS, subject_of(game(built)))
    assert [(it.check, it.message) for it in results if it.failed and it.check != check] == []
    assert [it.check for it in results if it.failed] == [check]


@pytest.mark.parametrize("built", [Correct, Together])
def test_a_correct_game_fails_none(built):
    results = check_component(game(built))
    assert [(it.check, it.message) for it in results if it.failed] == []
    assert {it.check for it in results if it.status == "skipped"} == {
        "hook-module-imports-no-torch",
        "hook-module-loads-quickly",
    }


def test_what_a_game_remembers_outside_of_buffers_is_not_resumed():
    failed = [it.check for it in check_component(game(Remembering)) if it.failed]
    assert failed == ["resumes-to-the-bit"]


def test_a_game_that_calls_what_no_reference_network_has_is_left_to_its_author():
    results = perform_all(games.CHECKS, subject_of(game(Correct, calls=("paint",))))
    assert {(it.status, it.message) for it in results} == {
        ("skipped", "it calls paint, which no reference network has")
    }


def test_every_check_of_games_has_a_wrong_one():
    assert {check for _, check in WRONG_GAMES} == {check.name for check in games.CHECKS}
