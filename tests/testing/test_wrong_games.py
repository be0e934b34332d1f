"""Games that are wrong in one way each, and fail the check of that way alone."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Any

import pytest
import torch
from torch import nn

from ganforge import Game, GameSpec, GeneratorSpec, ImageShapes, Step
from ganforge.testing import check_component
from ganforge.testing.checks import games
from ganforge.testing.finding import subject_of
from ganforge.testing.framework import checks_in, perform_all

CHECKS = checks_in(games)


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


class SwappedStep(MiddleStep):
    def make_real(self):
        return super().make_fake()

    def make_fake(self):
        return super().make_real()

    @property
    def real_conditions(self):
        return super().fake_conditions

    @property
    def fake_conditions(self):
        return self.conditions


class Swapped(Correct):
    step_class = SwappedStep


class AnothersConditionsStep(MiddleStep):
    @property
    def real_conditions(self):
        return {name: it.roll(1, 0) for name, it in super().real_conditions.items()}


class AnothersConditions(Correct):
    step_class = AnothersConditionsStep


class OtherSidesStep(MiddleStep):
    """D is told of fakes what the real samples of the batch are."""

    @property
    def fake_conditions(self):
        return self.conditions


class OtherSides(Correct):
    step_class = OtherSidesStep


class CentredStep(MiddleStep):
    def make_real(self):
        return self.samples - self.samples[:1]


class Centred(Correct):
    step_class = CentredStep


class FirstOfTwo(Correct):
    """Its second step is as it should be."""

    def steps(self, update, draw):
        return [AnothersConditionsStep(update, draw), MiddleStep(update, draw)]


class DatalessStep(MiddleStep):
    """It has forgotten the data: D tells two fakes apart."""

    def make_real(self):
        return self._generated[0]

    @property
    def real_conditions(self):
        return self.fake_conditions


class Dataless(Correct):
    step_class = DatalessStep


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
    (Swapped, "gradients-go-to-the-side-that-moves"),
    (AnothersConditions, "scores-follow-their-samples"),
    (FirstOfTwo, "scores-follow-their-samples"),
    (OtherSides, "scores-follow-their-samples"),
    (Centred, "scores-follow-their-samples"),
    (Dataless, "scores-follow-their-samples"),
    (Paired, "samples-are-generated"),
]


@pytest.mark.parametrize(
    ("built", "check"), WRONG_GAMES, ids=[it.__name__ for it, _ in WRONG_GAMES]
)
def test_a_wrong_game_fails_its_own_check_and_no_other(built, check):
    results = perform_all(CHECKS, subject_of(game(built)))
    assert [(it.check, it.message) for it in results if it.failed and it.check != check] == []
    assert [it.check for it in results if it.failed] == [check]


@pytest.mark.parametrize("built", [Correct, Together])
def test_a_correct_game_fails_none(built):
    results = check_component(game(built))
    assert [(it.check, it.message) for it in results if it.failed] == []
    assert {it.check for it in results if it.status == "skipped"} == {
        "hook-module-imports-no-torch",
        "hook-module-loads-quickly",
        "hook-module-changes-nothing",
    }


def test_what_a_game_remembers_outside_of_buffers_is_not_resumed():
    failed = [it.check for it in check_component(game(Remembering)) if it.failed]
    assert failed == ["resumes-to-the-bit"]


def test_a_game_that_calls_what_no_generator_has_is_left_to_its_author():
    results = perform_all(CHECKS, subject_of(game(Correct, calls=("paint",))))
    assert {(it.status, it.message) for it in results} == {
        ("skipped", "no generator can paint, as its game asks")
    }


class Painter(nn.Module):
    """Makes a sample in two goes, for images of 4 x 4 alone."""

    def __init__(self, problem, options):
        super().__init__()
        assert problem.sample_shape == (1, 4, 4)
        self.sketch = nn.Linear(problem.input_shape[0], 16)
        self.brush = nn.Linear(16, 16)

    def forward(self, inputs):
        return self.paint(self.sketch(inputs)).view(-1, 1, 4, 4)

    def paint(self, sketch):
        return self.brush(sketch.tanh()).tanh()


class PaintingStep(Step):
    @cached_property
    def middle(self):
        with torch.set_grad_enabled(self.update.trains_generator):
            return self.update.generator.paint(self.samples.flatten(1))


class Painting(Game):
    step_class = PaintingStep


PAINTER = GeneratorSpec(
    name="painter",
    summary="Two layers",
    build=f"{__name__}:Painter",
    shapes=(ImageShapes(minimum=4, maximum=4, channels=(1,)),),
    methods=("paint",),
)


def test_a_game_is_played_with_the_generator_of_its_own_plugin():
    subject = replace(subject_of(game(Painting, calls=("paint",))), partners=(subject_of(PAINTER),))
    results = perform_all(CHECKS, subject)
    assert [(it.check, it.message) for it in results if it.status != "passed"] == []


class PackedStep(Step):
    """Two samples to a score (Lin et al., 2018, PacGAN)."""

    def make_real(self):
        return packed(super().make_real())

    def make_fake(self):
        return packed(super().make_fake())


def packed(samples):
    shape = (len(samples) // 2, 2 * samples.shape[1], *samples.shape[2:])
    return samples.reshape(shape)


class Packed(Game):
    step_class = PackedStep


def twice(options, sample, input_shape):
    first, *others = sample.known_shape
    return sample.with_shape((2 * first, *others))


PACKED = {"provides": (), "conditions": False, "judged": twice, "packing": 2}


def test_several_samples_may_share_a_score_where_the_spec_says_how_many():
    results = check_component(game(Packed, **PACKED))
    assert [(it.check, it.message) for it in results if it.failed] == []
    failed = [it for it in check_component(game(Halved, **PACKED)) if it.failed]
    assert [it.check for it in failed] == ["quantities-are-there"]
    assert "step.real of the discriminator's update is [2, 2, 8, 8] for 8 samples" in (
        failed[0].message
    )


class HalvedStep(PackedStep):
    """Half of what is packed is forgotten."""

    def make_real(self):
        return super().make_real()[::2]


class Halved(Game):
    step_class = HalvedStep


class ShortSighted(Correct):
    def steps(self, update, draw):
        draw.batch.samples.view(len(draw.inputs), -1, 7)
        return super().steps(update, draw)


def test_an_error_of_a_game_shows_the_shapes_that_it_was_given():
    result = perform_all(CHECKS, subject_of(game(ShortSighted)))[1]
    assert (result.check, result.status) == ("quantities-are-there", "failed")
    assert "it raised RuntimeError: shape '[4, -1, 7]' is invalid" in result.message
    assert "for samples [4, 1, 8, 8] and inputs [4, 6]" in result.message


def test_every_check_of_games_has_a_wrong_one():
    assert {check for _, check in WRONG_GAMES} == {check.name for check in CHECKS}
